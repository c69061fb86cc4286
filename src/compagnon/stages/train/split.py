"""Parting rows: a test part that chooses nothing, and folds to choose on; the same for every family and every run.

Rows come ordered by ``row_id`` and groups are numbered by their smallest ``row_id``, so that pseudonyms (which change
with their key) never move a row from one side to the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Fold = tuple[Codes, Codes]


def group_codes(groups: list[Any]) -> Codes:
    """Numbers of groups by first appearance; a missing group is a group of its own."""
    import numpy as np

    seen: dict[Any, int] = {}
    codes = np.empty(len(groups), dtype=np.int64)
    following = 0
    for row, group in enumerate(groups):
        if group is not None and group in seen:
            codes[row] = seen[group]
            continue
        codes[row] = following
        if group is not None:
            seen[group] = following
        following += 1
    return codes


def test_part(target: Codes, groups: Codes | None, share: float, seed: int) -> Codes:
    """Rows set apart for the test, about ``share`` of each class; whole groups when ``groups`` is given."""
    import numpy as np

    generator = np.random.default_rng(seed)
    if groups is None:
        chosen = []
        for code in np.unique(target):
            rows = np.flatnonzero(target == code)
            count = round(share * len(rows))
            chosen.append(generator.permutation(rows)[: min(count, len(rows) - 1)])
        return np.sort(np.concatenate(chosen))
    return np.sort(np.flatnonzero(np.isin(groups, _test_groups(target, groups, share, generator))))


def _test_groups(target: Codes, groups: Codes, share: float, generator: np.random.Generator) -> list[int]:
    """Whole groups, large ones first, each taken if that brings the class counts nearer to ``share``."""
    import numpy as np

    classes = int(target.max()) + 1
    counts = np.zeros((int(groups.max()) + 1, classes))
    np.add.at(counts, (groups, target), 1)
    wanted = share * counts.sum(axis=0)
    weight = 1.0 / np.maximum(wanted, 1.0)
    order = generator.permutation(len(counts))
    order = order[np.argsort(-counts.sum(axis=1)[order], kind="stable")]
    taken, have = [], np.zeros(classes)
    for group in order:
        before = (np.square(have - wanted) * weight).sum()
        after = (np.square(have + counts[group] - wanted) * weight).sum()
        if after < before:
            taken.append(int(group))
            have += counts[group]
    return taken


def folds(target: Codes, groups: Codes | None, count: int, seed: int) -> tuple[list[Fold], Codes]:
    """Pairs of training and validation rows, and the classes too rare to be validated.

    A class with fewer rows (or groups) than folds stays on the training side of every fold: with it in turn absent
    and alone, its score would be chance.
    """
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    rare = _rare(target, groups, count)
    common = np.flatnonzero(~np.isin(target, rare))
    always = np.flatnonzero(np.isin(target, rare))
    if groups is None:
        splitter: Any = StratifiedKFold(count, shuffle=True, random_state=seed)
        pairs = splitter.split(common, target[common])
    else:
        splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        pairs = splitter.split(common, target[common], groups[common])
        blocked = set(groups[always].tolist())
    found = []
    for train, validate in pairs:
        held = common[validate]
        if groups is not None:
            held = held[[int(g) not in blocked for g in groups[held]]] if blocked else held
        found.append((np.sort(np.concatenate([common[train], always])), np.sort(held)))
    return [fold for fold in found if len(fold[1])], rare


def _rare(target: Codes, groups: Codes | None, count: int) -> Codes:
    import numpy as np

    if groups is None:
        sizes = np.bincount(target)
    else:
        pairs = np.unique(np.stack([target, groups], axis=1), axis=0)
        sizes = np.bincount(pairs[:, 0], minlength=int(target.max()) + 1)
    return np.flatnonzero(sizes < count)
