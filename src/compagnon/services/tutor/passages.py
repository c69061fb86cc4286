"""Passages: the pieces of the knowledge base that answers cite, each found again at its exact place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.model import Difficulty, Subtopic

Part = Literal["content", "example", "misconception", "glossary"]

_FIELDS: dict[Part, tuple[str, str]] = {
    "example": ("examples", "text"),
    "misconception": ("misconceptions", "answer"),
    "glossary": ("glossary", "definition"),
}
"""For each part that is a list: its field in a subtopic, and the field of an item that is quoted."""


@dataclass(frozen=True)
class Passage:
    """One piece of a subtopic: a paragraph of its content, an example, a misconception or a word of the glossary.

    ``text`` is ``source[start:end]``, where ``source`` is the field of the subtopic that ``source_of`` gives.
    """

    subtopic: str
    part: Part
    number: int
    """Place among the passages of this part of the subtopic, from 0."""
    start: int
    end: int
    text: str
    title: str
    """Title of the subtopic."""
    heading: str
    """Title of the example, what is wrongly believed, or the word defined; empty for the content."""
    level: Difficulty
    edition: str = ""
    """Language of the translation that it stands in; empty in the base itself."""

    @property
    def id(self) -> str:
        """Name of the passage, which ``resolve`` finds again: ``cnn.convolution/content/0``; ``.../en`` translated."""
        return f"{self.subtopic}/{self.part}/{self.number}" + (f"/{self.edition}" if self.edition else "")

    @property
    def topic(self) -> str:
        """The topic that it belongs to."""
        return self.subtopic.partition(".")[0]


def passages(subtopic: Subtopic) -> Iterator[Passage]:
    """The passages of ``subtopic`` in reading order; together they hold every word of its texts that can be quoted."""
    start = 0
    for number, paragraph in enumerate(subtopic.paragraphs):
        start = subtopic.content.index(paragraph, start)
        yield _passage(subtopic, "content", number, paragraph, "", start)
        start += len(paragraph)
    for number, example in enumerate(subtopic.examples):
        yield _passage(subtopic, "example", number, example.text, example.title)
    for number, misconception in enumerate(subtopic.misconceptions):
        yield _passage(subtopic, "misconception", number, misconception.answer, misconception.belief)
    for number, term in enumerate(subtopic.glossary):
        yield _passage(subtopic, "glossary", number, term.definition, term.term)


def _passage(subtopic: Subtopic, part: Part, number: int, text: str, heading: str, start: int = 0) -> Passage:
    return Passage(
        subtopic.id, part, number, start, start + len(text), text, subtopic.title, heading, subtopic.difficulty,
        subtopic.edition,
    )  # fmt: skip


def edition_of(passage_id: str) -> str:
    """The language of the translation that the passage named ``passage_id`` stands in; empty for the base itself."""
    parts = passage_id.split("/")
    return parts[3] if len(parts) > 3 else ""


def source_of(passage: Passage, base: Base) -> str:
    """The field that ``passage`` was cut from, in ``base`` or in the translation where it stands."""
    subtopic = base.spoken(passage.edition).subtopic(passage.subtopic)
    if passage.part == "content":
        return subtopic.content
    field, inside = _FIELDS[passage.part]
    return str(getattr(getattr(subtopic, field)[passage.number], inside))


def resolve(passage_id: str, base: Base) -> Passage:
    """The passage named ``passage_id``, translated ones included; raises UserError ``knowledge.unknown-passage``."""
    subtopic = base.spoken(edition_of(passage_id)).by_id.get(passage_id.partition("/")[0])
    for passage in passages(subtopic) if subtopic else ():
        if passage.id == passage_id:
            return passage
    what = _("There is no passage `{name}` in the knowledge base.").format(name=passage_id)
    raise UserError("knowledge.unknown-passage", what)
