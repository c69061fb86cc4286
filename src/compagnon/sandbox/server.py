"""The HTTP server of the practice sources: on loopback, and nowhere else."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.sandbox.exchange import Reply, Request

HOST = "127.0.0.1"
_LARGEST = 1 << 16
"""Bytes of a request's body."""
_DRIP = 0.2
"""Seconds between two bytes."""


class Server:
    """Answers with ``answer`` from a thread of its own until ``stop``; ``port`` 0 takes a free one."""

    def __init__(self, answer: Callable[[Request], Reply], port: int = 0) -> None:
        try:
            self._http = _Threads((HOST, port), _Handler)
        except OSError as error:
            raise UserError(
                "sandbox.port-busy",
                _("Port {port} is in use by another program.").format(port=port),
                next=_("Take another port, or 0 for a free one: compagnon sandbox --port 0"),
            ) from error
        self._http.answer = answer
        self.port: int = self._http.server_address[1]
        self.address = f"http://{HOST}:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Refuse connections from now on, those that are open too; a second call does nothing."""
        if self._http.stopped.is_set():
            return
        self._http.stopped.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.answer: Callable[[Request], Reply] = lambda request: Reply(404)
        self.stopped = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news; anything else would show in the reply."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    server: _Threads

    def _handle(self) -> None:
        size = self.headers.get("Content-Length") or "0"
        if not size.isdigit() or int(size) > _LARGEST:
            self.close_connection = True
            self._send(Reply(413))
            return
        parts = urlsplit(self.path)
        query: dict[str, str] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            query.setdefault(name, value)
        headers = {name.lower(): value for name, value in self.headers.items()}
        # A page of the web that a browser shows must not reach this server under a name of its own.
        if headers.get("host", "").partition(":")[0] not in (HOST, "localhost"):
            self._send(Reply(421))
            return
        request = Request(self.command, parts.path, query, headers, self.rfile.read(int(size)))
        try:
            reply = self.server.answer(request)
        except Exception:
            reply = Reply(500)
        self._send(reply)

    do_GET = do_POST = do_HEAD = _handle  # noqa: N815  names that the library calls

    def _send(self, reply: Reply) -> None:
        if reply.how == "drop":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        phrase = http.client.responses.get(reply.status, "")
        lines = [f"HTTP/1.1 {reply.status} {phrase}", f"Content-Length: {len(reply.body)}"]
        if reply.status != 304:
            lines.append(f"Content-Type: {reply.kind}")
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        lines += ["X-Content-Type-Options: nosniff", "Cache-Control: no-store"]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        body = b"" if self.command == "HEAD" or reply.status == 304 else reply.body
        if reply.how == "half":
            self.close_connection = True
            self.wfile.write(head + body[: len(body) // 2])
        elif reply.how == "drip":
            self.close_connection = True
            self.wfile.write(head)
            for place in range(len(body)):
                if self.server.stopped.is_set():
                    return
                self.wfile.write(body[place : place + 1])
                time.sleep(_DRIP)
        else:
            self.wfile.write(head + body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: addresses may hold the token."""
