"""The owner's side of a conversation with a person: asking for one, reading what they answered, what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from compagnon.i18n import _
from compagnon.services.model_api.problem import Refused
from compagnon.services.tutor.conversations.messages import Message
from compagnon.services.tutor.conversations.store import Conversation, Kept
from compagnon.services.tutor.handover import desk
from compagnon.services.tutor.handover.hours import message
from compagnon.services.tutor.place import tutor_of
from compagnon.web.forms import read_form
from compagnon.web.live import Live
from compagnon.web.own import Own
from compagnon.web.view import View

SHOWN = 20
"""Messages after one question; those before are a link away."""


@dataclass(frozen=True)
class Shown:
    """What the page of a conversation shows of the person."""

    state: str = ""
    """Of the last handover; empty where there is none, or where it is over and the assistant was asked since."""
    offered: bool = False
    """Whether a person may be asked for."""
    message: str = ""
    since: datetime | None = None
    mark: str = ""
    messages: dict[int, list[Message]] = field(default_factory=dict)
    """By the question that they follow."""
    hidden: dict[int, int] = field(default_factory=dict)
    """How many are left out after a question."""


@dataclass(frozen=True)
class Talk:
    """Handlers of what an owner and a person write to each other, on the owner's side."""

    view: View
    live: Live
    own: Own

    async def person(self, request: Request) -> Response:
        """Ask for a person."""
        await read_form(request)
        return await asyncio.to_thread(self._person, request)

    def _person(self, request: Request) -> Response:
        owner = self.own.owner(request)
        found = self.own.find(request, owner)
        if not self.view.hands_over:
            raise Refused(404, "handover.none", _("Nobody takes conversations over in this solution."))
        self.live.admit(owner)
        desk.hand_over(self.view.solution.engine, owner, found.id, "asked", self.view.solution.clock.now())
        return RedirectResponse(f"/tutor/{found.id}#talk", 303)

    def news(self, request: Request) -> Response:
        """A mark that changes when there is something new to show."""
        owner = self.own.owner(request)
        found = self.own.find(request, owner)
        engine = self.view.solution.engine
        return JSONResponse({"mark": desk.mark(engine, desk.of_owner(engine, owner, found.id))})

    def taken(self, owner: str, found: Conversation) -> bool:
        """Whether a person has the conversation."""
        handed = desk.of_owner(self.view.solution.engine, owner, found.id) if self.view.hands_over else None
        return handed is not None and handed.state == "taken"

    def shown(self, request: Request, owner: str, found: Conversation, turns: Sequence[Kept]) -> Shown:
        """What there is of a person in the conversation ``found``."""
        solution = self.view.solution
        written = desk.messages_of_owner(solution.engine, owner, found.id)
        handed = desk.of_owner(solution.engine, owner, found.id)
        by_turn, hidden = placed(turns, written, whole="messages" in request.query_params)
        settings = tutor_of(solution.spec).handover
        is_open = handed is not None and handed.state in desk.OPEN
        state = handed.state if handed is not None else ""
        if handed is not None and handed.closed and turns and turns[-1].at > handed.closed:
            state = ""
        return Shown(
            state,
            offered=settings is not None and not is_open and bool(turns),
            message=message(settings, solution.clock.now(), solution.spec.timezone) if settings and is_open else "",
            since=(handed.taken or handed.at) if handed is not None else None,
            mark=desk.mark(solution.engine, handed) if is_open else "",
            messages=by_turn,
            hidden=hidden,
        )


def placed(
    turns: Sequence[Kept], written: Sequence[Message], *, whole: bool = False
) -> tuple[dict[int, list[Message]], dict[int, int]]:
    """Messages by the turn that they follow, the last ones unless ``whole``; and how many are left out."""
    found: dict[int, list[Message]] = {}
    for one in written:
        before = [turn.id for turn in turns if turn.at <= one.at] or [turn.id for turn in turns[:1]]
        if before:
            found.setdefault(before[-1], []).append(one)
    hidden = {} if whole else {turn: len(said) - SHOWN for turn, said in found.items() if len(said) > SHOWN}
    return {turn: said[hidden.get(turn, 0) :] for turn, said in found.items()}, hidden
