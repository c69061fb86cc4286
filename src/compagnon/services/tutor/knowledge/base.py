"""The knowledge base as it is read: topics, subtopics, neighbors and words of the trade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.tutor.knowledge.model import Language, Subtopic, Term, Topic
from compagnon.spec.finding import nearest


@dataclass(frozen=True)
class Entry:
    """A word of the trade with the subtopic that defines it."""

    term: Term
    subtopic: Subtopic


@dataclass(frozen=True)
class Neighbors:
    """What one reads around a subtopic: before and after it in its topic, what it needs, what needs it."""

    previous: Subtopic | None
    following: Subtopic | None
    needs: tuple[Subtopic, ...]
    leads_to: tuple[Subtopic, ...]


@dataclass(frozen=True, eq=False)
class Base:
    """A whole knowledge base: its topics by name, in the order of their files, and the folder that holds them.

    ``translations`` are the same subtopics in other languages, each a base of its own; they may be incomplete.
    """

    folder: Path
    topics: Mapping[str, Topic]
    translations: Mapping[str, Base] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Subtopic]:
        """Every subtopic, topic by topic, in teaching order."""
        for topic in self.topics.values():
            yield from topic.subtopics

    def __len__(self) -> int:
        return len(self.by_id)

    @property
    def language(self) -> Language:
        """The language of its texts."""
        return next(iter(self.topics.values())).language

    def spoken(self, language: str) -> Base:
        """The base in ``language``; itself where it is not translated."""
        return self.translations.get(language, self)

    @cached_property
    def by_id(self) -> Mapping[str, Subtopic]:
        """Subtopics by id."""
        return {subtopic.id: subtopic for subtopic in self}

    @cached_property
    def is_faq(self) -> bool:
        """Whether the whole base is questions and answers: a support desk's, not a course."""
        return all(topic.kind == "faq" for topic in self.topics.values())

    def topic(self, name: str) -> Topic:
        """The topic ``name``; raises UserError ``knowledge.unknown-topic``."""
        if name in self.topics:
            return self.topics[name]
        what = _("There is no topic `{name}` in the knowledge base.").format(name=name)
        raise UserError("knowledge.unknown-topic", what, next=nearest(name, self.topics))

    def subtopic(self, subtopic_id: str) -> Subtopic:
        """The subtopic with this id; raises UserError ``knowledge.unknown-subtopic``."""
        if subtopic_id in self.by_id:
            return self.by_id[subtopic_id]
        what = _("There is no subtopic `{name}` in the knowledge base.").format(name=subtopic_id)
        raise UserError("knowledge.unknown-subtopic", what, next=nearest(subtopic_id, self.by_id))

    def neighbors(self, subtopic_id: str) -> Neighbors:
        """What one reads around a subtopic; raises UserError for an unknown id."""
        subtopic = self.subtopic(subtopic_id)
        row = self.topics[subtopic.topic].subtopics
        place = row.index(subtopic)
        return Neighbors(
            row[place - 1] if place else None,
            row[place + 1] if place + 1 < len(row) else None,
            tuple(self.by_id[needed] for needed in subtopic.prerequisites if needed in self.by_id),
            tuple(other for other in self if subtopic_id in other.prerequisites),
        )

    @cached_property
    def glossary(self) -> tuple[Entry, ...]:
        """Words of the trade in alphabetical order, accents and case aside."""
        from compagnon.features.text import fold_text

        entries = [Entry(term, subtopic) for subtopic in self for term in subtopic.glossary]
        return tuple(sorted(entries, key=lambda entry: (fold_text(entry.term.term), entry.subtopic.id)))

    def diagram(self, subtopic_id: str) -> Path | None:
        """The SVG file of a subtopic, inside the folder of the base; None if it has none or the file is not there."""
        drawing = self.subtopic(subtopic_id).diagram
        if drawing is None:
            return None
        path = (self.folder / drawing.file).resolve()
        inside = path.is_relative_to(self.folder.resolve())
        return path if inside and path.suffix == ".svg" and path.is_file() else None
