"""The index of a knowledge base: ask it in words, it answers with subtopics and the passages to cite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.model import Difficulty, Subtopic
from compagnon.services.tutor.passages import Passage, passages
from compagnon.services.tutor.search.bm25 import Bm25, Field, Scores
from compagnon.services.tutor.search.vocabulary import Asked, Vocabulary, names_of
from compagnon.services.tutor.search.words import words

ENOUGH = 0.3
"""Share of what is asked (by rarity of its words) that the best subtopic must speak of; under it, nothing is found."""
BY_PASSAGE = 0.5
"""What the best passage of a subtopic adds to the score of the whole subtopic."""
SHOWN = 5
"""Passages of a subtopic that a hit brings."""

WEIGHTS = {"title": 4.0, "term": 2.0, "heading": 1.5, "content": 1.0, "text": 0.7, "code": 0.2}
"""What a word counts for, by where it stands."""


@dataclass(frozen=True)
class Hit:
    """A subtopic that answers, with its passages that speak of what is asked, the best first (one at least)."""

    subtopic: Subtopic
    score: float
    passages: tuple[Passage, ...]

    @property
    def quote(self) -> str:
        """The text of the best passage."""
        return self.passages[0].text


@dataclass(frozen=True)
class Found:
    """What a search found: hits, how much of the question the best one covers, and how the words were understood."""

    hits: tuple[Hit, ...]
    coverage: float
    """Between 0 and 1: share of what is asked that the best subtopic speaks of."""
    asked: Asked


@dataclass(eq=False)
class Index:
    """A knowledge base ready to be searched; building it takes well under a second for a few hundred subtopics."""

    base: Base
    passages: tuple[Passage, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._subtopics = tuple(self.base)
        self._groups: list[range] = []
        found: list[Passage] = []
        for subtopic in self._subtopics:
            start = len(found)
            found += passages(subtopic)
            self._groups.append(range(start, len(found)))
        self.passages = tuple(found)
        self._by_subtopic = Bm25(_fields(subtopic) for subtopic in self._subtopics)
        self._by_passage = Bm25(_passage_fields(passage) for passage in self.passages)
        self._vocabulary = Vocabulary(_texts(self._subtopics), names_of(self.base))
        self._topics = np.array([subtopic.topic for subtopic in self._subtopics])
        self._levels = np.array([subtopic.difficulty for subtopic in self._subtopics])

    def search(
        self,
        text: str,
        *,
        count: int = 10,
        topic: str | None = None,
        level: Difficulty | None = None,
        likely: Mapping[str, float] | None = None,
    ) -> list[Hit]:
        """The subtopics that answer ``text``, best first; none where the base does not speak of it. See ``find``."""
        return list(self.find(text, count=count, topic=topic, level=level, likely=likely).hits)

    def find(
        self,
        text: str,
        *,
        count: int = 10,
        topic: str | None = None,
        level: Difficulty | None = None,
        likely: Mapping[str, float] | None = None,
    ) -> Found:
        """At most ``count`` hits for ``text``, and how much of it they cover.

        ``topic`` and ``level`` leave out other subtopics; ``likely`` is the probability of topics, as the chain's own
        model gives it, and moves theirs up. Raises UserError for an unknown topic.
        """
        if topic is not None:
            self.base.topic(topic)
        asked = self._vocabulary.asked(text)
        allowed = np.ones(len(self._subtopics), dtype=bool)
        if topic is not None:
            allowed &= self._topics == topic
        if level is not None:
            allowed &= self._levels == level
        by_passage = self._by_passage.scores(asked.weights)
        scores = self._scores(asked, by_passage)
        scores[~allowed] = 0.0
        coverage = self._coverage(asked, allowed)
        if coverage < ENOUGH:
            return Found((), coverage, asked)
        order = [int(place) for place in np.argsort(-scores, kind="stable")[:count] if scores[place] > 0]
        return Found(tuple(self._hit(place, float(scores[place]), by_passage) for place in order), coverage, asked)

    def _scores(self, asked: Asked, by_passage: Scores) -> Scores:
        best = np.array([by_passage[group.start : group.stop].max(initial=0.0) for group in self._groups])
        return np.asarray(self._by_subtopic.scores(asked.weights) + BY_PASSAGE * best)

    def _coverage(self, asked: Asked, allowed: np.ndarray) -> float:
        known = sum(weight * self._by_subtopic.idf.get(term, 0.0) for term, weight in asked.weights.items())
        total = known + len(asked.unknown) * self._by_subtopic.rarest
        covered = self._by_subtopic.covered(asked.weights)[allowed]
        return float(covered.max(initial=0.0) / total) if total else 0.0

    def _hit(self, place: int, score: float, by_passage: Scores) -> Hit:
        group = self._groups[place]
        order = sorted(group, key=lambda number: (-by_passage[number], number))
        kept = [number for number in order if by_passage[number] > 0][:SHOWN] or order[:1]
        return Hit(self._subtopics[place], round(score, 4), tuple(self.passages[number] for number in kept))


def _terms(text: str) -> list[str]:
    return [word.term for word in words(text)]


def _fields(subtopic: Subtopic) -> list[Field]:
    """The texts of a subtopic by what their words count for."""
    found: list[Field] = [
        (WEIGHTS["title"], _terms(subtopic.title)),
        (WEIGHTS["title"], _terms(subtopic.id.replace(".", " "))),
        (WEIGHTS["content"], _terms(subtopic.content)),
    ]
    for example in subtopic.examples:
        found += [(WEIGHTS["heading"], _terms(example.title)), (WEIGHTS["text"], _terms(example.text))]
        found += [(WEIGHTS["code"], _terms(example.code or ""))]
    for each in subtopic.misconceptions:
        found += [(WEIGHTS["heading"], _terms(each.belief)), (WEIGHTS["text"], _terms(each.answer))]
    for term in subtopic.glossary:
        found += [(WEIGHTS["term"], _terms(term.term)), (WEIGHTS["text"], _terms(term.definition))]
    return found


def _passage_fields(passage: Passage) -> list[Field]:
    return [
        (1.0, _terms(passage.text)),
        (WEIGHTS["heading"], _terms(passage.heading)),
        (0.5, _terms(passage.title)),
    ]


def _texts(subtopics: tuple[Subtopic, ...]) -> list[str]:
    """Every text of ``subtopics``, for the words that they know."""
    found: list[str] = []
    for subtopic in subtopics:
        found += [subtopic.title, subtopic.id.replace(".", " ")]
        found += [example.code or "" for example in subtopic.examples]
        found += [text for passage in passages(subtopic) for text in (passage.heading, passage.text)]
    return found
