"""Playing: a prompt asked through the tutor, as a learner would, with the ceilings and checks of every answer."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.operate.usage.gateway import Exchange, Gateway
from compagnon.operate.usage.opening import gateway
from compagnon.operate.usage.record import Receipt
from compagnon.providers.extract import KIND as EXTRACT
from compagnon.providers.opening import declared
from compagnon.providers.port import Piece, Request
from compagnon.services.tutor.answer.events import Done, Line, Reply
from compagnon.services.tutor.answer.opening import default_provider, open_tutor
from compagnon.services.tutor.answer.tutor import Question, Tutor
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.place import knowledge_folder, tutor_of
from compagnon.services.tutor.prompts import scores
from compagnon.services.tutor.prompts.measure import Heard, measure
from compagnon.services.tutor.prompts.questions import Asked, QuestionSet
from compagnon.services.tutor.prompts.variant import Variant

if TYPE_CHECKING:
    from compagnon.solution import Solution

FAILURES = 3
"""Failures of the service in a row after which a play stops."""
LASTING = frozenset({"provider.ceiling", "provider.no-price", "provider.unauthorized", "provider.forbidden"})
"""Failures that the next question would meet too."""


@dataclass(frozen=True)
class Conditions:
    """Under what answers can be compared: questions, knowledge base, service, model and its settings."""

    questions: QuestionSet
    provider: str
    model: str
    digest: str


class Stage:
    """A tutor and a service, on which prompts are played one after the other. Use as a context manager."""

    def __init__(self, solution: Solution, provider: str | None = None, *, base: Base | None = None) -> None:
        """Raises UserError: no tutor, an unknown provider, ``prompt.no-model`` where none is asked, no key."""
        name = provider or default_provider(solution)
        if declared(solution.spec.providers, name).kind == EXTRACT:
            raise no_model()
        self.solution = solution
        self.gateway: Gateway = gateway(solution, name)
        self._base = base

    @cached_property
    def base(self) -> Base:
        """What the tutor knows."""
        solution = self.solution
        return self._base or load(
            knowledge_folder(solution.root, solution.spec), shown=tutor_of(solution.spec).knowledge
        )

    @cached_property
    def tutor(self) -> Tutor:
        """Opened when the first question is asked: comparing needs no index."""
        return open_tutor(self.solution, EXTRACT)

    def conditions(self, questions: QuestionSet) -> Conditions:
        base, options, service = self.base, self.gateway.options, self.gateway.provider
        files = [path for each in (base, *base.translations.values()) for path in sorted(each.folder.glob("*.json"))]
        told = {
            "questions": questions.digest,
            "base": [hashlib.sha256(path.read_bytes()).hexdigest() for path in files],
            "provider": [service.name, service.model, options.temperature, options.max_tokens, options.seed],
        }
        digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
        return Conditions(questions, service.name, service.model, digest)

    async def hear(self, variant: Variant, asked: Asked, person: str | None = None) -> Heard:
        """One answer by ``variant``; a remembered one would cost and take nothing, and is not taken."""
        listener = _Listener(self.gateway, person)
        service = self.gateway.provider.name
        tutor: Tutor = replace(
            self.tutor, prompt=variant.prompt, provider=service, ask_service=listener.ask, give_back=None
        )
        question = Question(asked.question, level=asked.level, language=asked.language, person=person)
        lines: list[Line] = []
        reply: Reply | None = None
        started = time.perf_counter()
        async with contextlib.aclosing(tutor.ask(question)) as events:
            async for event in events:
                if isinstance(event, Line) and listener.writing:
                    lines.append(event)
                if isinstance(event, Done):
                    reply = event.reply
        assert reply is not None, "an answer ends with Done"
        seconds = time.perf_counter() - started
        return Heard("".join(listener.texts), tuple(lines), reply, seconds, listener.model, listener.failure)

    async def close(self) -> None:
        await self.gateway.provider.close()


def no_model() -> UserError:
    return UserError(
        "prompt.no-model",
        _("`extract` asks no model: it puts passages in order, and a prompt changes nothing of its answers."),
        next=_("Name a service with --provider, or declare one: compagnon provider add mistral"),
    )


@dataclass(frozen=True)
class Step:
    """A question that was played."""

    done: int
    count: int
    question: str
    failed: str = ""


def hear_all(stage: Stage, variants: Sequence[Variant], asked: Asked, person: str | None = None) -> list[Heard]:
    """The answers of several prompts to one question."""

    async def go() -> list[Heard]:
        try:
            return [await stage.hear(variant, asked, person) for variant in variants]
        finally:
            await stage.close()

    return asyncio.run(go())


def play(
    stage: Stage,
    variant: Variant,
    conditions: Conditions,
    *,
    person: str | None = None,
    again: bool = False,
    on_step: Callable[[Step], None] = lambda step: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> bool:
    """Play the questions that were not yet, each kept as soon as it is answered; whether all are.

    Raises UserError where the service does not answer; what was played stays, and the next play goes on from there.
    """
    engine, clock = stage.solution.engine, stage.solution.clock
    scores.keep_variant(engine, variant, clock.now())
    if again:
        scores.forget(engine, variant.digest, conditions.digest)
    known = {answer.number for answer in scores.answers(engine, variant.digest, conditions.digest)}
    base, desk = stage.base, stage.tutor.desk
    count = len(conditions.questions)

    async def go() -> None:
        failed = 0
        try:
            for number, asked in enumerate(conditions.questions.asked, 1):
                if number in known:
                    continue
                if is_cancelled():
                    return
                heard = await stage.hear(variant, asked, person)
                if heard.failure is not None:
                    failed += 1
                    if heard.failure.code in LASTING or failed == FAILURES:
                        raise heard.failure
                    on_step(Step(len(known), count, asked.question, heard.failure.problems[0].what))
                    continue
                failed = 0
                answer = scores.Answer(
                    number, asked.question, clock.now(), heard.raw, heard.model or conditions.model,
                    measure(asked, heard, base, desk=desk),
                )  # fmt: skip
                scores.keep(engine, variant.digest, conditions, answer)
                known.add(number)
                on_step(Step(len(known), count, asked.question))
        finally:
            await stage.close()

    asyncio.run(go())
    return len(known) == count


class _Listener:
    """Asks the service and keeps what it writes, before anything is checked."""

    def __init__(self, through: Gateway, person: str | None) -> None:
        self._through, self._person = through, person
        self.texts: list[str] = []
        self.writing = False
        """Whether lines that come now are those of the model."""
        self.failure: UserError | None = None
        self.model = ""

    def ask(self, request: Request, _question: Question) -> _Heard:
        return _Heard(self, self._through.ask(request, person=self._person, again=False))


class _Heard:
    """An exchange whose pieces are heard on their way."""

    def __init__(self, listener: _Listener, exchange: Exchange) -> None:
        self._listener, self._exchange = listener, exchange

    @property
    def receipt(self) -> Receipt | None:
        return self._exchange.receipt

    @receipt.setter
    def receipt(self, value: Receipt | None) -> None:
        self._exchange.receipt = value

    async def __aiter__(self) -> AsyncIterator[Piece]:
        listener = self._listener
        listener.writing = True
        try:
            async for piece in self._exchange:
                listener.texts.append(piece.text)
                yield piece
        except UserError as error:
            listener.failure = error
            raise

    async def aclose(self) -> None:
        self._listener.writing = False
        await self._exchange.aclose()
        if self._exchange.receipt is not None:
            self._listener.model = self._exchange.receipt.model
