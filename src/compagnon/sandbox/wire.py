"""A small HTTP/1.1 server on loopback that can also misbehave: byte by byte, late, or broken off in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

LARGEST_HEAD = 65_536
LARGEST_BODY = 16_000_000
_REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    413: "Content Too Large", 422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One request as it came; names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; raises ValueError."""
        return json.loads(self.body or b"null")


class Broken(Exception):
    """Raised by a handler to end the connection there, without a word."""


class Reply:
    """What a handler writes with: a whole answer, or a head and then chunks."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.chunked = False

    async def whole(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self._head(status, {"content-type": kind, "content-length": str(len(body)), **(headers or {})})
        self._writer.write(body)
        await self._writer.drain()

    async def json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        await self.whole(status, body, "application/json", headers)

    async def begin(self, status: int, kind: str, headers: dict[str, str] | None = None) -> None:
        self.chunked = True
        self._head(status, {"content-type": kind, "transfer-encoding": "chunked", **(headers or {})})
        await self._writer.drain()

    async def chunk(self, data: bytes) -> None:
        self._writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await self._writer.drain()

    async def end(self) -> None:
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    def _head(self, status: int, headers: dict[str, str]) -> None:
        lines = [
            f"HTTP/1.1 {status} {_REASONS.get(status, '')}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))


Handler = Callable[[Call, Reply], Awaitable[None]]


class Server:
    """Serves ``handler`` on 127.0.0.1 from a thread of its own, between ``start`` and ``stop``."""

    def __init__(self, handler: Handler, name: str) -> None:
        self._handler, self._name = handler, name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._over: asyncio.Event | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, port: int = 0) -> None:
        """Begin to listen; 0 lets the system choose. Raises OSError where the port is taken."""
        ready = threading.Event()
        failed: list[OSError] = []

        def serve() -> None:
            try:
                asyncio.run(self._serve(port, ready))
            except OSError as error:
                failed.append(error)
            finally:
                ready.set()

        self._thread = threading.Thread(target=serve, name=self._name, daemon=True)
        self._thread.start()
        ready.wait()
        if failed:
            self._thread.join()
            raise failed[0]

    def stop(self) -> None:
        """End all connections and wait for the thread."""
        if self._loop is not None and self._over is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._over.set)
        if self._thread is not None:
            self._thread.join()

    async def _serve(self, port: int, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await self._converse(reader, writer)
            except asyncio.CancelledError:
                # The server stops; asyncio's stream callback would report a cancelled task as an error.
                return
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", port, limit=LARGEST_HEAD, backlog=512)
        self.port = int(server.sockets[0].getsockname()[1])
        ready.set()
        await self._over.wait()
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, Broken):
            while True:
                call = await _read(reader)
                reply = Reply(writer)
                if call is None:
                    await reply.whole(413, b"", "text/plain")
                    return
                await self._handler(call, reply)
                if call.headers.get("connection", "").lower() == "close":
                    return


async def _read(reader: asyncio.StreamReader) -> Call | None:
    """One request; None where its body is too large."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, _space, rest = first.partition(" ")
    headers = {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    text = headers.get("content-length", "0")
    length = int(text) if text.isdigit() else 0
    if length > LARGEST_BODY:
        return None
    body = await reader.readexactly(length) if length else b""
    return Call(method, rest.partition(" ")[0].partition("?")[0], headers, body)
