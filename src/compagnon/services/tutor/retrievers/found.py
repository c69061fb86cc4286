"""What a retriever gives, whichever library asks: passages of a knowledge base, each with where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from compagnon.services.tutor.knowledge.model import Difficulty
from compagnon.services.tutor.place import tutor_of
from compagnon.services.tutor.search.index import Hit, Index
from compagnon.services.tutor.search.language import language_of
from compagnon.services.tutor.search.opening import open_index
from compagnon.solution import Solution


@dataclass(frozen=True)
class Found:
    """One passage; ``text`` is what it says, exactly as in the base."""

    text: str
    score: float
    metadata: dict[str, Any]


@dataclass
class Search:
    """The search of the solution in ``folder``, opened at the first question."""

    folder: Path

    @cached_property
    def _opened(self) -> tuple[Index, bool]:
        """The index, and whether what nobody reviewed is kept out."""
        solution = Solution(self.folder)
        try:
            return open_index(solution), tutor_of(solution.spec).unreviewed == "hold"
        finally:
            solution.close()

    def find(
        self,
        question: str,
        *,
        k: int,
        level: Difficulty | None = None,
        topic: str | None = None,
        language: Literal["fr", "en"] | None = None,
    ) -> list[Found]:
        """The best passage of each of the ``k`` best subtopics, the best first; none where the base says nothing.

        What nobody reviewed is left out, as in answers, unless solution.yaml says ``unreviewed: quote``. Without
        ``language``, that of the question is taken. Raises UserError: no tutor, an unknown topic.
        """
        index, held = self._opened
        spoken = index.spoken(language or language_of(question, index.base.language))
        hits = spoken.find(question, count=k, topic=topic, level=level, reviewed=held).hits
        return [_found(hit, spoken.base.language) for hit in hits]


def _found(hit: Hit, language: str) -> Found:
    passage = hit.passages[0]
    metadata = {
        "id": passage.id,
        "title": passage.title,
        "subtopic": passage.subtopic,
        "level": passage.level,
        "score": hit.score,
        "start": passage.start,
        "end": passage.end,
        "language": language,
    }
    return Found(passage.text, hit.score, metadata)
