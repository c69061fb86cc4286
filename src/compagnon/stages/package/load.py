"""A sealed model, read back: every byte checked, then predictions, reasons and validation of rows."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from compagnon.chain import digest as digest_of
from compagnon.errors import UserError
from compagnon.features.inputs import Input, feeds_of_rows
from compagnon.features.text import FOLD_VERSION, fold_text
from compagnon.i18n import _
from compagnon.stages.package.session import session_of
from compagnon.stages.package.shortcut import FILE
from compagnon.stages.package.shortcut.run import Matrix
from compagnon.stages.package.validate import Fault, check

if TYPE_CHECKING:
    import numpy as np

    from compagnon.features.inputs import Feeds
    from compagnon.stages.package.shortcut.run import Shortcut

_log = logging.getLogger(__name__)

PACKAGE_VERSION = 1
BLOCK = 128
"""Rows given to the graph at once: features of text are dense inside it."""
MOST_TERMS = 64
"""Words of one text, or columns, of which the effect is measured."""
_WORD = re.compile(r"\w+(?:['’\-]\w+)*")

PathOf = Callable[[str], Path] | Mapping[str, Path]


@dataclass(frozen=True)
class Prediction:
    """What the model answers for one row; ``probabilities`` are in the order of the labels."""

    label: str
    confidence: float
    decide: Literal["model", "person"]
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class LoadedPackage:
    """A model ready to predict. One thread; safe to share between threads."""

    name: str
    labels: tuple[str, ...]
    inputs: tuple[Input, ...]
    task: str
    person_below: float
    limits: Mapping[str, int]
    document: Mapping[str, Any] = field(repr=False)
    """package.json."""
    session: Any = field(repr=False)
    shortcut: Shortcut | None = field(repr=False, default=None)
    """What answers in the place of the graph, where it answers the same and sooner."""
    takes: tuple[str, ...] = field(init=False, repr=False, default=())
    """The graph's own inputs: those that training left unused are not among them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "takes", tuple(i.name for i in self.session.get_inputs()))

    def probabilities(self, feeds: Feeds) -> np.ndarray[Any, Any]:
        """Probabilities of shape (rows, labels), float32, for arrays as ``compagnon.features.inputs`` makes them."""
        import numpy as np

        wanted = self.takes
        rows = len(next(iter(feeds.values())))
        if not rows:
            return np.empty((0, len(self.labels)), dtype=np.float32)
        if self.shortcut is not None:
            answer = self.shortcut.probabilities
            if rows <= BLOCK:
                return answer(feeds)
            starts = range(0, rows, BLOCK)
            return np.concatenate([answer({n: v[s : s + BLOCK] for n, v in feeds.items()}) for s in starts])
        if rows <= BLOCK:
            only: np.ndarray[Any, Any] = self.session.run(["probabilities"], {name: feeds[name] for name in wanted})[0]
            return only
        found: list[Any] = []
        for start in range(0, rows, BLOCK):
            block = {name: feeds[name][start : start + BLOCK] for name in wanted}
            found.append(self.session.run(["probabilities"], block)[0])
        merged: np.ndarray[Any, Any] = np.concatenate(found)
        return merged

    @property
    def of_matrix(self) -> Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]] | None:
        """What computes on float32 numbers of shape (rows, inputs), in their order; None where nothing does."""
        shortcut = self.shortcut
        if not isinstance(shortcut, Matrix) or shortcut.strings or set(shortcut.widths) != {1}:
            return None
        return shortcut.of_matrix if shortcut.names == tuple(one.name for one in self.inputs) else None

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[Prediction]:
        """One prediction per row, for rows that ``validate`` found good."""
        if not rows:
            return []
        return [self._prediction(values) for values in self.probabilities(feeds_of_rows(self.inputs, rows))]

    def _prediction(self, values: np.ndarray[Any, Any]) -> Prediction:
        best = int(values.argmax())
        confidence = float(values[best])
        decide: Literal["model", "person"] = "person" if confidence < self.person_below else "model"
        return Prediction(self.labels[best], confidence, decide, tuple(values.tolist()))

    def validate(self, rows: Sequence[Any]) -> list[Fault]:
        """What is wrong in ``rows``, each fault with its row and field; empty when all can be predicted."""
        return check(self.inputs, rows, longest=self.limits["text"], text_needed=self.task == "text-classification")

    def explain(self, row: Mapping[str, Any], k: int = 5) -> list[dict[str, Any]]:
        """The ``k`` terms with most effect on the predicted label's probability, by occlusion.

        Each word is left out (each column set to its typical value) in turn; the effect is what the probability
        loses by that: positive speaks for the label. At most 64 terms are tried. Source: Zeiler and Fergus 2014.
        """
        terms, variants = self._occlusions(row)
        if not terms:
            return []
        found = self.probabilities(feeds_of_rows(self.inputs, [row, *variants]))
        best = int(found[0].argmax())
        effects = found[0, best] - found[1:, best]
        order = sorted(range(len(terms)), key=lambda index: (-abs(float(effects[index])), index))
        return [{"term": terms[i], "effect": round(float(effects[i]), 6)} for i in order[:k]]

    def _occlusions(self, row: Mapping[str, Any]) -> tuple[list[str], list[dict[str, Any]]]:
        if self.task != "text-classification":
            fields = self.inputs[:MOST_TERMS]
            return [f.name for f in fields], [{**row, f.name: f.typical} for f in fields]
        name = self.inputs[0].name
        text = str(row[name])
        spans: dict[str, list[re.Match[str]]] = {}
        for match in _WORD.finditer(text):
            spans.setdefault(fold_text(match[0]), []).append(match)
        chosen = list(spans.values())[:MOST_TERMS]
        variants = [{**row, name: _without(text, matches)} for matches in chosen]
        return [matches[0][0] for matches in chosen], variants


def load_package(path_of: PathOf, digests: Mapping[str, str]) -> LoadedPackage:
    """Read a package whose files ``path_of`` finds by name and whose SHA-256 are ``digests``.

    Every byte is compared first. Raises UserError: ``package.altered``, ``package.incomplete``, ``package.newer``.
    """
    find = path_of if callable(path_of) else path_of.__getitem__
    for name in ("model.onnx", "package.json"):
        if name not in digests:
            raise UserError(
                "package.incomplete",
                _("The package has no {file}.").format(file=name),
                next=_("Package the model again: `compagnon run --to package`."),
            )
    content: dict[str, bytes] = {}
    for name, digest in digests.items():
        data = _bytes(find, name)
        if digest_of.of_bytes(data) != digest:
            raise _altered(name)
        content[name] = data
    document = json.loads(content["package.json"])
    _check_version(document)
    for name, digest in document["digests"].items():
        if name in digests and digests[name] != digest:
            raise _altered(name)
    package = LoadedPackage(
        document["name"],
        tuple(document["labels"]),
        tuple(Input.of(value) for value in document["input"]["fields"]),
        document["task"],
        document["decide"]["person_below"],
        document["input"]["limits"],
        document,
        session_of(content["model.onnx"]),
    )
    return replace(package, shortcut=_shortcut(content.get(FILE), package))


def _shortcut(data: bytes | None, package: LoadedPackage) -> Shortcut | None:
    """The shortcut of a sealed file, where it answers as the graph does and sooner, here and now."""
    if data is None:
        return None
    from compagnon.stages.package.shortcut import choose
    from compagnon.stages.package.shortcut.file import read

    found = read(data)
    if found is None:
        return None
    shortcut, rows = found
    if not choose.is_equal(package.probabilities(rows), shortcut.probabilities(rows)):
        _log.warning(
            "package of %s: its shortcut does not answer as its graph does here; it is not taken", package.name
        )
        return None
    return shortcut if choose.is_sooner(package.probabilities, shortcut.probabilities, rows) else None


def _bytes(find: Callable[[str], Path], name: str) -> bytes:
    try:
        return find(name).read_bytes()
    except (OSError, KeyError) as error:
        raise _altered(name) from error


def _altered(name: str) -> UserError:
    return UserError(
        "package.altered",
        _("{file} of the package is missing or is not what was sealed.").format(file=name),
        next=_("Do not use it. Package the model again, or restore it from a backup."),
    )


def _check_version(document: Any) -> None:
    version = document.get("version") if isinstance(document, dict) else None
    fold = document.get("fold") if isinstance(document, dict) else None
    if version != PACKAGE_VERSION or fold != FOLD_VERSION:
        raise UserError(
            "package.newer",
            _("The package is of version {found}; this Compagnon reads version {known}.").format(
                found=f"{version} (fold {fold})", known=f"{PACKAGE_VERSION} (fold {FOLD_VERSION})"
            ),
            next=_("Update Compagnon, or package the model again."),
        )


def _without(text: str, matches: Sequence[re.Match[str]]) -> str:
    parts, end = [], 0
    for match in matches:
        parts.append(text[end : match.start()])
        end = match.end()
    return "".join([*parts, text[end:]])


__all__ = ["Fault", "LoadedPackage", "Prediction", "load_package"]
