"""uvicorn's HTTP protocol, answering predictions from the parser's callbacks; everything else is uvicorn's own code.

While a prediction is at work on a connection, a stand-in takes the place of uvicorn's current cycle: requests that
follow on the same connection then wait in uvicorn's own pipeline, and are answered in their order.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from compagnon.i18n import _
from compagnon.services.model_api.body import too_large, too_slow
from compagnon.services.model_api.fast import Ask, FastPath
from compagnon.services.model_api.peer import STRICT_TRANSPORT
from compagnon.services.model_api.problem import ProblemDocument, Refused

HEAD_SECONDS = 10.0
"""Time that a client may take to send the request line and headers."""
STUCK_SECONDS = 30.0
"""Time that a client may leave answers unread."""
LINGER_SECONDS = 2.0
"""Time during which what still comes after a refusal is read and dropped: closing at once would reset the client."""
LINGER_BYTES = 4_000_000
GRACE_SECONDS = 0.5
"""Time after which silent connections are closed when the server stops: a request may be on its way."""
MOST_HEAD = 65_536
"""Bytes of a request line and headers."""

STRICT = b"\r\nstrict-transport-security: " + STRICT_TRANSPORT.encode()

_ORDINARY, _TAKING, _DROPPING, _OVER = range(4)


class _StandIn:
    """What uvicorn sees in the place of a cycle while a prediction is at work."""

    def __init__(self) -> None:
        self.response_complete = True
        self.disconnected = False
        self.keep_alive = True
        self.message_event = asyncio.Event()


class _Flow(FlowControl):
    """Reads on only where nothing waits.

    uvicorn resumes reading whenever an application asks for a body: requests sent without waiting, or by a client that
    reads no answers, then fill its pipeline without bound.
    """

    def __init__(self, transport: asyncio.Transport, protocol: PredictProtocol) -> None:
        super().__init__(transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        if self._protocol.may_read():
            super().resume_reading()


class PredictProtocol(HttpToolsProtocol):
    """One connection. ``fast`` is set by ``protocol_of``."""

    fast: FastPath
    secure = False
    _ready: bytes = b""
    _ready_for: list[tuple[bytes, bytes]] | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._mode = _ORDINARY
        self._ask: Ask | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._stand_in = _StandIn()
        self._running: RequestResponseCycle | None = None
        self._keep = True
        self._draining = False
        self._bad: str | None = None
        self._in_head = False
        self._head_size = 0
        self._begun = 0.0
        self._last = self.loop.time()
        self._stuck: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport, self)
        self._look_again()

    def may_read(self) -> bool:
        """Whether there is room for more requests: none waits behind another, and answers are being read."""
        return not self.pipeline and not self.flow.write_paused and self._bad is None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._parts, self._ask = [], None
        if self._running is not None:  # uvicorn tells the newest request only, which may still have waited
            self._running.disconnected = True
            self._running.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._mode == _OVER:
            self._size += len(data)
            if self._size > LINGER_BYTES:
                self.transport.close()
            return
        before = self._in_head
        super().data_received(data)
        if before and self._in_head:
            self._head_size += len(data)
            if self._head_size > MOST_HEAD and not self._is_at_work():
                self._end_with(ProblemDocument(431, "request.head-too-large", _("Request too large")))

    def pause_writing(self) -> None:
        """The client does not read: taking more of its requests would fill memory."""
        super().pause_writing()
        self._stuck = self.loop.time()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stuck = None
        self.flow.resume_reading()

    def shutdown(self) -> None:
        """Answer what has come and what is on its way with ``connection: close``, then close."""
        self._draining = True
        if self._is_at_work() and self._stand_in.response_complete:
            super().shutdown()
        self.loop.call_later(GRACE_SECONDS, self._drained)

    def _drained(self) -> None:
        if self.transport.is_closing():
            return
        if self._is_at_work() or self._in_head or self._mode == _TAKING:
            self.loop.call_later(GRACE_SECONDS, self._drained)
        else:
            self.transport.close()

    def _is_at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # The parser

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head, self._head_size, self._begun = True, 0, self.loop.time()

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._mode == _OVER:
            return
        name = self.fast.paths.get(self.url)
        if name is None or self._is_at_work() or self.parser.get_method() != b"POST":
            self._leave_to_uvicorn()
            return
        self._keep = self.parser.should_keep_alive() and self.parser.get_http_version() == "1.1"
        try:
            ask = self.fast.admit(name, self.headers, self)
        except Refused as refused:
            self._refuse_head(refused)
            return
        if ask is None:
            self._leave_to_uvicorn()
            return
        self._mode, self._ask, self._parts, self._size = _TAKING, ask, [], 0
        if self.expect_100_continue:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _leave_to_uvicorn(self) -> None:
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)
        self._mode = _ORDINARY
        super().on_headers_complete()
        if self._draining:
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        if self._mode == _ORDINARY:
            super().on_body(body)
            return
        self._size += len(body)
        if self._mode == _TAKING:
            assert self._ask is not None
            self._parts.append(body)
            if self._size > self._ask.most:
                self._refuse_body(too_large(self._ask.most))
        elif self._mode == _DROPPING and self._size > LINGER_BYTES:
            self.transport.close()

    def on_message_complete(self) -> None:
        if self._mode == _ORDINARY:
            super().on_message_complete()
        elif self._mode == _DROPPING:
            self._mode = _ORDINARY
        elif self._mode == _TAKING:
            ask, parts = self._ask, self._parts
            assert ask is not None
            self._mode, self._ask, self._parts = _ORDINARY, None, []
            self._stand_in.response_complete = False
            self.cycle = self._stand_in  # type: ignore[assignment]
            task = self.fast.submit(ask, parts[0] if len(parts) == 1 else b"".join(parts))
            if task is not None:
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    # Answers

    def reply_well(self, request_id: str, body: bytes) -> None:
        """Write a good answer; what all of them begin with is put together once a second."""
        lines = self.server_state.default_headers
        if self._ready_for is not lines:
            every = b"".join(b"%b: %b\r\n" % line for line in lines)
            cls = type(self)
            cls._ready_for, cls._ready = lines, STATUS_LINE[200] + every + self.fast.well + b"x-request-id: "
        keep = self._keep and not self._draining
        end = b"\r\n\r\n" if keep else b"\r\nconnection: close\r\n\r\n"
        if self.secure:
            end = STRICT + end
        self._send(b"%b%b\r\ncontent-length: %d%b%b" % (self._ready, request_id.encode(), len(body), end, body), keep)

    def reply(self, status: int, headers: bytes, body: bytes, *, close: bool = False) -> None:
        """Write one answer; ``headers`` end without a line break. Then go on, or close."""
        keep = self._keep and not close and not self._draining
        self._send(self._head(status, headers, len(body), keep) + body, keep, close)

    def _send(self, answer: bytes, keep: bool, close: bool = False) -> None:
        self._stand_in.response_complete = True
        self._last = self.loop.time()
        if self.transport is None or self.transport.is_closing():
            return
        self.server_state.total_requests += 1
        self.transport.write(answer)
        if self._bad is not None:
            self.send_400_response(self._bad)
        elif close:
            self._linger()
        elif not keep:
            self.transport.close()
        elif self.pipeline:
            self.server_state.total_requests -= 1  # counted again by uvicorn
            self.on_response_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._last = self.loop.time()
        if not self.transport.is_closing():
            self.flow.resume_reading()  # the one just begun may have more to come

    def send_400_response(self, msg: str) -> None:
        """What cannot be parsed is answered after what came before it."""
        if not self._stand_in.response_complete:
            self._bad = msg
            self.flow.pause_reading()
            return
        self._end_with(ProblemDocument(400, "request.malformed", _("Request that cannot be read")))

    def _head(self, status: int, headers: bytes, size: int, keep: bool) -> bytes:
        lines = [STATUS_LINE[status]]
        for name, value in self.server_state.default_headers:
            lines += (name, b": ", value, b"\r\n")
        lines += (headers, b"\r\ncontent-length: %d\r\n" % size)
        if self.secure:
            lines += (STRICT[2:], b"\r\n")
        lines.append(b"\r\n" if keep else b"connection: close\r\n\r\n")
        return b"".join(lines)

    def _refuse_head(self, refused: Refused) -> None:
        """Refuse before the body: it is dropped where it is short, else the connection ends."""
        ends = refused.problem.status == 413 or self.expect_100_continue
        headers, body = self.fast.document(refused.problem, None, self.headers)
        self._mode, self._size = (_OVER if ends else _DROPPING), 0
        self.fast.count(refused.problem.status, 0.0, "-")
        self.reply(refused.problem.status, headers, body, close=ends)

    def _refuse_body(self, refused: Refused) -> None:
        ask = self._ask
        assert ask is not None
        self._mode, self._ask, self._parts, self._size = _OVER, None, [], 0
        self.fast.refuse(ask, refused, close=True)

    def _end_with(self, problem: ProblemDocument) -> None:
        self._mode, self._size, self._bad, self._ask, self._parts = _OVER, 0, None, None, []
        headers, body = self.fast.document(problem, None, self.headers or ())
        self.transport.write(self._head(problem.status, headers, len(body), False) + body)
        if self._is_at_work():
            self.transport.close()  # uvicorn's own answer may still be written, to nobody
        else:
            self._linger()

    def _linger(self) -> None:
        self._mode = _OVER
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    # Time

    def _look_again(self) -> None:
        least = min(self.timeout_keep_alive, HEAD_SECONDS, STUCK_SECONDS, self.fast.least_read)
        self._timer = self.loop.call_later(least / 2, self._look)

    def _look(self) -> None:
        """One timer for each connection, whatever the number of its requests."""
        self._timer = None
        if self.transport.is_closing():
            return
        now = self.loop.time()
        if self._stuck is not None and now - self._stuck > STUCK_SECONDS:
            self.transport.abort()
        elif self._in_head and now - self._begun > HEAD_SECONDS and not self._is_at_work():
            self._end_with(ProblemDocument(408, "request.too-slow", _("Request sent too slowly")))
        elif self._ask is not None and now - self._begun > (most := self._ask.slowest):
            self._refuse_body(too_slow(most))
        elif self._is_idle() and now - self._last > self.timeout_keep_alive:
            self.transport.close()
        if not self.transport.is_closing():
            self._look_again()

    def _is_idle(self) -> bool:
        return not self._in_head and self._mode == _ORDINARY and not self._is_at_work()


def protocol_of(fast: FastPath) -> type[PredictProtocol]:
    """The protocol class that answers predictions through ``fast``."""
    return type("BoundPredictProtocol", (PredictProtocol,), {"fast": fast})
