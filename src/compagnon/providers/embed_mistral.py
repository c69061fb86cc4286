"""Vectors from Mistral's API, through its official SDK."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from compagnon.chain.plugins import missing_extra
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.providers.embedder import Vectors, unit
from compagnon.providers.options import Key, Url
from compagnon.spec.model import Duration, EmbedderOptions

BATCH = 32


class MistralEmbedderOptions(EmbedderOptions):
    """Mistral's embeddings, in Europe; needs a key. Passages and questions leave this machine."""

    model: str = Field("mistral-embed", description="Id of the model.")
    key: Key = Field("${secret:MISTRAL_API_KEY}", description="Secret that holds the key; never the key itself.")
    url: Url = Field("https://api.mistral.ai", description="Address of the API.")
    wait: Duration = Field(timedelta(seconds=10), description="Wait for an answer.")


class MistralEmbedder:
    """One account at Mistral."""

    Options: ClassVar[type[EmbedderOptions]] = MistralEmbedderOptions
    extra: ClassVar[str | None] = "mistral"
    outside = True

    def __init__(self, options: MistralEmbedderOptions, root: Path, key: str | None) -> None:
        self.options, self._key = options, key

    @property
    def identity(self) -> str:
        return "mistral-" + "".join(c if c.isalnum() or c in "-." else "-" for c in self.options.model)

    def passages(self, texts: Sequence[str]) -> Vectors:
        parts = [self._batch(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, 0), dtype=np.float32)

    def questions(self, texts: Sequence[str]) -> Vectors:
        return self.passages(texts)

    def _batch(self, texts: Sequence[str]) -> Vectors:
        try:
            answer = self._sdk.embeddings.create(model=self.options.model, inputs=list(texts))
            rows = [each.embedding for each in sorted(answer.data, key=lambda each: each.index or 0)]
            if len(rows) == len(texts) and all(rows):
                return unit(rows)
            reason = _("it answered with other vectors than asked")
        except UserError:
            raise
        except Exception as error:  # the SDK's errors hold the request and the key: only their status is told
            status = getattr(error, "status_code", None)
            reason = f"HTTP {status}" if status else type(error).__name__
        raise UserError(
            "embedder.down",
            _("The embedder {name} gave no vectors: {reason}.").format(name=self.options.model, reason=reason),
            next=_("Try again later; until then, words alone count."),
        )

    @cached_property
    def _sdk(self) -> Any:
        try:
            from mistralai.client import Mistral
        except ModuleNotFoundError as error:
            raise missing_extra("mistral", "mistralai") from error
        milliseconds = int(self.options.wait.total_seconds() * 1000)
        return Mistral(api_key=self._key or "", server_url=self.options.url, timeout_ms=milliseconds)
