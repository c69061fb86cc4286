"""An embedder that the user brings: a folder with an ONNX graph and its tokenizer.json."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, StringConstraints

from compagnon.chain.plugins import missing_extra
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.providers.embedder import Vectors, unit, verify
from compagnon.spec.model import EmbedderOptions

BATCH = 16
GRAPH, TOKENIZER = "model.onnx", "tokenizer.json"
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]


class FolderOptions(EmbedderOptions):
    """A model of your own: `model.onnx` and `tokenizer.json` in a folder of the solution."""

    path: str = Field(description="Folder of the model, from the folder of the solution.")
    model_sha256: Digest = Field(description="SHA-256 of model.onnx, checked when it is loaded.")
    tokenizer_sha256: Digest = Field(description="SHA-256 of tokenizer.json, checked when it is loaded.")
    pooling: Literal["mean", "first"] = Field("mean", description="How the vectors of tokens become one.")
    question: str = Field("", description="What the model wants before a question, such as `query: `.")
    passage: str = Field("", description="What the model wants before a passage, such as `passage: `.")
    tokens: int = Field(512, ge=8, le=8192, description="Tokens of a text that the model reads.")


class FolderEmbedder:
    """Vectors from an ONNX graph that reads input_ids and attention_mask."""

    Options: ClassVar[type[EmbedderOptions]] = FolderOptions
    extra: ClassVar[str | None] = "onnx-embedder"
    outside = False

    def __init__(self, options: FolderOptions, root: Path, key: str | None) -> None:
        self.options, self._folder = options, (root / options.path).resolve()
        if not self._folder.is_relative_to(root.resolve()):
            raise UserError(
                "embedder.outside",
                _("The folder {path} is outside the solution.").format(path=options.path),
                next=_("Copy the model into the solution."),
            )

    @property
    def identity(self) -> str:
        options = self.options
        return f"onnx-{options.model_sha256[:12].lower()}-{options.pooling}-{options.tokens}"

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._vectors([self.options.passage + text for text in texts])

    def questions(self, texts: Sequence[str]) -> Vectors:
        return self._vectors([self.options.question + text for text in texts])

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        parts = [self._batch(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, 0), dtype=np.float32)

    def _batch(self, texts: Sequence[str]) -> Vectors:
        tokenizer, session = self._opened
        encoded = tokenizer.encode_batch(list(texts))
        mask = np.array([each.attention_mask for each in encoded], dtype=np.int64)
        given = {
            "input_ids": np.array([each.ids for each in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        wanted = {each.name for each in session.get_inputs()}
        try:
            states = np.asarray(session.run(None, {name: given[name] for name in given if name in wanted})[0])
        except Exception as error:  # onnxruntime has no common class of its errors
            raise self._unfit() from error
        if states.ndim == 2:
            return unit(states)
        if states.ndim != 3:
            raise self._unfit()
        if self.options.pooling == "first":
            return unit(states[:, 0])
        weights = mask[:, :, None].astype(np.float32)
        return unit((states * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0))

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        """Tokenizer and graph, their files checked."""
        verify(self._folder / GRAPH, self.options.model_sha256)
        verify(self._folder / TOKENIZER, self.options.tokenizer_sha256)
        try:
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise missing_extra("onnx-embedder", "tokenizers") from error
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1  # vectors must not depend on the number of cores
        try:
            tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER))
            session = onnxruntime.InferenceSession(str(self._folder / GRAPH), settings, ["CPUExecutionProvider"])
        except Exception as error:
            raise self._unfit() from error
        tokenizer.enable_truncation(self.options.tokens)
        tokenizer.enable_padding()
        return tokenizer, session

    def _unfit(self) -> UserError:
        return UserError(
            "embedder.unfit",
            _("The model in {path} does not make vectors of texts.").format(path=self.options.path),
            next=_("It must be an ONNX graph that reads input_ids and attention_mask, with its tokenizer.json."),
        )
