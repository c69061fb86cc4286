"""The search of the tutor as a retriever of LlamaIndex: ``pip install "compagnon[llamaindex]"``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Literal

from compagnon.chain.plugins import missing_extra
from compagnon.services.tutor.knowledge.model import Difficulty
from compagnon.services.tutor.retrievers.found import Search

try:
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
except ImportError as error:
    raise missing_extra("llamaindex", "llama-index-core") from error


class CompagnonRetriever(BaseRetriever):
    """Nodes from the knowledge base of the solution in ``folder``: see ``Search.find`` for the parameters.

    The metadata of a node are id, title, subtopic, level, score, start, end and language.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        k: int = 5,
        level: Difficulty | None = None,
        topic: str | None = None,
        language: Literal["fr", "en"] | None = None,
        **more: Any,
    ) -> None:
        """``more`` goes to LlamaIndex's own class, such as ``callback_manager``."""
        self._search = Search(Path(folder))
        self._k, self._level, self._topic, self._language = k, level, topic, language
        super().__init__(**more)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._search.find(
            query_bundle.query_str, k=self._k, level=self._level, topic=self._topic, language=self._language
        )
        return [NodeWithScore(node=_node(one.text, one.metadata), score=one.score) for one in found]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def _node(text: str, metadata: dict[str, Any]) -> TextNode:
    # Places and scores would be read by the model as text of the course.
    unread = [key for key in metadata if key != "title"]
    return TextNode(
        id_=metadata["id"],
        text=text,
        metadata=metadata,
        excluded_llm_metadata_keys=unread,
        excluded_embed_metadata_keys=unread,
    )
