"""Answers in the making: each goes on when its page is left, and is told again to whoever comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from compagnon.access.limits import Limiter
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.model_api.problem import Refused
from compagnon.services.tutor.answer.events import Began, Cited, Done, Event, Line, Reply, write
from compagnon.services.tutor.answer.opening import open_tutor
from compagnon.services.tutor.answer.tutor import Question, Tutor
from compagnon.services.tutor.conversations import store
from compagnon.services.tutor.handover.desk import hand_over
from compagnon.services.tutor.handover.rules import reason_of
from compagnon.services.tutor.knowledge.load import stamp
from compagnon.services.tutor.place import knowledge_folder, tutor_of

if TYPE_CHECKING:
    from compagnon.solution import Solution

MOST = 200
"""Answers in the making at one time."""
MOST_OF_ONE = 3
"""Of one learner."""
PER_MINUTE = 30
"""Questions of one learner."""
WITHOUT_SCRIPT = 100.0
"""Seconds for which a form waits for the whole answer; past them the page shows what there is."""
_log = logging.getLogger(__name__)


@dataclass
class Making:
    """One answer while it is made; ``lines`` grow, ``ended`` comes last."""

    owner: str
    conversation: str
    turn: int
    lines: list[Line] = field(default_factory=list)
    cited: list[Cited] = field(default_factory=list)
    began: Began | None = None
    ended: bool = False
    task: asyncio.Task[None] | None = None
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, event: Event) -> None:
        """Note what happened and wake those who wait."""
        match event:
            case Began():
                self.began = event
            case Cited():
                self.cited.append(event)
            case Line():
                self.lines.append(event)
            case Done():
                pass
        self.wake()

    def wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def moves(self, seconds: float) -> None:
        """Wait until something happens, at most so long."""
        try:
            await asyncio.wait_for(self._moved.wait(), seconds)
        except TimeoutError:
            return

    async def end(self, seconds: float) -> None:
        """Wait until the answer is whole, at most so long. Who waits may leave: the answer goes on."""
        if self.task is not None:
            await asyncio.wait({self.task}, timeout=seconds)

    def so_far(self, question: str) -> Reply:
        """What there is of an answer that was stopped."""
        lines = tuple(self.lines)
        began = self.began or Began("beginner", "inferred", "extract", "answer")
        return Reply(
            answer=write(lines), citations=tuple(cited.citation for cited in self.cited), level=began.level,
            provider=began.provider, sure=False, refused=False, tokens=0, cost=None, mode=began.mode, how=began.how,
            question=question, lines=lines,
        )  # fmt: skip


@dataclass
class Live:
    """The tutor of a server and what it is answering; used in the server's event loop."""

    solution: Solution
    _tutor: Tutor | None = field(default=None, init=False)
    _stamp: tuple[tuple[str, int], ...] = field(default=(), init=False)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _making: dict[int, Making] = field(default_factory=dict, init=False)
    _limiter: Limiter = field(init=False)

    def __post_init__(self) -> None:
        self._limiter = Limiter(self.solution.clock)

    def find(self, turn: int) -> Making | None:
        """The answer of ``turn``, while it is made."""
        return self._making.get(turn)

    async def tutor(self) -> Tutor:
        """The tutor; opened at the first question, and again when the knowledge base has changed. Raises UserError."""
        async with self._opening:
            now = await asyncio.to_thread(stamp, knowledge_folder(self.solution.root, self.solution.spec))
            if self._tutor is None or now != self._stamp:
                # An earlier tutor is not closed: answers in the making may still use its connections.
                self._tutor = await asyncio.to_thread(open_tutor, self.solution)
                self._stamp = now
            return self._tutor

    async def warm(self) -> None:
        """Open the tutor while the question is being written; what is wrong with it is said when it is asked."""
        with contextlib.suppress(UserError):
            await self.tutor()

    def admit(self, owner: str) -> None:
        """Raises Refused 429 where this learner, or everybody, asks too much at once."""
        mine = sum(making.owner == owner for making in self._making.values())
        if mine >= MOST_OF_ONE or len(self._making) >= MOST:
            what = _("The tutor is busy with other questions; ask again in a moment.")
            raise Refused(429, "tutor.busy", what, headers={"retry-after": "5"})
        wait = self._limiter.take(owner, PER_MINUTE)
        if wait:
            what = _("That is a lot of questions in one minute; ask again in a moment.")
            raise Refused(429, "tutor.too-often", what, headers={"retry-after": str(int(wait) + 1)})

    def begin(self, owner: str, conversation: str, turn: int, question: Question) -> Making:
        """Answer ``question`` as the turn ``turn``; it goes on by itself, and is kept when it is whole.

        Where the settings say so, the conversation is then handed over to a person.
        """
        known = self._making.get(turn)
        if known is not None:
            return known
        making = self._making[turn] = Making(owner, conversation, turn)
        making.task = asyncio.create_task(self._make(making, question))
        return making

    async def stop(self, turn: int) -> None:
        """Stop an answer; what there is of it is kept."""
        making = self._making.get(turn)
        if making is not None and making.task is not None:
            making.task.cancel()
            await making.end(10.0)

    async def close(self) -> None:
        """Stop what is being answered and give connections back."""
        for turn in list(self._making):
            await self.stop(turn)
        if self._tutor is not None:
            await self._tutor.close()

    async def _make(self, making: Making, question: Question) -> None:
        reply = None
        try:
            tutor = await self.tutor()
            stream = tutor.ask(question)
            try:
                async for event in stream:
                    making.take(event)
                    if isinstance(event, Done):
                        reply = event.reply
            finally:
                await stream.aclose()
        except asyncio.CancelledError:
            pass  # stopped: what there is is kept below
        except UserError as error:
            _log.warning("the tutor could not answer: %s", error.code)
        finally:
            try:
                await asyncio.shield(asyncio.to_thread(self._keep, making, question, reply))
            finally:
                self._making.pop(making.turn, None)
                making.ended = True
                making.wake()

    def _keep(self, making: Making, question: Question, reply: Reply | None) -> None:
        engine = self.solution.engine
        try:
            if reply is not None:
                store.answer(engine, making.owner, making.turn, reply)
                self._hand_over(making, reply)
            elif making.lines:
                store.answer(engine, making.owner, making.turn, making.so_far(question.text), state="stopped")
            else:
                store.stop(engine, making.owner, making.turn)
        except UserError as error:  # the conversation was deleted meanwhile
            _log.info("an answer was not kept: %s", error.code)

    def _hand_over(self, making: Making, reply: Reply) -> None:
        settings = tutor_of(self.solution.spec).handover
        reason = reason_of(reply, settings) if settings else None
        if reason is not None:
            hand_over(self.solution.engine, making.owner, making.conversation, reason, self.solution.clock.now())
