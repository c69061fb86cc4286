"""What an answer is made from: passages, the part that each plays, and what of it is shown without a model."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from compagnon.providers import port
from compagnon.services.tutor.answer.clean import suspect, titled, visible
from compagnon.services.tutor.answer.events import Mode
from compagnon.services.tutor.answer.sentences import sentences
from compagnon.services.tutor.answer.support import terms
from compagnon.services.tutor.knowledge.model import Difficulty, Subtopic
from compagnon.services.tutor.passages import Passage, passages
from compagnon.services.tutor.search.index import Hit

POINTS: dict[Difficulty, int] = {"beginner": 3, "intermediate": 4, "advanced": 5}
"""Points of an answer without a model."""
ALIKE = 0.75
"""Share of the best score from which a second subtopic is part of the answer."""
MOST = 12
"""Passages that a model reads."""
OWN_LEVEL = 1.1
"""What a subtopic of the learner's level gains."""

_LEANS = re.compile(
    r"(?:cette?|ces|il|elle|ils|elles|celui|celle|ceux|cela|ça|on|le résultat|l['’]autre|la première|le premier|la "
    r"seconde|le second|"
    r"le reste|puis|ensuite|enfin|mais|donc|ainsi|alors|sinon|dans ce cas|par exemple|this|these|it|they|then|so|"
    r"but)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Chosen:
    """A span of a passage and its part in the answer; ``number`` is how the answer cites the passage."""

    passage: Passage
    part: str
    start: int
    """In the text of the passage, as ``end``."""
    end: int
    number: int

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]


@dataclass(frozen=True)
class Choice:
    """What one answer is made from."""

    passages: tuple[Passage, ...]
    """Those that may be cited: the first is cited as 1."""
    shown: tuple[Chosen, ...]
    codes: dict[str, str]
    """Code of examples, by the id of their passage."""
    subtopics: tuple[Subtopic, ...]
    unread: frozenset[str] = frozenset()
    """Ids of subtopics that nobody reviewed: imported ones, whose sentences are looked at with suspicion."""

    def title(self, passage: Passage) -> str:
        """The title of a passage as it may be shown."""
        return titled(passage.title, passage.subtopic) if passage.subtopic in self.unread else passage.title

    def for_model(self) -> tuple[port.Passage, ...]:
        """Passages as a model reads them, without what would give it orders."""
        found = []
        for number, passage in enumerate(self.passages, 1):
            text = harmless(passage, self.unread)
            if text:
                title, heading = self.title(passage), passage.heading
                heading = titled(heading, "") if passage.subtopic in self.unread else heading
                found.append(port.Passage(str(number), f"{title} : {heading}" if heading else title, text))
        return tuple(found)

    def for_extract(self) -> tuple[port.Passage, ...]:
        """Spans as ``extract`` arranges them."""
        return tuple(
            port.Passage(
                str(chosen.number),
                chosen.passage.heading if chosen.part == "mistake" else self.title(chosen.passage),
                chosen.text,
                chosen.part,
                self.codes.get(chosen.passage.id, "") if chosen.part == "example" else "",
            )
            for chosen in self.shown
        )


def harmless(passage: Passage, unread: Collection[str]) -> str:
    """The text of ``passage``; without the sentences that are suspect where nobody reviewed it."""
    text = visible(passage.text)
    if passage.subtopic not in unread:
        return text
    return " ".join(text[start:end] for start, end in sentences(text) if not suspect(text[start:end]))


def choose(hits: Sequence[Hit], asked: str, level: Difficulty, mode: Mode) -> Choice:
    """What to answer ``asked`` from, for a learner of ``level``; ``hits`` is not empty."""
    ranked = sorted(hits, key=lambda hit: -hit.score * (OWN_LEVEL if hit.subtopic.difficulty == level else 1.0))
    main = ranked[0]
    wanted = terms(asked)
    unread = frozenset(hit.subtopic.id for hit in hits if hit.subtopic.reviewed is None)
    taking = _Taking(wanted, unread)
    content = [p for p in passages(main.subtopic) if p.part == "content"]
    taking.add(taking.definition(main, content), "definition")
    count = POINTS[level]
    if mode == "hints":
        taking.spans(content[1:], "hint", 2)
        taking.mistakes(main.subtopic, 1)
    else:
        second = [hit for hit in ranked[1:3] if hit.score >= ALIKE * main.score]
        taking.spans(content, "point", count - (1 if second else 0))
        for hit in second[:1]:
            own = [p for p in passages(hit.subtopic) if p.part == "content"]
            taking.spans(own, "point", 1)
        taking.example(main, level)
        if level != "advanced":
            taking.mistakes(main.subtopic, 1)
    for hit in ranked[1:4]:
        taking.further(hit)
    for passage in content:  # a model reads the main subtopic whole
        taking.known(passage)
    for hit in ranked[:4]:
        for passage in hit.passages:
            taking.known(passage)
    about = tuple(hit.subtopic for hit in ranked[:5])
    return Choice(tuple(taking.order), tuple(taking.shown), _codes(ranked), about, unread)


def choose_entry(hits: Sequence[Hit]) -> Choice:
    """What to answer from where the best of ``hits`` is an entry of a FAQ: its whole answer, and its neighbors."""
    unread = frozenset(hit.subtopic.id for hit in hits if hit.subtopic.reviewed is None)
    taking = _Taking(frozenset(), unread)
    for passage in passages(hits[0].subtopic):
        taking.whole(passage, "answer")
    for hit in hits[1:4]:
        taking.further(hit)
    for hit in hits[:4]:
        for passage in hit.passages:
            taking.known(passage)
    return Choice(tuple(taking.order), tuple(taking.shown), {}, tuple(hit.subtopic for hit in hits[:5]), unread)


class _Taking:
    """Passages gathered with their numbers, no span twice."""

    def __init__(self, wanted: frozenset[str], unread: frozenset[str]) -> None:
        self.wanted, self.unread = wanted, unread
        self.order: list[Passage] = []
        self.shown: list[Chosen] = []

    def known(self, passage: Passage) -> int:
        """The number of a passage; 0 where there are enough."""
        for number, other in enumerate(self.order, 1):
            if other.id == passage.id:
                return number
        if len(self.order) >= MOST:
            return 0
        self.order.append(passage)
        return len(self.order)

    def add(self, found: tuple[Passage, int, int] | None, part: str) -> None:
        if found is None:
            return
        passage, start, end = found
        number = self.known(passage)
        if number:
            self.shown.append(Chosen(passage, part, start, end, number))

    def whole(self, passage: Passage, part: str) -> None:
        """The passage; without its sentences that are orders, where nobody reviewed it."""
        if self.free(passage):
            self.add((passage, 0, len(passage.text)), part)
            return
        for start, end in sentences(passage.text):
            if not suspect(passage.text[start:end]):
                self.add((passage, start, end), part)

    def spans(self, content: Sequence[Passage], part: str, count: int) -> None:
        """The spans that speak most of what is asked, in reading order."""
        taken = {(c.passage.id, at) for c in self.shown for at in range(c.start, c.end)}
        free = [
            (passage, start, end)
            for passage in content
            for start, end in self.alone(passage)
            if (passage.id, start) not in taken and (passage.id, end - 1) not in taken
        ]
        by_worth = sorted(
            range(len(free)),
            key=lambda i: (-len(self.wanted & terms(free[i][0].text[free[i][1] : free[i][2]])), i),
        )
        for place in sorted(by_worth[:count]):
            self.add(free[place], part)

    def example(self, hit: Hit, level: Difficulty) -> None:
        """The example that speaks most of what is asked."""
        own = [p for p in passages(hit.subtopic) if p.part == "example" and self.free(p)]
        if own:
            best = max(own, key=lambda p: (len(self.wanted & terms(f"{p.heading} {p.text}")), -p.number))
            self.add((best, 0, len(best.text)), "example")

    def mistakes(self, subtopic: Subtopic, count: int) -> None:
        own = [
            p for p in passages(subtopic) if p.part == "misconception" and self.free(p) and self.may_head(p, p.heading)
        ]
        own.sort(key=lambda p: (-len(self.wanted & terms(f"{p.heading} {p.text}")), p.number))
        for passage in own[:count]:
            self.add((passage, 0, len(passage.text)), "mistake")

    def further(self, hit: Hit) -> None:
        first = next((p for p in passages(hit.subtopic) if p.part == "content" and self.free(p)), None)
        if first is not None and self.may_head(first, first.title):
            start, end = sentences(first.text)[0]
            self.add((first, start, end), "further")

    def definition(self, hit: Hit, content: Sequence[Passage]) -> tuple[Passage, int, int] | None:
        """What the subtopic is about: the word of its glossary that is asked, else its first sentences."""
        for passage in hit.passages[:3]:
            if passage.part == "glossary" and terms(passage.heading) <= self.wanted and self.free(passage):
                return passage, 0, len(passage.text)
        for passage in content:
            for start, end in self.alone(passage):
                return passage, start, end
        return next(((p, 0, len(p.text)) for p in hit.passages if self.free(p)), None)

    def free(self, passage: Passage) -> bool:
        """Whether nothing in a passage is suspect."""
        if passage.subtopic not in self.unread:
            return True
        return not any(suspect(passage.text[start:end]) for start, end in sentences(passage.text))

    def may_head(self, passage: Passage, heading: str) -> bool:
        return passage.subtopic not in self.unread or bool(titled(heading, ""))

    def alone(self, passage: Passage) -> Iterator[tuple[int, int]]:
        """Spans that can be read alone: a sentence with those after it that lean on it, at most three."""
        text, unread = passage.text, passage.subtopic in self.unread
        found: list[list[int]] = []
        size = 0
        for start, end in sentences(text):
            if unread and suspect(text[start:end]):
                continue
            leans = bool(_LEANS.match(text[start:end])) or len(terms(text[start:end])) < 3
            if found and leans and size < 3 and found[-1][1] <= start <= found[-1][1] + 2:
                found[-1][1] = end
                size += 1
            elif not leans or not found:
                found.append([start, end])
                size = 1
        yield from ((start, end) for start, end in found)


def _codes(hits: Sequence[Hit]) -> dict[str, str]:
    examples = (
        (p, hit.subtopic.examples[p.number]) for hit in hits for p in passages(hit.subtopic) if p.part == "example"
    )
    return {passage.id: example.code for passage, example in examples if example.code}
