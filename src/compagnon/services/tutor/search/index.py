"""The index of a knowledge base: ask it in words, it answers with subtopics and the passages to cite."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compagnon.errors import UserError
from compagnon.providers.embedder import Vectors
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.model import Difficulty, Subtopic
from compagnon.services.tutor.passages import Passage, passages
from compagnon.services.tutor.search.bm25 import Bm25, Scores
from compagnon.services.tutor.search.fragments import ByFragments
from compagnon.services.tutor.search.fusion import Weight, fused
from compagnon.services.tutor.search.meaning import Meaning
from compagnon.services.tutor.search.vocabulary import Asked, Vocabulary
from compagnon.services.tutor.search.words import Word, words

ENOUGH, ENOUGH_OF_BOTH, ENOUGH_WORDED = 0.22, 0.52, 0.65
"""Coverage under which nothing is found; coverage and similarity added, where there is an embedder; the same in a
course that says how people ask (``asked``), where some wording is always near.

The first two were calibrated on half of ``questions.jsonl``, the third on the examples of the template's
``scope.jsonl``: nearly every question about the base passes (199 of 200), about 4 of 10 about another world do not.
Whether to answer is decided with more evidence than this.
"""
BY_PASSAGE = 1.5
"""What the best passage of a subtopic adds to the score of its words."""
BY_FRAGMENTS, BY_MEANING, BY_TOPIC = 0.5, 1.0, 1.5
"""What these rankings count for, beside words (1)."""
BY_QUESTION = {"faq": 4.0, "course": 1.5}
"""What the nearest question that an entry or a subtopic is asked by counts for, beside words: the first was chosen on
the even lines of ``cnil_reworded.jsonl``, the second on those of ``questions.jsonl``."""
UNLIKELY = 0.03
"""Probability of a topic that the model says nothing for."""
AROUND = 10
"""Texts of the base that are looked at around a question."""
SHOWN = 5
"""Passages of a subtopic that a hit brings."""

Likely = Callable[[str], Mapping[str, float]]
"""The probability of each topic for a question, as the chain's own model tells it."""
Written = list[tuple[float, list[Word]]]
"""The words of a document by what they count for."""

WEIGHTS = {"title": 4.0, "term": 2.0, "asked": 2.0, "heading": 1.5, "content": 1.0, "text": 0.7, "code": 0.2}
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
class Nearness:
    """How near a question is, in meaning, to what the base holds."""

    vector: Vectors
    passage: float
    """To the nearest passage, at most 1."""
    question: float
    """To the nearest wording of a question; 0 where the base has none."""
    around: float
    """To the nearest ``AROUND`` of both, on average."""


@dataclass(frozen=True)
class Found:
    """What a search found: hits, how much of the question the best one covers, and how the words were understood."""

    hits: tuple[Hit, ...]
    similarity: float | None
    """How near the nearest passage is in meaning, at most 1; None where there is no embedder, or it did not answer."""
    coverage: float
    """Between 0 and 1: share of what is asked that the best subtopic speaks of."""
    asked: Asked
    strength: float = 0.0
    """Score of the words of the best subtopic, before rankings are brought together."""
    fragments: float = 0.0
    """Score of the fragments of words of the best subtopic."""
    lead: tuple[float, float] = (0.0, 0.0)
    """Score of the best subtopic, and how far it is ahead of the fifth, the model of topics apart."""
    nearness: Nearness | None = None
    """What the embedder saw; None where there is none, or it did not answer."""


class Index:
    """A knowledge base ready to be searched; building it takes about a second for a few hundred subtopics."""

    def __init__(
        self,
        base: Base,
        *,
        meaning: Callable[[Sequence[Passage]], Meaning] | None = None,
        likely: Likely | None = None,
        other: Callable[[Base], Index] | None = None,
    ) -> None:
        """``meaning`` makes the vectors of the passages; without it, words and their fragments rank alone.

        ``likely`` tells the probability of each topic for a question, and moves its subtopics up. ``other`` makes the
        index of a translation.
        """
        self.base, self._likely, self._other = base, likely, other
        self._others: dict[str, Index] = {}
        self._making = threading.Lock()
        self._subtopics = tuple(base)
        self._groups: list[range] = []
        found: list[Passage] = []
        for subtopic in self._subtopics:
            start = len(found)
            found += passages(subtopic)
            self._groups.append(range(start, len(found)))
        self.passages = tuple(found)
        self._questions = tuple(_questions(base))
        documents = [_written(subtopic) for subtopic in self._subtopics]
        self._by_subtopic = Bm25(_terms(document) for document in documents)
        self._by_passage = Bm25(_terms(_written_passage(passage)) for passage in self.passages)
        self._by_fragments = ByFragments(documents)
        self._vocabulary = Vocabulary((word for document in documents for _w, row in document for word in row), base)
        self._meaning = meaning([*self.passages, *self._questions]) if meaning else None
        kinds = [base.topics[subtopic.topic].kind for subtopic in self._subtopics]
        self._by_question = np.array([BY_QUESTION[kind] for kind in kinds])
        worded = not base.is_faq and sum(bool(subtopic.asked) for subtopic in base) > len(base) / 2
        self._enough = ENOUGH_WORDED if worded else ENOUGH_OF_BOTH
        places = {subtopic.id: place for place, subtopic in enumerate(self._subtopics)}
        self._owners = np.array([places[each.subtopic] for each in (*self.passages, *self._questions)], dtype=np.intp)
        """Place of the subtopic of each passage, then of each question."""
        self._reviewed = np.array([subtopic.reviewed is not None for subtopic in self._subtopics], dtype=bool)
        self._topics = np.array([subtopic.topic for subtopic in self._subtopics])
        self._levels = np.array([subtopic.difficulty for subtopic in self._subtopics])

    def spoken(self, language: str) -> Index:
        """The index of the base in ``language``, made at the first question in it; itself without a translation."""
        translated = self.base.translations.get(language)
        if translated is None or self._other is None:
            return self
        with self._making:
            if language not in self._others:
                self._others[language] = self._other(translated)
            return self._others[language]

    def search(
        self,
        text: str,
        *,
        count: int = 10,
        topic: str | None = None,
        level: Difficulty | None = None,
    ) -> list[Hit]:
        """The subtopics that answer ``text``, best first; none where the base does not speak of it. See ``find``."""
        return list(self.find(text, count=count, topic=topic, level=level).hits)

    def find(
        self,
        text: str,
        *,
        count: int = 10,
        topic: str | None = None,
        level: Difficulty | None = None,
        reviewed: bool = False,
    ) -> Found:
        """At most ``count`` hits for ``text``, and how much of it they cover.

        ``topic``, ``level`` and ``reviewed`` leave out other subtopics, as if they were not there. Raises UserError for
        an unknown topic.
        """
        asked, allowed = self._vocabulary.asked(text), self._allowed(topic, level, reviewed)
        coverage = self._coverage(asked, allowed)
        vector = self._vector(text) if asked.surfaces else None
        near = self._meaning.scores(vector) if self._meaning and vector is not None else None
        by_meaning = None if near is None else near[: len(self.passages)]
        by_question = None if near is None else self._best_question(near[len(self.passages) :])
        nearness = self._nearness(vector, near[allowed[self._owners]], allowed) if near is not None else None
        similarity = max(nearness.passage, nearness.question) if nearness else None
        enough = coverage >= ENOUGH if similarity is None else coverage + similarity >= self._enough
        if not enough:
            return Found((), similarity, coverage, asked, nearness=nearness)
        by_word = self._by_passage.scores(asked.weights)
        scores = self._scores(asked, by_word, by_meaning, by_question)
        scores[~allowed] = 0.0
        first = np.sort(scores)[::-1][:5]
        likely = self._likely(text) if self._likely else {}
        if likely:
            chances = np.array([likely.get(str(topic), 0.0) for topic in self._topics])
            scores[allowed] += BY_TOPIC * np.log1p(chances[allowed] / UNLIKELY)
        ranked = fused([(1.0, by_word), (BY_MEANING, by_meaning)]) if by_meaning is not None else by_word
        order = [int(place) for place in np.argsort(-scores, kind="stable")[:count] if scores[place] > 0]
        hits = tuple(self._hit(place, float(scores[place]), ranked) for place in order)
        strength = float(self._by_subtopic.scores(asked.weights).max(initial=0.0))
        fragments = float(self._by_fragments.scores(asked.surfaces).max(initial=0.0))
        lead = float(first[0]), float(first[0] - first[-1])
        return Found(hits, similarity, coverage, asked, strength, fragments, lead, nearness)

    def _allowed(self, topic: str | None, level: Difficulty | None, reviewed: bool) -> NDArray[np.bool_]:
        allowed = np.ones(len(self._subtopics), dtype=bool)
        if topic is not None:
            self.base.topic(topic)
            allowed &= self._topics == topic
        if level is not None:
            allowed &= self._levels == level
        return allowed & self._reviewed if reviewed else allowed

    def _nearness(self, vector: Vectors | None, near: Scores, allowed: NDArray[np.bool_]) -> Nearness | None:
        """``near``: of the passages, then of the questions, of the subtopics that are ``allowed``."""
        if vector is None or not near.size:
            return None
        count = int(allowed[self._owners[: len(self.passages)]].sum())
        around = float(np.sort(near)[::-1][:AROUND].mean())
        return Nearness(vector, float(near[:count].max()), float(near[count:].max(initial=0.0)), around)

    def _best_question(self, near: Scores) -> Scores:
        """For each subtopic, how near its nearest question is; 0 where it has none."""
        best = dict.fromkeys((subtopic.id for subtopic in self._subtopics), 0.0)
        for question, score in zip(self._questions, near, strict=True):
            best[question.subtopic] = max(best[question.subtopic], float(score))
        return np.array([best[subtopic.id] for subtopic in self._subtopics], dtype=np.float64)

    @property
    def embedder(self) -> str | None:
        """The model that makes the vectors, if there is one."""
        return self._meaning.identity if self._meaning else None

    def _vector(self, text: str) -> Vectors | None:
        """The vector of a question; None without an embedder that answers."""
        try:
            return self._meaning.vector(text) if self._meaning else None
        except UserError:  # an outside service that fails must not stop an answer
            return None

    def _scores(self, asked: Asked, by_word: Scores, by_meaning: Scores | None, by_question: Scores | None) -> Scores:
        """How well each subtopic answers, by words, their fragments and meaning."""
        by_subtopic = self._by_subtopic.scores(asked.weights) + BY_PASSAGE * self._best(by_word)
        rankings: list[tuple[Weight, Scores]] = [
            (1.0, by_subtopic),
            (BY_FRAGMENTS, self._by_fragments.scores(asked.surfaces)),
        ]
        if by_meaning is not None:
            rankings.append((BY_MEANING, self._best(by_meaning)))
        if by_question is not None:
            rankings.append((self._by_question, by_question))
        return fused(rankings)

    def _best(self, by_passage: Scores) -> Scores:
        """For each subtopic, the score of its best passage."""
        best = [by_passage[group.start : group.stop].max() for group in self._groups]
        return np.array(best, dtype=np.float64)

    def _coverage(self, asked: Asked, allowed: np.ndarray) -> float:
        known = sum(weight * self._by_subtopic.idf.get(term, 0.0) for term, weight in asked.weights.items())
        total = known + len(asked.unknown) * self._by_subtopic.rarest
        covered = self._by_subtopic.covered(asked.weights)[allowed]
        return float(covered.max(initial=0.0) / total) if total else 0.0

    def _hit(self, place: int, score: float, ranked: Scores) -> Hit:
        group = self._groups[place]
        order = sorted(group, key=lambda number: (-ranked[number], number))
        kept = [number for number in order if ranked[number] > 0][:SHOWN] or order[:1]
        return Hit(self._subtopics[place], round(score, 4), tuple(self.passages[number] for number in kept))


def embedded(base: Base) -> list[Passage]:
    """All that has a vector in the index of ``base``: its passages, then its questions."""
    return [*(passage for subtopic in base for passage in passages(subtopic)), *_questions(base)]


def _questions(base: Base) -> Iterator[Passage]:
    """The questions by which people ask, as the embedder reads them, never cited; a title of a FAQ is one too."""
    for subtopic in base:
        titles = (subtopic.title,) if base.topics[subtopic.topic].kind == "faq" else ()
        for asked in (*titles, *subtopic.asked):
            yield Passage(subtopic.id, "content", 0, 0, 0, "", asked, "", subtopic.difficulty)


def _terms(written: Written) -> list[tuple[float, list[str]]]:
    return [(weight, [word.term for word in row]) for weight, row in written]


def _written(subtopic: Subtopic) -> Written:
    """The words of a subtopic by what they count for."""
    found = [
        ("title", subtopic.title),
        ("title", subtopic.id.replace(".", " ")),
        ("content", subtopic.content),
    ]
    found += [("asked", question) for question in subtopic.asked]
    for example in subtopic.examples:
        found += [("heading", example.title), ("text", example.text), ("code", example.code or "")]
    for each in subtopic.misconceptions:
        found += [("heading", each.belief), ("text", each.answer)]
    for term in subtopic.glossary:
        found += [("term", term.term), ("text", term.definition)]
    return [(WEIGHTS[where], words(text)) for where, text in found]


def _written_passage(passage: Passage) -> Written:
    return [(1.0, words(passage.text)), (WEIGHTS["heading"], words(passage.heading)), (0.5, words(passage.title))]
