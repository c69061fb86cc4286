"""The chat: a question in, the answer sentence by sentence, its passages beside it; conversations of one's own.

A question is kept before it is answered, and an answer goes on when its page is left: reload, come back, lose the
connection, and the page shows what there is. Without JavaScript the form waits for the whole answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

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
from compagnon.services.tutor.conversations.owner import (
    COOKIE,
    is_token,
    new_token,
    owner_of_account,
    owner_of_token,
)
from compagnon.services.tutor.conversations.store import Conversation, Kept
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.model import DIFFICULTIES, Difficulty
from compagnon.services.tutor.passages import edition_of, resolve
from compagnon.services.tutor.place import tutor_of
from compagnon.services.tutor.search.language import language_of
from compagnon.web import paging
from compagnon.web.editions import EDITION, base_of
from compagnon.web.forms import read_form
from compagnon.web.live import WITHOUT_SCRIPT, Live, Making
from compagnon.web.runs import LIVE_POLICY, STREAM_SECONDS
from compagnon.web.view import View
from compagnon.web.visitor import set_cookies, visitor_of

SHOWN = 2
"""Turns on one page; the others are a link away."""
EXAMPLES = 3
"""Questions to click: titles of subtopics for beginners."""
HEADERS = {"content-security-policy": LIVE_POLICY}


@dataclass(frozen=True)
class Chat:
    """Handlers of ``/tutor`` and of what stands under it."""

    view: View
    live: Live
    _warming: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def home(self, request: Request) -> Response:
        self._required()
        self._warming.add(task := asyncio.create_task(self.live.warm()))
        task.add_done_callback(self._warming.discard)
        return await asyncio.to_thread(self._home, request)

    async def start(self, request: Request) -> Response:
        """Ask the first question of a new conversation."""
        self._required()
        form = await read_form(request)
        owner = self._owner(request, make=True)
        text = form.get("example", "").strip() or form.get("question", "").strip()
        if not text:
            return await asyncio.to_thread(self._home, request, _("Write your question first."))
        level, now = _level(form.get("level", "")), self.view.solution.clock.now()
        self.live.admit(owner)
        made = await asyncio.to_thread(store.create, self._engine, owner, now, level=level)
        return await self._ask(request, owner, made, text, "live" in form)

    async def say(self, request: Request) -> Response:
        """Ask another question of a conversation."""
        self._required()
        form = await read_form(request)
        owner = self._owner(request)
        found = await asyncio.to_thread(self._find, request, owner)
        text = form.get("question", "").strip()
        if not text:
            return await asyncio.to_thread(self._page, request, owner, found, _("Write your question first."))
        level = _level(form.get("level", ""))
        if level != found.level:
            found = await asyncio.to_thread(store.choose_level, self._engine, owner, found.id, level)
        kept = await asyncio.to_thread(store.list_turns, self._engine, owner, found.id)
        # A second click on the same form: the question is being answered.
        if kept and self.live.find(kept[-1].id) and kept[-1].question == text:
            return _to(found.id, kept[-1].id)
        self.live.admit(owner)
        return await self._ask(request, owner, found, text, "live" in form)

    async def retry(self, request: Request) -> Response:
        """Answer a question again, in place of what there was."""
        form = await read_form(request)
        owner = self._owner(request)
        found, turn = await asyncio.to_thread(self._turn, request, owner)
        if self.live.find(turn.id) is None:
            self.live.admit(owner)
            await self._begin(request, owner, found, turn.id, turn.question, "live" in form)
        return _to(found.id, turn.id)

    async def stop(self, request: Request) -> Response:
        await read_form(request)
        owner = self._owner(request)
        found, turn = await asyncio.to_thread(self._turn, request, owner)
        await self.live.stop(turn.id)
        return _to(found.id, turn.id)

    async def show(self, request: Request) -> Response:
        owner = self._owner(request)
        found = await asyncio.to_thread(self._find, request, owner)
        return await asyncio.to_thread(self._page, request, owner, found)

    async def events(self, request: Request) -> Response:
        """The sentences of one answer as server-sent events, after those that the browser has seen; its end last."""
        owner = self._owner(request)
        _found, turn = await asyncio.to_thread(self._turn, request, owner)
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
        owner = self._owner(request)
        found, turn = await asyncio.to_thread(self._turn, request, owner)
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
        owner = self._owner(request)
        found, turn = await asyncio.to_thread(self._turn, request, owner)
        text = form.get("text", "")
        if not text.strip():
            missing = {"turn": turn.id, "error": _("Write what would be right.")}
            return await asyncio.to_thread(self._page, request, owner, found, None, missing)
        await asyncio.to_thread(store.correct, self._engine, owner, turn.id, text, self.view.solution.clock.now())
        return _to(found.id, turn.id, "corrected")

    async def rename(self, request: Request) -> Response:
        form = await read_form(request)
        owner = self._owner(request)
        found = await asyncio.to_thread(self._find, request, owner)
        with contextlib.suppress(UserError):  # an empty title leaves the one there is
            await asyncio.to_thread(store.rename, self._engine, owner, found.id, form.get("title", ""))
        return _to(found.id)

    async def delete(self, request: Request) -> Response:
        await read_form(request)
        owner = self._owner(request)
        found = await asyncio.to_thread(self._find, request, owner)
        for turn in await asyncio.to_thread(store.list_turns, self._engine, owner, found.id):
            await self.live.stop(turn.id)
        await asyncio.to_thread(store.remove, self._engine, owner, found.id)
        return RedirectResponse("/tutor?noted=deleted", 303)

    async def export(self, request: Request) -> Response:
        owner = self._owner(request)
        found = await asyncio.to_thread(self._find, request, owner)
        values = await asyncio.to_thread(store.export, self._engine, owner, found.id)
        form = request.path_params["form"]
        if form == "json":
            body, kind = json.dumps(values, ensure_ascii=False, indent=2), "application/json"
        elif form == "txt":
            body, kind = _as_text(values), "text/plain; charset=utf-8"
        else:
            raise Refused(404, "request.no-such-address", _("There is nothing at this address."))
        name = f'attachment; filename="conversation-{found.created:%Y-%m-%d}.{form}"'
        return Response(body, media_type=kind, headers={"content-disposition": name})

    @property
    def _engine(self) -> Any:
        return self.view.solution.engine

    def _required(self) -> None:
        require_tutor(self.view)

    def _owner(self, request: Request, *, make: bool = False) -> str:
        """Whose conversations these are: an account's, or this browser's; ``make`` gives it a cookie if it has none."""
        visitor, solution = visitor_of(request), self.view.solution
        token = request.cookies.get(visitor.style.name(COOKIE), "")
        if visitor.identity.kind == "person":
            owner = owner_of_account(visitor.identity.id)
            if is_token(token):
                # What was asked before signing in is found again after it.
                store.adopt(solution.engine, owner, owner_of_token(token, solution.secrets))
                set_cookies(request, (visitor.style.cookie(COOKIE, "", 0),))
            return owner
        if not is_token(token):
            if not make:
                return ""
            token = new_token()
        age = int(store.kept_for(solution.spec).total_seconds())
        set_cookies(request, (visitor.style.cookie(COOKIE, token, age),))
        return owner_of_token(token, solution.secrets)

    def _find(self, request: Request, owner: str) -> Conversation:
        self._required()
        try:
            return store.find(self._engine, owner, request.path_params["conversation"])
        except UserError as unknown:
            raise Refused(404, unknown.code, unknown.problems[0].what) from None

    def _turn(self, request: Request, owner: str) -> tuple[Conversation, Kept]:
        found, number = self._find(request, owner), request.path_params["turn"]
        for turn in store.list_turns(self._engine, owner, found.id):
            if str(turn.id) == number:
                return found, turn
        raise Refused(404, "conversation.unknown", _("There is no such conversation."))

    async def _ask(self, request: Request, owner: str, found: Conversation, text: str, live: bool) -> Response:
        now = self.view.solution.clock.now()
        try:
            turn = await asyncio.to_thread(store.ask, self._engine, owner, found.id, text, now)
        except UserError as refused:
            return await asyncio.to_thread(self._page, request, owner, found, refused.problems[0].what)
        await self._begin(request, owner, found, turn, text, live)
        return _to(found.id, turn)

    async def _begin(self, request: Request, owner: str, found: Conversation, turn: int, text: str, live: bool) -> None:
        kept = await asyncio.to_thread(store.list_turns, self._engine, owner, found.id)
        before = store.history(kept, before=turn)
        names = (visitor_of(request).identity.name,) if visitor_of(request).signed_in else ()
        how: How = "remembered" if before and kept[-2].level == found.level else "chosen"
        question = Question(text, before, found.level, how, owner, names, usual=current())
        making = self.live.begin(owner, turn, question)
        if not live:
            await making.end(WITHOUT_SCRIPT)

    def _home(self, request: Request, error: str | None = None) -> Response:
        self._required()
        owner, number = self._owner(request), paging.asked(request)
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
    ) -> Response:
        turns = store.list_turns(self._engine, owner, found.id)
        wanted = request.query_params.get("turn", "")
        if correcting:
            wanted = str(correcting["turn"])
        place = next((at for at, turn in enumerate(turns) if str(turn.id) == wanted), len(turns) - 1)
        first = max(0, min(place, len(turns) - SHOWN))
        shown = turns[first : first + SHOWN]
        base = self._base()
        values = {
            "conversation": found,
            "turns": [shown_turn(turn, base, self.live.find(turn.id)) for turn in shown],
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
            **self._asking(request, error),
        }
        status = 422 if error or correcting else 200
        return self.view.page(request, "conversation.html", values, status=status, headers=HEADERS)

    def _asking(self, request: Request, error: str | None) -> dict[str, Any]:
        spec = self.view.solution.spec
        return {
            "notice": notice(),
            "levels": [(level, level_word(level)) for level in DIFFICULTIES],
            "level_word": level_word,
            "written": request.state.draft.get("question", ""),
            "found": bool(request.state.draft.get("question")),
            "longest": store.LONGEST_QUESTION,
            "writer": default_provider(self.view.solution) if spec.tutor else "",
            "kept_days": store.kept_for(spec).days,
        }

    def _base(self) -> Base | None:
        try:
            return base_of(self.view.solution)
        except UserError:
            return None  # citations then show their quote alone


def require_tutor(view: View) -> None:
    """Raises Refused 404 where the solution has no tutor."""
    try:
        tutor_of(view.solution.spec)
    except UserError as none:
        raise Refused(404, none.code, none.problems[0].what) from None


def level_word(level: str | None) -> str:
    """A level in words."""
    return {
        "beginner": _("beginner"),
        "intermediate": _("intermediate"),
        "advanced": _("advanced"),
    }.get(level or "", "")


def how_word(how: str | None) -> str:
    """How the level is known."""
    return {
        "inferred": _("inferred from the question"),
        "chosen": _("chosen by you"),
        "remembered": _("chosen by you"),
    }.get(how or "", "")


def shown_turn(turn: Kept, base: Base | None, making: Making | None) -> dict[str, Any]:
    """One turn as its page shows it."""
    lines: Sequence[Mapping[str, Any]] = turn.lines
    if making is not None:
        lines = [{"kind": line.kind, "text": line.text, "citations": line.citations} for line in making.lines]
    return {
        "id": turn.id,
        "at": turn.at,
        "question": turn.question,
        "making": making is not None,
        "cut": making is None and turn.state == "asked",
        "stopped": making is None and turn.state == "stopped",
        "language": answered_in(turn, base),
        "blocks": blocks(lines),
        "count": len(lines),
        "citations": [] if making is not None else [shown_citation(citation, base) for citation in turn.citations],
        "level": level_word(turn.level),
        "how": how_word(turn.how),
        "provider": turn.provider,
        "sure": turn.sure,
        "refused": turn.refused,
        "tokens": turn.tokens,
        "cost": turn.cost,
        "rating": turn.rating,
    }


def answered_in(turn: Kept, base: Base | None) -> str:
    """The language of an answer, for those who read it aloud: that of the passages cited, else of the question."""
    edition = next((edition_of(citation["id"]) for citation in turn.citations), None)
    if edition is not None:
        return edition or (base.language if base else current())
    return language_of(turn.question, base.language if base else "fr")


def examples(base: Base | None) -> list[str]:
    """Titles of subtopics for beginners, spread over the base."""
    shown = base.spoken(current()) if base else ()
    easy = [subtopic.title for subtopic in shown if subtopic.difficulty == "beginner"]
    step = max(1, len(easy) // EXAMPLES)
    return easy[::step][:EXAMPLES]


def blocks(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lines as blocks: sentences that follow each other are one paragraph, points one list."""
    found: list[dict[str, Any]] = []
    for line in lines:
        kind = line["kind"]
        if kind in ("text", "point") and found and found[-1]["kind"] == kind:
            found[-1]["lines"].append(line)
        else:
            found.append({"kind": kind, "lines": [line]})
    return found


def shown_citation(citation: Mapping[str, Any], base: Base | None) -> dict[str, Any]:
    """A citation with the words around its quote, and the address where it is read whole."""
    before = after = heading = ""
    address = None
    if base is not None:
        with contextlib.suppress(UserError):
            passage = resolve(citation["id"], base)
            start, end = citation["start"] - passage.start, citation["end"] - passage.start
            if passage.text[start:end] == citation["quote"]:  # the base has not changed since
                before, after = passage.text[:start], passage.text[end:]
            heading = passage.heading
            topic, _dot, name = passage.subtopic.partition(".")
            mark = f"{passage.part}-{passage.number}"
            spoken = passage.edition or base.language
            query = f"at={mark}&from={citation['start']}&to={citation['end']}&{EDITION}={spoken}"
            address = f"/knowledge/{quote(topic)}/{quote(name)}?{query}#{mark}"
    return {
        "number": citation["number"],
        "title": citation["title"],
        "heading": heading or shorter(citation["quote"], 70),
        "before": before,
        "quote": citation["quote"],
        "after": after,
        "address": address,
    }


def shorter(text: str, most: int) -> str:
    """``text`` up to a whole word."""
    return text if len(text) <= most else text[:most].rpartition(" ")[0] + "…"


def _told(line: Line) -> str:
    return json.dumps({"kind": line.kind, "text": line.text, "citations": list(line.citations)}, ensure_ascii=False)


def _level(text: str) -> Difficulty | None:
    return next((level for level in DIFFICULTIES if level == text), None)


def _to(conversation: str, turn: int | None = None, noted: str = "") -> Response:
    query = "&".join([*([f"turn={turn}"] if turn else []), *([f"noted={noted}"] if noted else [])])
    place = f"#turn-{turn}" if turn else ""
    return RedirectResponse(f"/tutor/{conversation}{'?' if query else ''}{query}{place}", 303)


def _as_text(values: Mapping[str, Any]) -> str:
    parts = [values["title"], notice()]
    for turn in values["turns"]:
        parts.append(f"— {turn['question']}")
        parts.append(turn["answer"] or _("(no answer)"))
        quotes = [f"[{c['number']}] {c['title']} : {c['quote']}" for c in turn["citations"]]
        parts.append("\n".join(quotes))
    return "\n\n".join(part for part in parts if part) + "\n"
