"""Predictions answered without the application's layers: admission, batches of one turn of the event loop, answers.

``protocol`` hands over requests that it has parsed. Whatever is out of the ordinary (a key not known yet, a model not
there, other headers than usual) is left to the ordinary route, which shares every rule with this path.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from compagnon.access.keys import Key
from compagnon.errors import UserError
from compagnon.i18n import use
from compagnon.operate.monitor.recorder import Answered
from compagnon.services.model_api.body import too_large
from compagnon.services.model_api.compiled import Compiled, Row
from compagnon.services.model_api.decode import decode
from compagnon.services.model_api.log import answered, failed, predicted
from compagnon.services.model_api.peer import FORWARDED_SCHEME, is_https
from compagnon.services.model_api.problem import MEDIA_TYPE, ProblemDocument, Refused, fault, where
from compagnon.services.model_api.routes import too_many
from compagnon.services.model_api.service import ModelService
from compagnon.services.model_api.shelf import Shelved
from compagnon.services.model_api.work import overloaded

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode

ROUTE = "/api/models/{name}/predict"
JSON = frozenset({b"application/json", b"application/json; charset=utf-8"})
_FORWARDED = FORWARDED_SCHEME.encode()
MOST_INLINE = 8_192
"""Bytes of a body that the event loop reads itself."""
MOST_DIAGNOSED = 1_024
"""Bytes of a wrong body that the event loop explains itself."""
SURE_SECONDS = 0.02
"""Seconds during which keys seen are believed without asking whether they have changed."""
MOST_REMEMBERED = 1_024
"""Keys remembered by their header."""
MOST_TOGETHER = 128
"""Rows of several requests computed as one batch."""
Headers = Sequence[tuple[bytes, bytes]]
Found = tuple[str, float, str]


class Reply(Protocol):
    """Where the answer of a request goes; ``secure``: the client speaks TLS to a proxy before us."""

    secure: bool

    def reply(self, status: int, headers: bytes, body: bytes, *, close: bool = False) -> None: ...
    def reply_well(self, request_id: str, body: bytes) -> None: ...


class Ask:
    """One admitted request."""

    __slots__ = ("began", "fed", "full", "headers", "id", "key", "most", "rows", "shelved", "to")

    @property
    def slowest(self) -> float:
        """Seconds that its client may take to send it."""
        return self.shelved.model.serve.limits.read.total_seconds()

    def __init__(
        self, shelved: Shelved, key: Key, headers: Headers, to: Reply, request_id: str, began: float, full: bool
    ) -> None:
        self.shelved, self.key, self.headers, self.to, self.id = shelved, key, headers, to, request_id
        self.began = began
        self.most = shelved.model.serve.limits.body
        self.full = full
        """The queue of the model is: only its fall-back can be answered."""
        self.rows: Sequence[Row] = ()
        self.fed: Sequence[Row] = ()


class FastPath:
    """The quick path of one server process; every method runs on its event loop."""

    def __init__(
        self, service: ModelService, safe_headers: Mapping[str, str], negotiate: Callable[[str, str], str]
    ) -> None:
        self.service = service
        self.paths = {ROUTE.format(name=name).encode(): name for name in service.shelf.names}
        self._safe, self._negotiate = safe_headers, negotiate
        self.well = _lines({**safe_headers, "content-type": "application/json"})
        """Header lines of every good answer."""
        models = service.solution.spec.models.values()
        self.least_read = min((m.serve.limits.read.total_seconds() for m in models), default=60.0)
        """Seconds of the model that waits the least for a request to be sent."""
        self._ids = _request_ids()
        self._seen: dict[bytes, Key] = {}
        self._generation: float | None = None
        self._sure_until = 0.0
        self._reading: asyncio.Future[None] | None = None
        self._waiting: list[Ask] = []
        self._planned = False

    def admit(self, name: str, headers: Headers, to: Reply) -> Ask | None:
        """The request, if this path can answer it; raises Refused where it is not to be answered now."""
        authorization = content = b""
        length, secure = 0, False
        for header, value in headers:
            if header == b"authorization":
                if authorization:
                    return None
                authorization = value
            elif header == b"content-type":
                if content:
                    return None
                content = value
            elif header == b"content-length":
                length = int(value) if len(value) <= 18 and value.isdigit() else 1 << 60
            elif header in (b"content-encoding", b"upgrade"):
                return None
            elif header == _FORWARDED:
                secure = is_https("", value.decode("latin-1"))
        to.secure = secure
        began = time.perf_counter()
        if began < self._sure_until:
            key = self._seen.get(authorization) or self._key(authorization, began)
        else:
            key = self._key(authorization, began)
        shelved = self.service.shelf.find(name)
        if key is None or shelved is None or content not in JSON:
            return None
        limits = shelved.model.serve.limits
        wait = self.service.limiter.take(f"{key.id} {name}", limits.per_minute)
        if wait:
            raise too_many(wait)
        full = not self.service.work.has_room(name, limits.queue)
        if full and shelved.model.serve.fallback is None:
            raise overloaded()
        if length > limits.body:
            raise too_large(limits.body)
        return Ask(shelved, key, headers, to, next(self._ids), began, full)

    def _key(self, authorization: bytes, now: float) -> Key | None:
        """The valid key of a header as far as it is known without reading, with what may be asked of it."""
        ring = self.service.keyring
        if not ring.is_fresh():
            return None
        self._sure_until = now + SURE_SECONDS
        if ring.generation != self._generation:
            self._seen.clear()
            self._generation = ring.generation
        if ring.is_due() and self._reading is None:
            self._reading = asyncio.get_running_loop().run_in_executor(None, ring.refresh)
            self._reading.add_done_callback(self._read)
        key = self._seen.get(authorization)
        if key is None:
            kind, _space, text = authorization.decode("latin-1").partition(" ")
            found = ring.known(text.strip(), self.service.solution.clock.now()) if kind.lower() == "bearer" else None
            if found is not None and "predict" in found.scopes and len(self._seen) < MOST_REMEMBERED:
                key = self._seen[authorization] = found
        return key

    def _read(self, done: asyncio.Future[None]) -> None:
        self._reading = None
        if not done.cancelled() and isinstance(done.exception(), UserError):
            _log.warning("keys cannot be read")

    def submit(self, ask: Ask, body: bytes) -> asyncio.Task[None] | None:
        """Answer ``body``, at the end of this turn of the loop or, where a task is returned, from a thread."""
        compiled = ask.shelved.compiled
        if ask.full or compiled is None or not compiled.pace.most_rows or len(body) > MOST_INLINE:
            return self._in_thread(ask, body)
        rows = compiled.read(body)
        fed = compiled.feed(rows) if rows is not None else None
        if rows is None or fed is None:
            if len(body) > MOST_DIAGNOSED:
                return self._in_thread(ask, body)
            self._explain(ask, body)
            return None
        if len(rows) > compiled.pace.most_rows:
            return self._in_thread(ask, body)
        ask.rows, ask.fed = rows, fed
        self._waiting.append(ask)
        if len(self._waiting) >= ask.shelved.model.serve.limits.queue:
            self.flush()  # as many as may wait: computing them now holds the next ones back
        elif not self._planned:
            self._planned = True
            asyncio.get_running_loop().call_soon(self._turn)
        return None

    def _turn(self) -> None:
        self._planned = False
        self.flush()

    def flush(self) -> None:
        """Compute and answer everything that waits."""
        waiting, self._waiting = self._waiting, []
        while waiting:
            shelved = waiting[0].shelved
            assert shelved.compiled is not None
            room = MOST_TOGETHER
            taken: list[Ask] = []
            rest: list[Ask] = []
            for ask in waiting:
                if ask.shelved is shelved and (not taken or room >= len(ask.fed)):
                    taken.append(ask)
                    room -= len(ask.fed)
                else:
                    rest.append(ask)
            self._answer(shelved, shelved.compiled, taken)
            waiting = rest

    def _answer(self, shelved: Shelved, compiled: Compiled, asks: Sequence[Ask]) -> None:
        try:
            fed = [row for ask in asks for row in ask.fed]
            if shelved.cache is None:
                found = compiled.compute(fed)
            else:
                found = shelved.cache.answers([row for ask in asks for row in ask.rows], fed, compiled.compute)
        except Exception as error:
            if len(asks) > 1:  # none of them pays for another
                for ask in asks:
                    self._answer(shelved, compiled, [ask])
                return
            failed(_log, where(error), asks[0].id)
            self.refuse(asks[0], fault())
            return
        labels, record, named = compiled.labels, self.service.recorder, compiled.as_mapping
        all_kept = record.keeps_all(shelved.name)
        start = f'{{"model":"{shelved.name}","version":"{shelved.version}","predictions":['
        moment, place, kept = self.service.solution.clock.now(), 0, []
        for ask in asks:
            size = len(ask.fed)
            mine = found[place : place + size]
            place += size
            said = ",".join(
                [f'{{"label":{labels[o[0]]},"confidence":{round(o[1], 6)!r},"decide":"{o[2]}"}}' for o in mine]
            )
            ask.to.reply_well(ask.id, f"{start}{said}]}}".encode())
            if all_kept or record.wants(shelved.name, ask.id):
                by = f"key:{ask.key.id}"
                kept.append(Answered(moment, ask.id, shelved.name, shelved.version, by, ask.rows, mine, named))
        if kept:
            record.add_all(kept)
        now = time.perf_counter()
        self.service.metrics.requests_of("POST", ROUTE, 200, [now - ask.began for ask in asks])
        self.service.metrics.predicted(shelved.name, shelved.version, [o[2] for o in found])
        if _log.isEnabledFor(logging.INFO):
            for ask in asks:
                predicted(_log, shelved.name, shelved.version, len(ask.rows), ask.id)
                answered(_log, "POST", ROUTE, 200, now - ask.began, ask.id)

    def _in_thread(self, ask: Ask, body: bytes) -> asyncio.Task[None]:
        with use(self._language(ask.headers)):
            return asyncio.get_running_loop().create_task(self._slowly(ask, body))

    async def _slowly(self, ask: Ask, body: bytes) -> None:
        shelved, most = ask.shelved, ask.shelved.model.serve.limits.rows
        try:
            _rows, answer = await self.service.predict(
                shelved,
                lambda: decode(body, shelved.package, most),
                request_id=ask.id,
                by=f"key:{ask.key.id}",
                for_program=True,
            )
        except Refused as refused:
            self.refuse(ask, refused)
        except UserError as error:
            problem = ProblemDocument(503, error.code, error.problems[0].what, headers={"retry-after": "5"})
            self._problem(ask, problem)
        except Exception as error:
            failed(_log, where(error), ask.id)
            self.refuse(ask, fault())
        else:
            ask.to.reply_well(ask.id, _encode(answer.as_dict()))
            self.count(200, time.perf_counter() - ask.began, ask.id)

    def _explain(self, ask: Ask, body: bytes) -> None:
        with use(self._language(ask.headers)):
            try:
                decode(body, ask.shelved.package, ask.shelved.model.serve.limits.rows)
                # The typed reader is stricter nowhere that we know of; were it so, the thread answers.
                task = self._in_thread(ask, body)
                task.add_done_callback(lambda done: done.cancelled() or done.exception())
            except Refused as refused:
                self.refuse(ask, refused)
            except Exception as error:
                failed(_log, where(error), ask.id)
                self.refuse(ask, fault())

    def refuse(self, ask: Ask, refused: Refused, *, close: bool = False) -> None:
        """Answer a request with a problem document."""
        self._problem(ask, refused.problem, close=close)

    def _problem(self, ask: Ask, problem: ProblemDocument, *, close: bool = False) -> None:
        headers, body = self.document(problem, ask.id, ask.headers)
        ask.to.reply(problem.status, headers, body, close=close)
        self.count(problem.status, time.perf_counter() - ask.began, ask.id)

    def document(
        self, problem: ProblemDocument, request_id: str | None = None, headers: Headers = ()
    ) -> tuple[bytes, bytes]:
        """The header lines and the body of a problem, in the client's language."""
        request_id = request_id or next(self._ids)
        with use(self._language(headers)):
            named = {name: value for name, value in problem.all_headers().items() if name != "connection"}
            lines = {**self._safe, **named, "content-type": MEDIA_TYPE, "x-request-id": request_id}
            return _lines(lines)[:-2], problem.body(request_id)

    def count(self, status: int, seconds: float, request_id: str) -> None:
        self.service.metrics.request("POST", ROUTE, status, seconds)
        answered(_log, "POST", ROUTE, status, seconds, request_id)

    def _language(self, headers: Headers) -> str:
        accept = cookie = ""
        for name, value in headers:
            if name == b"accept-language" and not accept:
                accept = value.decode("latin-1")
            elif name == b"cookie" and not cookie:
                cookie = value.decode("latin-1")
        return self._negotiate(accept, cookie)


def _lines(headers: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")


def _request_ids() -> Iterator[str]:
    """Random ids of 16 hexadecimal digits, 256 at a time."""
    while True:
        block = os.urandom(8 * 256).hex()
        for start in range(0, len(block), 16):
            yield block[start : start + 16]
