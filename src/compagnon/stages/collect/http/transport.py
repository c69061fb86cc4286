"""Connections that check the address they really reach, and that end with the time of their request.

Imported late: it brings httpx.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpcore
import httpx

from compagnon.stages.collect.http import address


class AddressRefused(Exception):
    """A host resolves to an address that the solution did not declare."""

    def __init__(self, host: str, never: bool) -> None:
        super().__init__(host)
        self.host, self.never = host, never


class Deadline:
    """The moment at which the request at work must be over; a server that drips cannot move it."""

    def __init__(self) -> None:
        self._end = float("inf")

    def set(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, asked: float | None) -> float:
        """Seconds that an operation may take; raises httpcore.ReadTimeout when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time of the request is over")
        return left if asked is None else min(asked, left)


class Backend(httpcore.NetworkBackend):
    """Resolves once, checks each address found, and connects to what was checked: no second look-up can differ."""

    def __init__(self, private: bool, deadline: Deadline) -> None:
        self._private, self._deadline = private, deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for one in addresses:
            if address.is_never(one) or (address.is_private(one) and not self._private):
                raise AddressRefused(host, address.is_never(one))
        failure: Exception = httpcore.ConnectError("no address")
        for one in addresses:
            try:
                stream = self._inner.connect_tcp(one, port, self._deadline.left(timeout), local_address, socket_options)
                return _Stream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes share the time of the request."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    def __init__(self, parts: Any) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts

    def close(self) -> None:
        self._parts.close()


class Transport(httpx.BaseTransport):
    """httpx over connections of our own. ``sign`` adds the credentials last, where no log sees them."""

    def __init__(self, backend: Backend, sign: Callable[[httpx.Request], None] | None) -> None:
        self._sign = sign
        # Its debugging lines hold the headers of answers, and with them what servers repeat of the credentials.
        logging.getLogger("httpcore").setLevel(logging.INFO)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=4,
            max_keepalive_connections=4,
            keepalive_expiry=30,
            network_backend=backend,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = request
        if self._sign is not None:
            sent = httpx.Request(
                request.method,
                request.url,
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
            self._sign(sent)
        response = self._pool.handle_request(
            httpcore.Request(
                sent.method,
                httpcore.URL(
                    scheme=sent.url.raw_scheme, host=sent.url.raw_host, port=sent.url.port, target=sent.url.raw_path
                ),
                headers=sent.headers.raw,
                content=sent.stream,
                extensions=sent.extensions,
            )
        )
        return httpx.Response(
            response.status, headers=response.headers, stream=_Body(response.stream), extensions=response.extensions
        )

    def close(self) -> None:
        self._pool.close()
