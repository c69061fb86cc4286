"""Passages ranked by meaning: their vectors, kept by content, against the vector of a question."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from compagnon.chain.workspace import write_atomically
from compagnon.privacy.veil import Veil
from compagnon.providers.embedder import Embedder, Vectors
from compagnon.services.tutor.passages import Passage
from compagnon.services.tutor.search.bm25 import Scores


class Meaning:
    """The vectors of passages, computed once for each text and model."""

    def __init__(self, passages: Sequence[Passage], embedder: Embedder, stores: Sequence[Path] = ()) -> None:
        """``stores`` are files of vectors, read in this order; what is new is added to the last. Raises UserError."""
        self._embedder = embedder
        if not embedder.outside:
            embedder.questions(["?"])  # loads the model: an altered file is refused here, not passed over at a question
        self._vectors = vectors_of([text_of(passage) for passage in passages], embedder, stores)

    @property
    def identity(self) -> str:
        """The model that makes the vectors."""
        return self._embedder.identity

    def vector(self, text: str) -> Vectors:
        """The vector of a question. Raises UserError where the embedder does not answer."""
        asked = Veil().hide(text) if self._embedder.outside else text
        vector: Vectors = self._embedder.questions([asked])[0]
        return vector

    def scores(self, question: Vectors) -> Scores:
        """How near each passage is to the vector of a question, from -1 to 1."""
        return np.asarray(self._vectors @ question, dtype=np.float64)


def text_of(passage: Passage) -> str:
    """What is embedded of a passage: its text after the titles that say what it is about."""
    return ". ".join(part for part in (passage.title, passage.heading, passage.text) if part)


def vectors_of(texts: Sequence[str], embedder: Embedder, stores: Sequence[Path] = ()) -> Vectors:
    """The vectors of ``texts``; only those that no store holds are asked of the embedder, and all kept in the last."""
    known: dict[str, Vectors] = {}
    for store in stores:
        known.update(read(store))
    names = [_name(text) for text in texts]
    missing = {name: text for name, text in zip(names, texts, strict=True) if name not in known}
    if missing:
        made = embedder.passages(list(missing.values()))
        known.update(zip(missing, made.astype(np.float16), strict=True))
        if stores:
            write(stores[-1], {name: known[name] for name in names})
    return np.stack([known[name] for name in names]).astype(np.float32) if names else np.zeros((0, 0), np.float32)


def read(path: Path) -> dict[str, Vectors]:
    """Vectors by the name of their text; none where the file is absent or damaged: they are computed again."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            names, vectors = stored["names"], stored["vectors"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    if vectors.ndim != 2 or len(names) != len(vectors) or not np.isfinite(vectors).all():
        return {}
    return {str(name): vector for name, vector in zip(names, vectors, strict=True)}


def write(path: Path, vectors: dict[str, Vectors]) -> None:
    """Write vectors in a fixed order, in half precision: the order of passages does not change by it."""
    names = sorted(vectors)
    content = io.BytesIO()
    np.savez_compressed(content, names=np.array(names), vectors=np.stack([vectors[name] for name in names]))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue())


def _name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
