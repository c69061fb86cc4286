"""Mistral's API emulated on loopback: shapes, streams, error bodies and rate-limit headers as on the wire.

For practice without a key, and for tests of what happens when the real service fails. A fault is asked for by the
header ``x-emulate``, by the model name ``fault-NAME``, or through ``POST /control``. It is no model: see
``mistral_script`` for what it says.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from compagnon.sandbox.mistral_script import SCRIPTS, Script, text_of
from compagnon.sandbox.wire import Broken, Call, Reply, Server

MODELS = {
    "ministral-3b-2512": ("ministral-3b-latest",),
    "ministral-8b-2512": ("ministral-8b-latest",),
    "mistral-small-2603": ("mistral-small-latest",),
    "mistral-medium-3-5": ("mistral-medium-latest", "mistral-medium-3.5", "mistral-medium-2604"),
    "mistral-embed": (),
    "mistral-moderation-latest": (),
}
DIMENSIONS = 1024
CONTEXT = 32_768
TOKENS_A_MINUTE = 500_000

FAULTS = (
    "unauthorized", "unauthorized-detail", "forbidden", "not-found", "refused", "context", "rate-limited", "failed",
    "bad-gateway", "overloaded", "gateway-timeout", "slow-start", "slow", "cut", "cut-early", "malformed", "html",
    "huge", "endless-line", "silent-end",
)  # fmt: skip
"""Names of faults; those that are no status of their own happen within the answer."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Message(_Strict):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    prefix: bool = False
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None


class _Chat(_Strict):
    model: str
    messages: list[_Message] = Field(min_length=1)
    temperature: float | None = Field(None, ge=0, le=1.5)
    top_p: float | None = Field(None, gt=0, le=1)
    max_tokens: int | None = Field(None, ge=0)
    stream: bool = False
    stop: str | list[str] | None = None
    random_seed: int | None = Field(None, ge=0)
    response_format: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    n: int | None = Field(None, ge=1)
    safe_prompt: bool = False
    parallel_tool_calls: bool = True
    metadata: dict[str, Any] | None = None
    prompt_mode: str | None = None
    reasoning_effort: str | None = None


class _OpenAIChat(_Chat):
    """What other services take besides: Mistral refuses these."""

    seed: int | None = None
    stream_options: dict[str, Any] | None = None
    user: str | None = None


class _Embeddings(_Strict):
    model: str
    input: str | list[str]
    encoding_format: str | None = None
    output_dimension: int | None = None
    output_dtype: str | None = None
    metadata: dict[str, Any] | None = None


class _Moderations(_Strict):
    model: str
    input: str | list[str]
    metadata: dict[str, Any] | None = None


class Emulator:
    """The emulated service; ``start`` and ``stop`` it, or use it as a context manager.

    ``key``: the only key accepted (any by default). ``script``: what it says. ``requests_a_minute``: 429 above that.
    ``delay``: seconds between two tokens. ``faults``: names to happen to the next calls, one each; ``always``: to all.
    ``speaks``: ``openai`` takes that dialect's options too, and counts tokens in a chunk of its own where asked to.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        script: str | Script = "grounded",
        requests_a_minute: int | None = None,
        delay: float = 0.0,
        speaks: Literal["mistral", "openai"] = "mistral",
    ) -> None:
        self.key, self.delay, self.speaks = key, delay, speaks
        self.script: Script = SCRIPTS[script] if isinstance(script, str) else script
        self.requests_a_minute = requests_a_minute
        self.retry_after: float = 2
        self.stall: float = 3600.0
        """Seconds that a slow answer stands still."""
        self.faults: deque[str] = deque()
        self.always: str | None = None
        self.seen: deque[dict[str, Any]] = deque(maxlen=1000)
        """The last requests: path, and body as JSON. Keys are not kept."""
        self._calls: deque[float] = deque()
        self._lock = threading.Lock()
        self._server = Server(self._handle, "mistral-emulator")

    # --- life

    @property
    def url(self) -> str:
        """Address to give as ``server_url``: ``http://127.0.0.1:PORT``."""
        return self._server.url

    def start(self, port: int = 0) -> Emulator:
        self._server.start(port)
        return self

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    # --- one call

    async def _handle(self, call: Call, reply: Reply) -> None:
        if call.path == "/control":
            await self._control(call, reply)
            return
        if self.key is not None and call.headers.get("authorization") != f"Bearer {self.key}":
            await self._fail("unauthorized", reply)
            return
        if not call.headers.get("authorization", "").removeprefix("Bearer").strip():
            await self._fail("unauthorized-detail", reply)
            return
        try:
            body = call.json()
        except ValueError:
            body = None
        self.seen.append({"path": call.path, "body": body})
        fault = self._fault(call, body)
        if fault is not None and fault in _STATUS:
            await self._fail(fault, reply)
            return
        if fault == "cut-early":
            raise Broken
        if fault == "html":
            await reply.whole(200, b"<!doctype html><title>Portal</title><p>Please sign in", "text/html")
            return
        if self._over_limit():
            await self._fail("rate-limited", reply)
            return
        await self._answer(call, body, fault, reply)

    async def _answer(self, call: Call, body: Any, fault: str | None, reply: Reply) -> None:
        routes = {
            ("GET", "/v1/models"): self._models,
            ("POST", "/v1/chat/completions"): self._chat,
            ("POST", "/v1/embeddings"): self._embeddings,
            ("POST", "/v1/moderations"): self._moderations,
        }
        route = routes.get((call.method, call.path))
        if route is None:
            known = any(path == call.path for _method, path in routes)
            status, text = (405, "Method Not Allowed") if known else (404, "no Route matched with those values")
            await reply.json(status, {"message": text, "request_id": uuid.uuid4().hex})
            return
        try:
            await route(body, fault, reply)
        except ValidationError as error:
            detail = [
                {"type": e["type"], "loc": ["body", *e["loc"]], "msg": e["msg"], "input": _plain(e["input"])}
                for e in error.errors(include_url=False)
            ]
            await reply.json(422, {"detail": detail})

    def _fault(self, call: Call, body: Any) -> str | None:
        asked = call.headers.get("x-emulate")
        model = body.get("model") if isinstance(body, dict) else None
        if asked is None and isinstance(model, str) and model.startswith("fault-"):
            asked = model.removeprefix("fault-")
        if asked is None:
            with self._lock:
                asked = self.faults.popleft() if self.faults else self.always
        return asked if asked in FAULTS else None

    async def _fail(self, fault: str, reply: Reply) -> None:
        status, body = _STATUS[fault]
        headers = self._limits(0)
        if fault in ("rate-limited", "overloaded"):
            headers["retry-after"] = f"{self.retry_after:g}"
        if isinstance(body, str):
            await reply.whole(status, body.encode(), "text/html", headers)
        else:
            await reply.json(status, body, headers)

    # --- limits

    def _over_limit(self) -> bool:
        now = time.monotonic()
        with self._lock:
            while self._calls and self._calls[0] <= now - 60:
                self._calls.popleft()
            if self.requests_a_minute is not None and len(self._calls) >= self.requests_a_minute:
                return True
            self._calls.append(now)
        return False

    def _limits(self, tokens: int) -> dict[str, str]:
        most = self.requests_a_minute or 600
        return {
            "x-ratelimit-limit-tokens-minute": str(TOKENS_A_MINUTE),
            "x-ratelimit-remaining-tokens-minute": str(max(TOKENS_A_MINUTE - tokens, 0)),
            "x-ratelimit-tokens-query-cost": str(tokens),
            "x-ratelimit-limit-req-minute": str(most),
            "x-ratelimit-remaining-req-minute": str(max(most - len(self._calls), 0)),
        }

    # --- routes

    async def _models(self, _body: Any, _fault: str | None, reply: Reply) -> None:
        cards = [
            {
                "id": name, "object": "model", "created": 1764547200, "owned_by": "mistralai", "name": name,
                "description": "Emulated.", "max_context_length": CONTEXT, "aliases": [a for a in known if a != name],
                "deprecation": None, "default_model_temperature": 0.3, "type": "base",
                "capabilities": {
                    "completion_chat": "embed" not in name and "moderation" not in name, "completion_fim": False,
                    "function_calling": False, "fine_tuning": False, "vision": False, "classification": False,
                },
            }
            for first, aliases in MODELS.items()
            for known in [(first, *aliases)]
            for name in known
        ]  # fmt: skip
        await reply.json(200, {"object": "list", "data": cards})

    async def _chat(self, body: Any, fault: str | None, reply: Reply) -> None:
        asked = (_OpenAIChat if self.speaks == "openai" else _Chat).model_validate(body)
        if fault is None and asked.model not in _IDS:
            await reply.json(400, _error(f"Invalid model: {asked.model}", "invalid_model", "1500"))
            return
        last = asked.messages[-1]
        if last.role not in ("user", "tool") and not (last.role == "assistant" and last.prefix):
            text = "Expected last role User or Tool (or Assistant with prefix True) for serving but got "
            await reply.json(400, _error(text + last.role, "invalid_request_message_order", "3230"))
            return
        messages = [message.model_dump() for message in asked.messages]
        prompt = sum(count(text_of(message)) for message in messages)
        if prompt + (asked.max_tokens or 0) > CONTEXT:
            await self._fail("context", reply)
            return
        tokens, finish = _shorten(self.script(messages), asked)
        usage = {"prompt_tokens": prompt, "total_tokens": prompt + len(tokens), "completion_tokens": len(tokens)}
        base = {"id": uuid.uuid4().hex, "created": int(time.time()), "model": asked.model}
        if asked.stream or fault in _IN_STREAM:
            apart = self.speaks == "openai"
            told = not apart or bool(((body or {}).get("stream_options") or {}).get("include_usage"))
            await self._stream(base, tokens, finish, (usage, told, apart), fault, reply)
            return
        message = {"role": "assistant", "tool_calls": None, "content": "".join(tokens)}
        choice = {"index": 0, "finish_reason": finish, "message": message}
        whole = {**base, "object": "chat.completion", "usage": usage, "choices": [choice]}
        await reply.json(200, whole, self._limits(prompt + len(tokens)))

    async def _stream(
        self,
        base: dict[str, Any],
        tokens: list[str],
        finish: str,
        counting: tuple[dict[str, int], bool, bool],
        fault: str | None,
        reply: Reply,
    ) -> None:
        """``counting``: the tokens, whether they are told, and whether in a chunk of their own."""
        usage, told, apart = counting
        base = {"id": base["id"], "object": "chat.completion.chunk", "created": base["created"], "model": base["model"]}

        async def send(delta: dict[str, Any], reason: str | None = None, **more: Any) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            await reply.chunk(_event({**base, "choices": [choice], **more}))

        if fault == "slow-start":
            await asyncio.sleep(self.stall)
        await reply.begin(200, "text/event-stream; charset=utf-8", self._limits(usage["total_tokens"]))
        await send({"role": "assistant", "content": ""})
        if fault == "malformed":
            await reply.chunk(b'data: {"id": "x", "choices": [{"delta": {"content": \n\n')
            return
        if fault in ("huge", "endless-line"):
            await _flood(send, reply, fault)
        for place, token in enumerate(tokens):
            if place == len(tokens) // 2 and fault in ("slow", "cut", "silent-end"):
                if fault == "slow":
                    await asyncio.sleep(self.stall)
                elif fault == "cut":
                    raise Broken
                else:
                    await reply.end()
                    return
            if self.delay:
                await asyncio.sleep(self.delay)
            await send({"content": token})
        await send({"content": ""}, finish, **({"usage": usage} if told and not apart else {}))
        if told and apart:
            await reply.chunk(_event({**base, "choices": [], "usage": usage}))
        await reply.chunk(b"data: [DONE]\n\n")
        await reply.end()

    async def _embeddings(self, body: Any, _fault: str | None, reply: Reply) -> None:
        asked = _Embeddings.model_validate(body)
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        tokens = sum(map(count, texts))
        data = [
            {"object": "embedding", "embedding": vector(text, asked.output_dimension or DIMENSIONS), "index": place}
            for place, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens, "completion_tokens": 0}
        found = {"id": uuid.uuid4().hex, "object": "list", "data": data, "model": asked.model, "usage": usage}
        await reply.json(200, found, self._limits(tokens))

    async def _moderations(self, body: Any, _fault: str | None, reply: Reply) -> None:
        asked = _Moderations.model_validate(body)
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        results = []
        for text in texts:
            scores = {name: 0.97 if re.search(words, text, re.IGNORECASE) else 0.002 for name, words in _UNSAFE.items()}
            results.append({"categories": {n: s > 0.5 for n, s in scores.items()}, "category_scores": scores})
        await reply.json(200, {"id": uuid.uuid4().hex, "model": asked.model, "results": results}, self._limits(0))

    async def _control(self, call: Call, reply: Reply) -> None:
        """``POST {"faults": [...], "always": NAME or null, "script": NAME}`` sets, ``GET`` shows the last requests."""
        if call.method == "POST":
            try:
                wish = call.json()
                script = SCRIPTS[wish["script"]] if "script" in wish else self.script
                named = [*wish.get("faults", ()), *([wish["always"]] if wish.get("always") else [])]
            except (ValueError, KeyError, TypeError, AttributeError):
                named, wish = ["?"], {}
            if not all(name in FAULTS for name in named):
                await reply.json(422, {"faults": FAULTS, "scripts": sorted(SCRIPTS)})
                return
            with self._lock:
                self.script = script
                self.faults = deque(wish.get("faults", ()))
                self.always = wish.get("always", self.always)
        await reply.json(200, {"faults": list(self.faults), "always": self.always, "seen": list(self.seen)})


def count(text: str) -> int:
    """Tokens of a text, as this emulator counts them: one for four bytes."""
    return math.ceil(len(text.encode()) / 4)


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A unit vector made of the words of a text: the same for the same words, near for shared ones."""
    values = [0.0] * dimensions
    for word in re.findall(r"\w+", text.casefold()):
        digest = hashlib.sha256(word.encode()).digest()
        values[int.from_bytes(digest[:4], "big") % dimensions] += 1.0 if digest[4] % 2 else -1.0
    norm = math.sqrt(sum(value * value for value in values))
    return [value / norm for value in values] if norm else [1.0, *values[1:]]


def _shorten(text: str, asked: _Chat) -> tuple[list[str], str]:
    """The answer as tokens (words with the space before them), and why it ends."""
    for stop in [asked.stop] if isinstance(asked.stop, str) else asked.stop or []:
        if stop:
            text = text.partition(stop)[0]
    tokens = re.findall(r"\s*\S+|\s+", text)
    if asked.max_tokens is not None and len(tokens) > asked.max_tokens:
        return tokens[: asked.max_tokens], "length"
    return tokens, "stop"


async def _flood(send: Any, reply: Reply, fault: str) -> None:
    """Words without end, or one line without end, until the other side has had enough."""
    if fault == "huge":
        while True:
            await send({"content": "encore " * 200})
    await reply.chunk(b'data: {"id": "')
    while True:
        await reply.chunk(b"x" * 65_536)


def _event(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _error(message: str, kind: str, code: str | None, status: int | None = None) -> dict[str, Any]:
    body = {"object": "error", "message": message, "type": kind, "param": None, "code": code}
    return {**body, "raw_status_code": status} if status else body


def _plain(value: Any) -> Any:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return None
    return value


def _names() -> Iterator[str]:
    for name, aliases in MODELS.items():
        yield from (name, *aliases)


_IDS = frozenset(_names())
_IN_STREAM = frozenset({"slow-start", "slow", "cut", "malformed", "huge", "endless-line", "silent-end"})
_UNSAFE = {
    "sexual": r"\bsexuel|\bsexual",
    "hate_and_discrimination": r"\bje hais les\b|\bi hate all\b",
    "violence_and_threats": r"\btuer\b|\bkill\b",
    "dangerous_and_criminal_content": r"\bbombe\b|\bbomb\b",
    "selfharm": r"\bsuicide\b",
    "health": r"\bdiagnosti[cq]",
    "financial": r"\binvesti[rs]",
    "law": r"\bavocat\b|\blawyer\b",
    "pii": r"@|\b\d{2}([ .]?\d{2}){4}\b",
}
_STATUS: dict[str, tuple[int, Any]] = {
    "unauthorized": (401, {"message": "Unauthorized", "request_id": "0f4a3c"}),
    "unauthorized-detail": (401, {"detail": "Unauthorized"}),
    "forbidden": (403, _error("Access denied to this model.", "forbidden", "1100")),
    "not-found": (404, _error("The model `open-mistral-7b` was retired.", "not_found_error", "1500")),
    "refused": (
        422,
        {
            "detail": [
                {"type": "missing", "loc": ["body", "messages"], "msg": "Field required", "input": {"model": "x"}}
            ]
        },
    ),
    "context": (
        400,
        _error(f"Prompt is too large for model with {CONTEXT} maximum context length", "invalid_request_error", "3051"),
    ),
    "rate-limited": (429, _error("Rate limit exceeded", "rate_limited", "1300", 429)),
    "failed": (500, _error("Internal server error", "internal_server_error", "1000", 500)),
    "bad-gateway": (502, "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"),
    "overloaded": (
        503,
        _error("Service tier capacity exceeded for this model.", "service_tier_capacity_exceeded", "3505", 503),
    ),
    "gateway-timeout": (504, "<html><head><title>504 Gateway Time-out</title></head><body>nginx</body></html>"),
}
