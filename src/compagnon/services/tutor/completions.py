"""``POST /v1/chat/completions``: the tutor for any client of OpenAI's API, streamed or not.

The last message of the user is the question, those before it are its history; system messages are not obeyed. Answers
carry ``citations``, ``level``, ``sure`` and ``refused`` beside OpenAI's fields.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.model_api.body import read_body, require_json
from compagnon.services.model_api.problem import Refused
from compagnon.services.model_api.routes import authorized, too_many
from compagnon.services.model_api.service import ModelService
from compagnon.services.tutor.answer.events import Done, Kind, Line, Reply, between, dressed
from compagnon.services.tutor.answer.history import Turn
from compagnon.services.tutor.answer.opening import open_tutor
from compagnon.services.tutor.answer.tutor import Question, Tutor

if TYPE_CHECKING:
    from compagnon.solution import Solution

PATH = "/v1/chat/completions"
SCOPE = "ask"
BODY = 200_000
"""Bytes of a request."""
MESSAGES = 100
PER_MINUTE = 60
"""Questions of one key in a minute."""
MODEL = "tutor"


class _Part(msgspec.Struct):
    type: str
    text: str = ""


class _Message(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class _Body(msgspec.Struct):
    """What is read of a request; other fields of OpenAI's (temperature, n...) change nothing."""

    messages: list[_Message]
    model: str = MODEL
    stream: bool = False


@dataclass
class Completions:
    """The tutor of one server process, opened at the first question."""

    service: ModelService
    _tutor: Tutor | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def tutor(self) -> Tutor:
        async with self._lock:
            if self._tutor is None:
                self._tutor = await asyncio.to_thread(open_tutor, self.service.solution)
            return self._tutor

    async def answer(self, request: Request) -> Response:
        """One question; raises Refused."""
        key = await authorized(self.service, request, SCOPE)
        wait = self.service.limiter.take(f"{key.id} {SCOPE}", PER_MINUTE)
        if wait:
            raise too_many(wait)
        require_json(request)
        question, stream = _question(await read_body(request, BODY), f"key:{key.id}")
        try:
            tutor = await self.tutor()
        except UserError as error:
            raise Refused(503, error.code, error.problems[0].what, headers={"retry-after": "60"}) from None
        frame = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(self.service.solution.clock.now().timestamp()),
        }
        if stream:
            events = _chunks(tutor, question, {**frame, "object": "chat.completion.chunk"})
            return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})
        reply = await tutor.reply(question)
        message = {"role": "assistant", "content": reply.answer}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        whole = {**frame, "object": "chat.completion", "choices": [choice], **_about(reply)}
        return Response(
            msgspec.json.encode(whole), media_type="application/json", headers={"cache-control": "no-store"}
        )


def make_completions(service: ModelService) -> APIRouter:
    """The route, where the solution has a tutor."""
    router = APIRouter()
    handler: Callable[[Request], Awaitable[Response]] = Completions(service).answer

    async def completions(request: Request) -> Response:
        return await handler(request)

    if _has_tutor(service.solution):
        router.add_api_route(PATH, completions, methods=["POST"], include_in_schema=False, name="completions")
    return router


def _has_tutor(solution: Solution) -> bool:
    try:
        return solution.spec.tutor is not None
    except UserError:
        return False


def _question(body: bytes, person: str) -> tuple[Question, bool]:
    try:
        read = msgspec.json.decode(body, type=_Body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        what = _("Send `messages`: a list of objects with `role` and `content`.")
        raise Refused(422, "request.not-messages", what) from None
    said = [message for message in read.messages if message.role in ("user", "assistant")]
    if not said or said[-1].role != "user" or not said[-1].text.strip() or len(read.messages) > MESSAGES:
        what = _("The last message is a question of the user; at most {most} messages are taken.").format(most=MESSAGES)
        raise Refused(422, "request.no-question", what)
    turns: list[Turn] = []
    for first, second in itertools.pairwise(said):
        if first.role == "user" and second.role == "assistant":
            turns.append(Turn(first.text, second.text))
    return Question(said[-1].text, tuple(turns), person=person), read.stream


async def _chunks(tutor: Tutor, question: Question, frame: dict[str, Any]) -> AsyncGenerator[bytes, None]:
    """Chunks as OpenAI's clients read them, then ``[DONE]``."""
    first = {"role": "assistant", "content": ""}
    yield _chunk({**frame, "model": MODEL, "choices": [_delta(first, None)]})
    before: Kind | None = None
    async with contextlib.aclosing(tutor.ask(question)) as events:
        async for event in events:
            if isinstance(event, Line):
                text = between(before, event.kind) + dressed(event)
                yield _chunk({**frame, "model": MODEL, "choices": [_delta({"content": text}, None)]})
                before = event.kind
            elif isinstance(event, Done):
                yield _chunk({**frame, "choices": [_delta({}, "stop")], **_about(event.reply)})
    yield b"data: [DONE]\n\n"


def _delta(delta: dict[str, str], finish: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}


def _chunk(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def _about(reply: Reply) -> dict[str, Any]:
    """What is known of a whole answer."""
    counted = (reply.receipt or {}).get("tokens", {"prompt": 0, "completion": 0})
    return {
        "model": f"{MODEL}/{reply.provider}",
        "usage": {
            "prompt_tokens": counted["prompt"],
            "completion_tokens": counted["completion"],
            "total_tokens": reply.tokens,
        },
        "citations": [citation.as_dict() for citation in reply.citations],
        "level": reply.level,
        "sure": reply.sure,
        "refused": reply.refused,
    }
