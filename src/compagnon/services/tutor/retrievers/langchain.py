"""The search of the tutor as a retriever of LangChain: ``pip install "compagnon[langchain]"``."""

from __future__ import annotations

import asyncio
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from compagnon.chain.plugins import missing_extra
from compagnon.services.tutor.retrievers.found import Search

try:
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
except ImportError as error:
    raise missing_extra("langchain", "langchain-core") from error


class CompagnonRetriever(BaseRetriever):
    """Documents from the knowledge base of the solution in ``folder``: see ``Search.find`` for the parameters.

    The metadata of a document are id, title, subtopic, level, score, start, end and language.
    """

    folder: Path
    k: int = 5
    level: Literal["beginner", "intermediate", "advanced"] | None = None
    topic: str | None = None
    language: Literal["fr", "en"] | None = None

    @cached_property
    def _search(self) -> Search:
        return Search(self.folder)

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        found = self._search.find(query, k=self.k, level=self.level, topic=self.topic, language=self.language)
        return [Document(page_content=one.text, id=one.metadata["id"], metadata=one.metadata) for one in found]

    async def _aget_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return await asyncio.to_thread(self._get_relevant_documents, query, run_manager=run_manager)
