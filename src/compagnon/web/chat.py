"""The chat: a question in, the answer sentence by sentence, its passages beside it; conversations of one's own.

A question is kept before it is answered, and an answer goes on when its page is left: reload, come back, lose the
connection, and the page shows what there is. Without JavaScript the form waits for the whole answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from compagnon.errors import UserError
from compagnon.i18n import _, current
from compagnon.services.model_api.problem import Refused
from compagnon.services.tutor.answer.events import How, Line
from compagnon.services.tutor.answer.opening import default_provider
from compagnon.services.tutor.answer.tutor import Question
from compagnon.services.tutor.answer.words import notice
from compagnon.services.tutor.conversations import store
from compagnon.services.tutor.conversations.store import Conversation
from compagnon.services.tutor.handover import desk
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.model import DIFFICULTIES, Difficulty
from compagnon.web import paging
from compagnon.web.editions import base_of
from compagnon.web.forms import read_form
from compagnon.web.live import WITHOUT_SCRIPT, Live, Making
from compagnon.web.own import Own, require_tutor
from compagnon.web.runs import LIVE_POLICY, STREAM_SECONDS
from compagnon.web.talk import Talk
from compagnon.web.turns import examples, level_word, shown_turn
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

SHOWN = 2
"""Turns on one page; the others are a link away."""
PERSON = "person"
"""What a form says that is written to a person, not to the assistant."""
HEADERS = {"content-security-policy": LIVE_POLICY}


@dataclass(frozen=True)
class Chat:
    """Handlers of ``/tutor`` and of what stands under it."""

    view: View
    live: Live
    own: Own
    talk: Talk
    _warming: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def home(self, request: Request) -> Response:
        require_tutor(self.view)
        self._warming.add(task := asyncio.create_task(self.live.warm()))
        task.add_done_callback(self._warming.discard)
        return await asyncio.to_thread(self._home, request)

    async def start(self, request: Request) -> Response:
        """Ask the first question of a new conversation."""
        require_tutor(self.view)
        form = await read_form(request)
        owner = self.own.owner(request, make=True)
        text = form.get("example", "").strip() or form.get("question", "").strip()
        if not text:
            return await asyncio.to_thread(self._home, request, _("Write your question first."))
        level, now = _level(form.get("level", "")), self.view.solution.clock.now()
        self.live.admit(owner)
        made = await asyncio.to_thread(store.create, self._engine, owner, now, level=level)
        return await self._ask(request, owner, made, text, "live" in form)

    async def say(self, request: Request) -> Response:
        """Ask another question of a conversation; while a person has taken it, what is written goes to them."""
        require_tutor(self.view)
        form = await read_form(request)
        owner = self.own.owner(request)
        found = await asyncio.to_thread(self.own.find, request, owner)
        text = form.get("question", "").strip()
        if not text:
            return await asyncio.to_thread(self._page, request, owner, found, _("Write your question first."))
        if form.get("to") == PERSON or await asyncio.to_thread(self.talk.taken, owner, found):
            return await asyncio.to_thread(self._write, request, owner, found, text)
        level = _level(form.get("level", ""))
        if level != found.level:
            found = await asyncio.to_thread(store.choose_level, self._engine, owner, found.id, level)
        kept = await asyncio.to_thread(store.list_turns, self._engine, owner, found.id)
        # A second click on the same form: the question is being answered.
        if kept and self.live.find(kept[-1].id) and kept[-1].question == text:
            return _to(found.id, kept[-1].id)
        self.live.admit(owner)
        return await self._ask(request, owner, found, text, "live" in form)

    def _write(self, request: Request, owner: str, found: Conversation, text: str) -> Response:
        """To the person; what cannot be sent is shown again."""
        try:
            self.live.admit(owner)
            said = desk.write(self._engine, owner, found.id, text, self.view.solution.clock.now())
        except Refused as often:
            return self._page(request, owner, found, often.problem.detail, written=text)
        except UserError as refused:
            what = refused.problems[0].what
            if refused.code == "handover.closed":
                what = _("The person has ended this conversation, and your message was not sent: it is below.")
            return self._page(request, owner, found, what, written=text)
        return RedirectResponse(f"/tutor/{found.id}#m-{said.id}", 303)

    async def retry(self, request: Request) -> Response:
        """Answer a question again, in place of what there was."""
        form = await read_form(request)
        owner = self.own.owner(request)
        found, turn = await asyncio.to_thread(self.own.turn, request, owner)
        if self.live.find(turn.id) is None:
            self.live.admit(owner)
            await self._begin(request, owner, found, turn.id, turn.question, "live" in form)
        return _to(found.id, turn.id)

    async def stop(self, request: Request) -> Response:
        await read_form(request)
        owner = self.own.owner(request)
        found, turn = await asyncio.to_thread(self.own.turn, request, owner)
        await self.live.stop(turn.id)
        return _to(found.id, turn.id)

    async def show(self, request: Request) -> Response:
        owner = self.own.owner(request)
        found = await asyncio.to_thread(self.own.find, request, owner)
        return await asyncio.to_thread(self._page, request, owner, found)

    async def events(self, request: Request) -> Response:
        """The sentences of one answer as server-sent events, after those that the browser has seen; its end last."""
        owner = self.own.owner(request)
        _found, turn = await asyncio.to_thread(self.own.turn, request, owner)
        seen = request.headers.get("last-event-id") or request.query_params.get("from", "0")
        first = int(seen[:4]) if seen.isascii() and seen.isdigit() else 0
        stream = self._stream(request, self.live.find(turn.id), first)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    async def _stream(self, request: Request, making: Making | None, number: int) -> AsyncIterator[str]:
        started = time.monotonic()
        yield "retry: 1000\n\n"
        while making is not None and time.monotonic() - started < STREAM_SECONDS:
            if number < len(making.lines):
                yield f"id: {number + 1}\nevent: line\ndata: {_told(making.lines[number])}\n\n"
                number += 1
            elif making.ended:
                break
            elif await request.is_disconnected():
                return
            else:
                await making.moves(1.0)
        if making is None or making.ended:
            yield "event: end\ndata: {}\n\n"

    async def rate(self, request: Request) -> Response:
        form = await read_form(request)
        owner = self.own.owner(request)
        found, turn = await asyncio.to_thread(self.own.turn, request, owner)
        given = form.get("rating", "")
        if given not in ("good", "bad"):
            raise Refused(422, "tutor.no-rating", _("Say whether the answer helped."))
        rating: store.Rating | None = "good" if given == "good" else "bad"
        if rating == turn.rating:
            rating = None  # the same once more takes it back
        now = self.view.solution.clock.now()
        await asyncio.to_thread(store.rate, self._engine, owner, turn.id, rating, now)
        return _to(found.id, turn.id, "rated" if rating else "unrated")

    async def correct(self, request: Request) -> Response:
        form = await read_form(request)
        owner = self.own.owner(request)
        found, turn = await asyncio.to_thread(self.own.turn, request, owner)
        text = form.get("text", "")
        if not text.strip():
            missing = {"turn": turn.id, "error": _("Write what would be right.")}
            return await asyncio.to_thread(self._page, request, owner, found, None, missing)
        await asyncio.to_thread(store.correct, self._engine, owner, turn.id, text, self.view.solution.clock.now())
        return _to(found.id, turn.id, "corrected")

    async def rename(self, request: Request) -> Response:
        form = await read_form(request)
        owner = self.own.owner(request)
        found = await asyncio.to_thread(self.own.find, request, owner)
        with contextlib.suppress(UserError):  # an empty title leaves the one there is
            await asyncio.to_thread(store.rename, self._engine, owner, found.id, form.get("title", ""))
        return _to(found.id)

    async def delete(self, request: Request) -> Response:
        await read_form(request)
        owner = self.own.owner(request)
        found = await asyncio.to_thread(self.own.find, request, owner)
        for turn in await asyncio.to_thread(store.list_turns, self._engine, owner, found.id):
            await self.live.stop(turn.id)
        await asyncio.to_thread(store.remove, self._engine, owner, found.id)
        return RedirectResponse("/tutor?noted=deleted", 303)

    async def export(self, request: Request) -> Response:
        owner = self.own.owner(request)
        found = await asyncio.to_thread(self.own.find, request, owner)
        values = await asyncio.to_thread(store.export, self._engine, owner, found.id)
        form = request.path_params["form"]
        if form == "json":
            body, kind = json.dumps(values, ensure_ascii=False, indent=2), "application/json"
        elif form == "txt":
            body, kind = _as_text(values, self._notice()), "text/plain; charset=utf-8"
        else:
            raise Refused(404, "request.no-such-address", _("There is nothing at this address."))
        name = f'attachment; filename="conversation-{found.created:%Y-%m-%d}.{form}"'
        return Response(body, media_type=kind, headers={"content-disposition": name})

    @property
    def _engine(self) -> Any:
        return self.view.solution.engine

    async def _ask(self, request: Request, owner: str, found: Conversation, text: str, live: bool) -> Response:
        now = self.view.solution.clock.now()
        try:
            turn = await asyncio.to_thread(store.ask, self._engine, owner, found.id, text, now)
        except UserError as refused:
            return await asyncio.to_thread(self._page, request, owner, found, refused.problems[0].what, None, text)
        await self._begin(request, owner, found, turn, text, live)
        return _to(found.id, turn)

    async def _begin(self, request: Request, owner: str, found: Conversation, turn: int, text: str, live: bool) -> None:
        kept = await asyncio.to_thread(store.list_turns, self._engine, owner, found.id)
        before = store.history(kept, before=turn)
        names = (visitor_of(request).identity.name,) if visitor_of(request).signed_in else ()
        how: How = "remembered" if before and kept[-2].level == found.level else "chosen"
        question = Question(text, before, found.level, how, owner, names, usual=current())
        making = self.live.begin(owner, found.id, turn, question)
        if not live:
            await making.end(WITHOUT_SCRIPT)

    def _home(self, request: Request, error: str | None = None) -> Response:
        require_tutor(self.view)
        owner, number = self.own.owner(request), paging.asked(request)
        first = (number - 1) * paging.SIZE
        listed = store.list_conversations(self._engine, owner, limit=paging.SIZE + 1, offset=first) if owner else []
        last = listed[:1] if number == 1 else store.list_conversations(self._engine, owner, limit=1)
        values = {
            "conversations": listed[: paging.SIZE],
            "number_of_page": number,
            "more": len(listed) > paging.SIZE,
            "level": last[0].level if last else None,
            "examples": examples(self._base()),
            "error": error,
            "noted": request.query_params.get("noted"),
            "handed": desk.open_of(self._engine, [one.id for one in listed]) if self.view.hands_over else {},
            **self._asking(request, error),
        }
        return self.view.page(request, "tutor.html", values, status=422 if error else 200, headers=HEADERS)

    def _page(
        self,
        request: Request,
        owner: str,
        found: Conversation,
        error: str | None = None,
        correcting: Mapping[str, Any] | None = None,
        written: str = "",
    ) -> Response:
        turns = store.list_turns(self._engine, owner, found.id)
        wanted = request.query_params.get("turn", "")
        if correcting:
            wanted = str(correcting["turn"])
        place = next((at for at, turn in enumerate(turns) if str(turn.id) == wanted), len(turns) - 1)
        first = max(0, min(place, len(turns) - SHOWN))
        shown = turns[first : first + SHOWN]
        base = self._base()
        talk = self.talk.shown(request, owner, found, turns)
        values = {
            "conversation": found,
            "turns": [shown_turn(turn, base, self.live.find(turn.id)) for turn in shown],
            "talk": talk,
            "person": PERSON if talk.state == "taken" else "",
            "earlier": turns[max(0, first - SHOWN)].id if first else None,
            "later": turns[first + SHOWN].id if first + SHOWN < len(turns) else None,
            "count": len(turns),
            "first": first + 1,
            "last": first + len(shown),
            "level": found.level,
            "correcting": correcting or {"turn": None, "error": ""},
            "noted": request.query_params.get("noted"),
            "wanted": turns[place].id if turns else None,
            "error": error,
            **self._asking(request, error, written),
        }
        status = 422 if error or correcting else 200
        return self.view.page(request, "conversation.html", values, status=status, headers=HEADERS)

    def _asking(self, request: Request, error: str | None, written: str = "") -> dict[str, Any]:
        spec = self.view.solution.spec
        return {
            "notice": self._notice(),
            "levels": [(level, level_word(level)) for level in DIFFICULTIES],
            "level_word": level_word,
            "written": written or request.state.draft.get("question", ""),
            "found": bool(request.state.draft.get("question")),
            "longest": store.LONGEST_QUESTION,
            "writer": default_provider(self.view.solution) if spec.tutor else "",
            "kept_days": store.kept_for(spec).days,
        }

    def _notice(self) -> str:
        """That one talks to an AI, in the words of a course or of a firm's FAQ."""
        base = self._base()
        return notice(desk=base is not None and base.is_faq)

    def _base(self) -> Base | None:
        try:
            return base_of(self.view.solution)
        except UserError:
            return None  # citations then show their quote alone


def _told(line: Line) -> str:
    return json.dumps({"kind": line.kind, "text": line.text, "citations": list(line.citations)}, ensure_ascii=False)


def _level(text: str) -> Difficulty | None:
    return next((level for level in DIFFICULTIES if level == text), None)


def _to(conversation: str, turn: int | None = None, noted: str = "") -> Response:
    query = "&".join([*([f"turn={turn}"] if turn else []), *([f"noted={noted}"] if noted else [])])
    place = f"#turn-{turn}" if turn else ""
    return RedirectResponse(f"/tutor/{conversation}{'?' if query else ''}{query}{place}", 303)


def _as_text(values: Mapping[str, Any], said_of_itself: str) -> str:
    """A conversation to take away, after its notice; what a person wrote stands where it was said."""
    said: list[tuple[str, str]] = []
    for turn in values["turns"]:
        quotes = [f"[{c['number']}] {c['title']} : {c['quote']}" for c in turn["citations"]]
        parts = [f"— {turn['question']}", turn["answer"] or _("(no answer)"), "\n".join(quotes)]
        said.append((turn["at"], "\n\n".join(part for part in parts if part)))
    for one in values["messages"]:
        who = _("You") if one["side"] == "owner" else _("A person")
        said.append((one["at"], f"— {who}\n\n{one['text']}"))
    texts = [text for _at, text in sorted(said, key=lambda each: each[0])]
    return "\n\n".join([values["title"], said_of_itself, *texts]) + "\n"
