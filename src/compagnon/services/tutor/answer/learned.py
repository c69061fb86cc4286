"""What was learned from examples of questions to answer and to refuse: weights in a file, read without a library.

A support vector machine with a Gaussian kernel over what the search saw of a question and its vector
(B. Schölkopf and A. Smola, « Learning with Kernels », 2002). ``learning.py`` makes it.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compagnon.providers.embedder import Vectors

FEATURES = (
    "coverage", "unknown", "trade", "strength", "fragments", "similarity", "passage", "question", "around", "first",
    "ahead", "length",
)  # fmt: skip
KINDS = ("course", "out_of_scope", "near", "unanswerable", "uncovered")
"""Kinds of examples: to be answered; of another world; beside the course; of what nobody said; not in the base."""
BESIDE_MEANING = 0.15
"""What a standard deviation of a feature counts for, beside vectors of length 1."""
CLOSE = 6.0
"""How fast an example counts less with its squared distance, where the kind of a refusal is told."""
VERSION = 1


@dataclass(frozen=True)
class Learned:
    """The weights, and what they were made from."""

    version: int
    examples: str
    """SHA-256 of the file of examples."""
    embedder: str
    """Identity of the model whose vectors were used."""
    center: NDArray[np.float64]
    spread: NDArray[np.float64]
    """Mean and standard deviation of each feature."""
    support: NDArray[np.float32]
    """One row for each example that counts: features brought to scale, then its vector."""
    weights: NDArray[np.float64]
    kinds: NDArray[np.int8]
    """Of each of them, its place in ``KINDS``."""
    start: float
    gamma: float
    threshold: float
    """Score from which a question is answered."""
    sure: float
    """Score from which the answer is sure to be to the point."""

    def row(self, features: Mapping[str, float], vector: Vectors) -> NDArray[np.float32]:
        """What is compared with the examples."""
        seen = np.array([features[name] for name in FEATURES])
        return np.concatenate([BESIDE_MEANING * (seen - self.center) / self.spread, vector]).astype(np.float32)

    def score(self, row: NDArray[np.float32]) -> float:
        """How much a question is one to answer."""
        return float(self._kernel(row) @ self.weights + self.start)

    def kind(self, row: NDArray[np.float32]) -> str:
        """The kind of the refused examples around; ``near`` where no kind is most of them."""
        around = np.where(self.kinds > 0, np.exp(-CLOSE * self._apart(row)), 0.0)
        shares = np.bincount(self.kinds, weights=around, minlength=len(KINDS)) / (around.sum() or 1.0)
        return KINDS[int(shares.argmax())] if shares.max() > 0.5 else "near"

    def _kernel(self, row: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(np.exp(-self.gamma * self._apart(row)))

    def _apart(self, row: NDArray[np.float32]) -> NDArray[np.float64]:
        """The squared distance to each example that counts."""
        return np.asarray(((self.support - row) ** 2).sum(axis=1, dtype=np.float64))


def place_of(examples: Path) -> Path:
    """Where what was learned from the file ``examples`` is kept."""
    return examples.with_suffix(".npz")


def digest_of(examples: Path) -> str:
    """SHA-256 of a file of examples; empty where it cannot be read."""
    try:
        return hashlib.sha256(examples.read_bytes()).hexdigest()
    except OSError:
        return ""


def read_learned(examples: Path, embedder: str | None) -> Learned | None:
    """What was learned from ``examples`` with the vectors of ``embedder``; None where it is to be learned (again)."""
    values: dict[str, Any] = {}
    try:
        with place_of(examples).open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            for field in fields(Learned):
                array = stored[field.name]
                values[field.name] = array.item() if array.ndim == 0 else array
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    values["support"] = values["support"].astype(np.float32)
    learned = Learned(**values)
    right = learned.version == VERSION and learned.embedder == embedder and learned.center.size == len(FEATURES)
    return learned if right and learned.examples == digest_of(examples) else None


def as_file(learned: Learned) -> bytes:
    """The file of what was learned; vectors in half precision."""
    values = {field.name: getattr(learned, field.name) for field in fields(Learned)}
    content = io.BytesIO()
    np.savez_compressed(content, **{**values, "support": learned.support.astype(np.float16)})
    return content.getvalue()
