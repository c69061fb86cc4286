"""The tutor: a question in, checked lines with their citations out.

>>> async for event in tutor.ask(Question("C'est quoi le dropout ?")): ...
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from compagnon.errors import UserError
from compagnon.i18n import use
from compagnon.operate.usage.record import Receipt
from compagnon.privacy.veil import Veil
from compagnon.providers.extract import KIND as EXTRACT
from compagnon.providers.extract import lines as arranged
from compagnon.providers.port import Passage, Piece, Request
from compagnon.services.tutor.answer import words
from compagnon.services.tutor.answer.check import Checker
from compagnon.services.tutor.answer.choose import Choice, choose, choose_entry
from compagnon.services.tutor.answer.clean import titled
from compagnon.services.tutor.answer.events import Began, Cited, Done, Event, How, Line, Mode, Reply, write
from compagnon.services.tutor.answer.exercise import is_exercise, wants_solution
from compagnon.services.tutor.answer.history import Turn, understood
from compagnon.services.tutor.answer.learned import Learned
from compagnon.services.tutor.answer.level import Inferred, by_words
from compagnon.services.tutor.answer.prompt import Prompt, messages
from compagnon.services.tutor.answer.scope import Boundary, Reason, Scope
from compagnon.services.tutor.answer.sentences import Splitter, whole_lines
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.model import Difficulty, Language
from compagnon.services.tutor.search.index import Found, Index
from compagnon.services.tutor.search.language import language_of

_HIDDEN = re.compile(r"\[[A-Z]+_[0-9]+\]")
HITS = 8
"""Subtopics that are looked at."""
LEAST = 2
"""Checked lines under which an answer of a model is not enough."""


class Exchange(Protocol):
    """One question to a service, as ``operate.usage.gateway`` gives it."""

    receipt: Receipt | None

    def __aiter__(self) -> AsyncIterator[Piece]: ...

    async def aclose(self) -> None: ...


Ask = Callable[[Request, "Question"], Exchange]
"""Asks a service; raises UserError where it cannot be asked at all."""


@dataclass(frozen=True)
class Question:
    """What a learner asks, with what is known of them."""

    text: str
    turns: tuple[Turn, ...] = ()
    level: Difficulty | None = None
    """As chosen or remembered; None lets it be inferred."""
    how: How = "chosen"
    """How ``level`` is known, where it is."""
    person: str | None = None
    """Who asks, for ceilings; kept as a pseudonym."""
    names: tuple[str, ...] = ()
    """Names hidden from an outside service."""
    language: str | None = None
    """Of the answer, as chosen; None answers in that of the question."""
    usual: str = ""
    """The language of an answer to a question that does not tell its own; that of the base by default."""


@dataclass
class Tutor:
    """Answers from one index, through one provider; safe for many questions at once."""

    index: Index
    prompt: Prompt
    provider: str = EXTRACT
    ask_service: Ask | None = None
    """None: no service is asked, passages are put in order."""
    infer: Inferred = by_words
    unreviewed: Literal["hold", "quote"] = "hold"
    """Whether what nobody reviewed is kept out of answers, or shown without what is suspect."""
    learned: Learned | None = None
    """What was learned of the questions to answer and to refuse."""
    give_back: Callable[[], Awaitable[None]] | None = None
    """Gives the connections to the service back."""

    _boundaries: dict[Base, Boundary] = field(default_factory=dict, init=False, repr=False)

    async def close(self) -> None:
        """Give back what the tutor holds, in the event loop that used it."""
        if self.give_back is not None:
            await self.give_back()

    @property
    def desk(self) -> bool:
        """Whether it answers from a firm's FAQ, and not from a course."""
        return self.index.base.is_faq

    def language(self, question: Question) -> Language:
        """The language of the answer: as chosen, else that of the question; one that the base has, in any case."""
        base = self.index.base
        usual = base.spoken(question.usual).language
        before = language_of(understood(question.text, question.turns), usual)
        return base.spoken(question.language or language_of(question.text, before)).language

    def boundary(self, base: Base) -> Boundary:
        """What ``base``, or one of its translations, speaks of."""
        if base not in self._boundaries:
            self._boundaries[base] = Boundary(base, self.learned)
        return self._boundaries[base]

    def find(self, text: str, language: Language | None = None) -> tuple[Found, Scope]:
        """What the base says of ``text`` in ``language``, and whether it is a question for the tutor."""
        # An address or a telephone number in a question says nothing of what is asked.
        asked = _HIDDEN.sub(" ", Veil().hide(text))
        index = self.index.spoken(language or self.language(Question(text)))
        boundary, held = self.boundary(index.base), self.unreviewed == "hold"
        found = index.find(asked, count=HITS, reviewed=held)
        scope = boundary.decide(asked, found)
        # Imported texts may lie, or give orders: what nobody reviewed is not answered from, but it is said.
        unread = held and not scope.within and any(subtopic.reviewed is None for subtopic in index.base)
        if unread and boundary.decide(asked, index.find(asked, count=HITS)).within:
            return found, Scope(False, "unreviewed")
        return found, scope

    async def ask(self, question: Question) -> AsyncGenerator[Event, None]:
        """The answer as events, ``Done`` last. Only a cancellation or a bug raises."""
        turns = question.turns
        text = understood(question.text, turns)
        how: How = question.how if question.level else "inferred"
        level = question.level if question.level is not None else await asyncio.to_thread(self.infer, text)
        language = self.language(question)
        found, scope = await asyncio.to_thread(self.find, text, language)
        if not scope.within:
            refused = _Answer(self, question, text, level, how, "refusal", None, language)
            yield refused.began()
            async for event in _in(language, refused.refuse(scope)):
                yield event
            return
        entry = self.index.base.topics[found.hits[0].subtopic.topic].kind == "faq"
        mode = "answer" if entry else _mode(question.text, turns)
        if entry:
            choice = choose_entry(found.hits)
        else:
            choice = await asyncio.to_thread(choose, found.hits, text, level, mode)
        answer = _Answer(self, question, text, level, how, mode, choice, language, sure=scope.sure)
        yield answer.began()
        stream = _in(language, answer.run())
        async with contextlib.aclosing(stream):
            async for event in stream:
                yield event

    async def reply(self, question: Question) -> Reply:
        """The whole answer."""
        async with contextlib.aclosing(self.ask(question)) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event.reply
        raise AssertionError("an answer ends with Done")


def _mode(text: str, turns: Sequence[Turn]) -> Mode:
    """Hints for an exercise; the solution once the learner has had them and asks for it."""
    hinted = bool(turns) and turns[-1].mode == "hints"
    if hinted and wants_solution(text):
        return "solution"
    return "hints" if is_exercise(text) or (hinted and len(text.split()) < 4) else "answer"


async def _in(language: Language, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """``events``, made while ``language`` is spoken: headings, notes and the words for a failure are in it."""
    async with contextlib.aclosing(events):
        while True:
            # Set for each step: what is set in a generator would else hold for whoever reads it.
            with use(language):
                try:
                    event = await anext(events)
                except StopAsyncIteration:
                    return
            yield event


class _Answer:
    """One answer in the making."""

    def __init__(
        self, tutor: Tutor, question: Question, text: str, level: Difficulty, how: How, mode: Mode,
        choice: Choice | None, language: Language, *, sure: bool = True,
    ) -> None:  # fmt: skip
        self.tutor, self.question, self.text = tutor, question, text
        self.level, self.how, self.mode, self.sure = level, how, mode, sure
        self.choice, self.language = choice or Choice((), (), {}, ()), language
        self.system = tutor.prompt.system(level, mode, language, desk=tutor.desk)
        self.checker = Checker(self.choice, self.system, language)
        self.writer = EXTRACT
        self.receipt: Receipt | None = None
        self.failure: str | None = None

    def began(self) -> Began:
        asked = self.tutor.provider if self.tutor.ask_service and self.mode != "refusal" else EXTRACT
        return Began(self.level, self.how, asked, self.mode)

    async def refuse(self, scope: Scope) -> AsyncGenerator[Event, None]:
        titles = [s.title if s.reviewed else titled(s.title, s.id) for s in (hit.subtopic for hit in scope.near)]
        near = tuple(hit.subtopic.id for hit in scope.near)
        if not titles:
            base = self.tutor.index.base.spoken(self.language)
            titles = [topic.title for topic in list(base.topics.values())[:6]]
        for event in self.checker.say(Line("note", words.refusal(scope.reason, titles, desk=self.tutor.desk))):
            yield event
        self.sure = False
        yield self._done(refused=True, reason=scope.reason, subtopics=near)

    async def run(self) -> AsyncGenerator[Event, None]:
        """Lines of the service, or of the passages; then what is missing."""
        if self.mode == "hints":
            for said in self.checker.say(Line("note", words.hints_first())):
                yield said
        down: UserError | None = None
        if self.tutor.ask_service is not None:
            self.writer = self.tutor.provider
            try:
                written = self._written()
                async with contextlib.aclosing(written):
                    async for event in written:
                        yield event
            except UserError as error:  # the service failed, a ceiling, no key, an extra that is not installed
                down = error
        for said in self._rest(down):
            yield said
        yield self._done(subtopics=tuple(s.id for s in self.choice.subtopics))

    async def _written(self) -> AsyncGenerator[Event, None]:
        """What a model writes, each sentence checked."""
        assert self.tutor.ask_service is not None
        asked = messages(
            self.tutor.prompt, self.text, self.choice.for_model(), self.question.turns, self.level, self.mode,
            self.language, desk=self.tutor.desk,
        )  # fmt: skip
        exchange = self.tutor.ask_service(Request(asked, passages=self.choice.for_model()), self.question)
        splitter = Splitter()
        try:
            async for piece in exchange:
                for draft in [*splitter.feed(piece.text), *(splitter.end() if piece.finish else ())]:
                    for event in self.checker.take(draft):
                        yield event
        finally:
            await exchange.aclose()
            self.receipt = exchange.receipt

    def _rest(self, down: UserError | None) -> Iterator[Cited | Line]:
        """After the service: passages in order where it said too little, an example where it gave none, doubts."""
        kinds = [line.kind for line in self.checker.lines if line.citations]
        asked = self.tutor.ask_service is not None
        enough = asked and down is None and len(kinds) >= (1 if self.tutor.desk else LEAST)
        if down is not None:
            self.failure, self.writer = down.code, EXTRACT
            note = words.fell_back(down.problems[0].what)
        elif asked and not enough:
            self.writer = EXTRACT
            note = words.fell_back(words.not_checked(desk=self.tutor.desk))
        else:
            note = words.written_without_model()
        if not enough:
            yield from self.checker.say(Line("note", note))
            yield from self._arranged(self.choice.for_extract())
        elif self.mode != "hints":
            yield from self._arranged(self._missing(kinds))
        if self.checker.dropped and enough:
            self.sure = False
            yield from self.checker.say(Line("note", words.not_checked(desk=self.tutor.desk)))
        elif not self.sure or (asked and not enough and down is None):
            self.sure = False
            yield from self.checker.say(Line("note", words.unsure(desk=self.tutor.desk)))

    def _missing(self, kinds: Sequence[str]) -> tuple[Passage, ...]:
        """Points and an example that the model left out."""
        shown = self.choice.for_extract()
        example_ids = {p.id for p in self.choice.passages if p.part == "example"}
        has_example = any(citation.id in example_ids for citation in self.checker.citations)
        wanted = set() if has_example else {"example"}
        if kinds.count("point") < 2:
            wanted.add("point")
        return tuple(passage for passage in shown if passage.part in wanted)

    def _arranged(self, passages: tuple[Passage, ...]) -> list[Cited | Line]:
        found: list[Cited | Line] = []
        for draft in whole_lines(arranged(passages)):
            found += self.checker.take(draft, verbatim=True)
        return found

    def _done(self, *, refused: bool = False, reason: Reason = "", subtopics: tuple[str, ...] = ()) -> Done:
        lines, receipt = tuple(self.checker.lines), self.receipt
        return Done(
            Reply(
                answer=write(lines),
                citations=tuple(self.checker.citations),
                level=self.level,
                provider=self.writer,
                sure=self.sure,
                refused=refused,
                reason=reason,
                tokens=receipt.usage.total if receipt else 0,
                cost=receipt.cost if receipt else 0.0,
                mode=self.mode,
                how=self.how,
                failure=self.failure,
                dropped=self.checker.dropped,
                question=self.text,
                subtopics=subtopics,
                receipt=receipt.as_dict() if receipt else None,
                language=self.language,
                lines=lines,
            )
        )
