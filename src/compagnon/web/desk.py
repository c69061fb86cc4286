"""For those who answer: the queue of conversations handed over, each with what was said, and the answer to write.

One person answers a conversation. Where somebody else was quicker, the page says who, and shows again what was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from compagnon.errors import UserError
from compagnon.i18n import _, format_duration
from compagnon.services.model_api.problem import Refused
from compagnon.services.tutor.handover import desk
from compagnon.services.tutor.handover.contacts import public_contacts
from compagnon.services.tutor.handover.desk import Handover, State
from compagnon.services.tutor.handover.hours import said
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.place import tutor_of
from compagnon.web import paging
from compagnon.web.editions import base_of
from compagnon.web.runs import LIVE_POLICY
from compagnon.web.turns import shown_turn
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

FILTERS: Mapping[str, tuple[State, ...]] = {
    "": desk.OPEN, "waiting": ("waiting",), "taken": ("taken",), "closed": ("closed",),
}  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """Handlers of ``/tutor/handovers``."""

    view: View

    def list(self, request: Request) -> Response:
        self._required()
        solution = self.view.solution
        asked = request.query_params.get("state", "")
        chosen = asked if asked in FILTERS else ""
        counts = desk.count(solution.engine)
        kept = f"state={chosen}&" if chosen else ""
        page = paging.page_of(request, sum(counts[state] for state in FILTERS[chosen]), kept)
        found = desk.list_handovers(
            solution.engine, FILTERS[chosen], limit=paging.SIZE, offset=page.first, latest=chosen == "closed"
        )
        now = solution.clock.now()
        values = {
            "handovers": found,
            "chosen": chosen,
            "filters": [(name, filter_word(name), sum(counts[state] for state in FILTERS[name])) for name in FILTERS],
            "page": page,
            "reason_word": reason_word,
            "state_word": state_word,
            "waited": {each.id: ago(each.at, now) for each in found if each.state == "waiting"},
            "names": self.view.names({name for each in found for name in (each.taken_by, each.closed_by) if name}),
            "me": visitor_of(request).identity.author,
            "noted": request.query_params.get("noted"),
        }
        return self.view.page(request, "handovers.html", values)

    def show(self, request: Request) -> Response:
        return self._one(request, self._find(request))

    def news(self, request: Request) -> Response:
        """A mark that changes when there is something new to show."""
        return JSONResponse({"mark": desk.mark(self.view.solution.engine, self._find(request))})

    def take(self, request: Request, form: dict[str, str]) -> Response:
        """Take one that waits, or one over from somebody; what was written already is shown again, to be sent."""
        found, text = self._find(request), form.get("text", "")
        try:
            taken = desk.take(self._engine, found.id, self._me(request), self._now(), over=form.get("over", ""))
        except UserError as error:
            return self._lost(request, error, text)
        if text.strip():
            return self._one(request, taken, text=text)
        return _to(found.id)

    def answer(self, request: Request, form: dict[str, str]) -> Response:
        """Write to the owner of the conversation, and close it where the button says so."""
        found, text = self._find(request), form.get("text", "")
        spared, closing = public_contacts(self.view.solution.spec), form.get("then") == "close"
        if not text.strip():
            return self._one(request, found, error=_("Write the answer first."), status=422)
        try:
            if closing:
                desk.close(self._engine, found.id, self._me(request), self._now(), answer=text, spared=spared)
                return RedirectResponse("/tutor/handovers?noted=closed", 303)
            message = desk.answer(self._engine, found.id, self._me(request), text, self._now(), spared=spared)
        except UserError as error:
            return self._lost(request, error, text)
        return _to(found.id, "sent", f"m-{message.id}")

    def release(self, request: Request, form: dict[str, str]) -> Response:
        """Give it back to the queue."""
        found = self._find(request)
        try:
            desk.release(self._engine, found.id, self._me(request))
        except UserError as error:
            return self._lost(request, error, form.get("text", ""))
        return RedirectResponse("/tutor/handovers?noted=released", 303)

    def close(self, request: Request, form: dict[str, str]) -> Response:
        """Close it without another answer."""
        found = self._find(request)
        try:
            desk.close(self._engine, found.id, self._me(request), self._now())
        except UserError as error:
            return self._lost(request, error, form.get("text", ""))
        return RedirectResponse("/tutor/handovers?noted=closed", 303)

    def _lost(self, request: Request, error: UserError, text: str) -> Response:
        """Somebody else was quicker, or the answer cannot be kept: say so, and show what was written."""
        found = self._find(request)
        by = found.taken_by or ""
        what = {
            "handover.taken": _("{name} has taken this conversation meanwhile; nothing was sent.").format(
                name=self.view.names({by})[by]
            ),
            "handover.closed": _("This conversation was closed meanwhile; nothing was sent."),
        }.get(error.code, error.problems[0].what)
        return self._one(request, found, error=what, text=text, status=409)

    def _one(
        self, request: Request, found: Handover, *, error: str | None = None, text: str = "", status: int = 200
    ) -> Response:  # fmt: skip
        engine, base, me = self._engine, self._base(), self._me(request)
        turns, messages = desk.turns_of(engine, found.id), desk.messages_of(engine, found.id)
        names = {name for name in (found.taken_by, found.closed_by, *(each.by for each in messages)) if name}
        thread: list[tuple[datetime, str, Any]] = [
            *((turn.at, "turn", shown_turn(turn, base, None)) for turn in turns),
            *((message.at, "message", message) for message in messages),
        ]
        settings = tutor_of(self.view.solution.spec).handover
        values = {
            "handover": found,
            "thread": [(kind, one) for _at, kind, one in sorted(thread, key=lambda each: each[0])],
            "kind": "over" if found.state == "closed" else _whose(found, me),
            "me": me,
            "names": self.view.names(names),
            "mark": desk.mark(engine, found),
            "reason_word": reason_word,
            "state_word": state_word,
            "contact": said(settings.contact) if settings else "",
            "written": text or request.state.draft.get("text", ""),
            "found": bool(request.state.draft.get("text")),
            "longest": desk.LONGEST_ANSWER,
            "error": error,
            "noted": request.query_params.get("noted"),
            "waited": ago(found.at, self._now()),
        }
        headers = {"content-security-policy": LIVE_POLICY}
        return self.view.page(request, "handover.html", values, status=status, headers=headers)

    def _find(self, request: Request) -> Handover:
        self._required()
        text = request.path_params["number"]
        try:
            return desk.find(self._engine, int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0)
        except UserError as unknown:
            raise Refused(404, unknown.code, unknown.problems[0].what) from None

    def _required(self) -> None:
        if not self.view.hands_over:
            raise Refused(404, "handover.none", _("Nobody takes conversations over in this solution."))

    def _base(self) -> Base | None:
        try:
            return base_of(self.view.solution)
        except UserError:
            return None  # citations then show their quote alone

    @property
    def _engine(self) -> Any:
        return self.view.solution.engine

    def _now(self) -> datetime:
        return self.view.solution.clock.now()

    def _me(self, request: Request) -> str:
        return visitor_of(request).identity.author


def filter_word(name: str) -> str:
    """A filter of the queue in words."""
    return {"": _("Open"), "waiting": _("Waiting"), "taken": _("Taken"), "closed": _("Closed")}[name]


def state_word(state: str) -> str:
    """A state of a handover in words."""
    return {"waiting": _("waiting"), "taken": _("taken"), "closed": _("closed")}[state]


def reason_word(reason: str) -> str:
    """Why a conversation was handed over, in words."""
    return {"asked": _("a person was asked for"), "refused": _("no answer"), "unsure": _("not sure")}[reason]


def ago(at: datetime, now: datetime) -> str:
    """How long ago: to the minute, then to the hour, then to the day."""
    seconds = max(0.0, (now - at).total_seconds())
    days, minutes = int(seconds // 86_400), int(seconds // 60) * 60
    if days:
        return _("{days} d {hours} h").format(days=days, hours=int(seconds % 86_400 // 3600))
    return format_duration(minutes) if minutes else _("less than a minute")


def _whose(found: Handover, me: str) -> str:
    if found.state == "waiting":
        return "waiting"
    return "mine" if found.taken_by == me else "other"


def _to(number: int, noted: str = "", place: str = "") -> Response:
    query = f"?noted={noted}" if noted else ""
    return RedirectResponse(f"/tutor/handovers/{number}{query}{f'#{place}' if place else ''}", 303)
