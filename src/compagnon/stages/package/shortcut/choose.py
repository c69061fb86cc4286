"""Whether a shortcut may stand for its graph: equal on rows of the sample, and sooner, where it is to run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from compagnon.features.inputs import Feeds

EQUAL = 1e-6
ROUNDS = 9
MANY = 16

Compute = Callable[["Feeds"], "np.ndarray[Any, Any]"]


def is_equal(expected: np.ndarray[Any, Any], found: np.ndarray[Any, Any]) -> bool:
    """Whether probabilities differ by 1e-6 at most, and no label does (unless its two best are as close as that)."""
    import numpy as np

    if expected.shape != found.shape or not np.isfinite(found).all():
        return False
    if np.abs(expected.astype(np.float64) - found).max(initial=0.0) > EQUAL:
        return False
    ordered = np.sort(expected, axis=1)
    decided = ordered[:, -1] - ordered[:, -2] > EQUAL if expected.shape[1] > 1 else np.ones(len(expected), bool)
    return not ((expected.argmax(axis=1) != found.argmax(axis=1)) & decided).any()


def is_sooner(graph: Compute, shortcut: Compute, rows: Feeds) -> bool:
    """Whether the shortcut takes less time for one row, and no more for several; the best of a few rounds counts."""
    one = {name: values[:1] for name, values in rows.items()}
    many = {name: values[:MANY] for name, values in rows.items()}
    return _seconds(shortcut, one) < _seconds(graph, one) and _seconds(shortcut, many) <= 1.1 * _seconds(graph, many)


def _seconds(compute: Compute, feeds: Feeds) -> float:
    best = float("inf")
    for _round in range(ROUNDS):
        began = time.perf_counter()
        compute(feeds)
        best = min(best, time.perf_counter() - began)
    return best
