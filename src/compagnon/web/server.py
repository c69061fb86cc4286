"""The server: one port on this machine, API and pages, until it is asked to stop."""

from __future__ import annotations

import contextlib
import errno
import gc
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.requests import cookie_parser
from starlette.types import ASGIApp

from compagnon.access.account import count_accounts
from compagnon.access.first import first_link
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.model_api.fast import FastPath
from compagnon.services.model_api.protocol import protocol_of
from compagnon.services.model_api.service import ModelService, make_service
from compagnon.web.app import create_app
from compagnon.web.guard import SAFE_HEADERS
from compagnon.web.language import COOKIE, negotiate
from compagnon.web.worker import Worker

if TYPE_CHECKING:
    from compagnon.solution import Solution

DRAIN_SECONDS = 15
"""Seconds given to requests at work when the server stops."""
KEEP_ALIVE_SECONDS = 20


def serve(
    solution: Solution,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    work: bool = True,
    on_ready: Callable[[str, bool], None] = lambda address, pages: None,
    on_first: Callable[[str], None] | None = None,
    service: ModelService | None = None,
    names: Collection[str] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, then end what is at work and write what was answered.

    ``port`` 0 takes a free one. ``on_ready`` is called with the address and whether pages are on: they are where
    nobody but this machine can reach the server, and everywhere once there is an account. Until then ``on_first``
    is called before, with the one-time link that creates the administrator; without it no such link is made.
    ``names``: what the server is called from elsewhere, such as the proxy's public name.
    ``work``: queued runs are done by a process beside the server.
    Raises UserError: ``serve.port-busy``, ``serve.bad-address``.
    """
    pages = is_loopback(host) or count_accounts(solution.engine) > 0
    with contextlib.closing(listen(host, port)) as listening:
        address = address_of(host, listening.getsockname()[1])
        models = service or make_service(solution)
        app = create_app(solution, pages=pages, service=models, names={host, *names})

        def ready() -> None:
            token = first_link(solution.engine, solution.clock.now()) if pages and on_first else None
            if token and on_first:
                on_first(f"{address}/first/{token}")
            settle()
            on_ready(address, pages)

        server = make_server(app, ready, models)
        with Worker(solution) if work else contextlib.nullcontext():
            server.run(sockets=[listening])
    if not server.started:
        raise UserError("serve.not-started", _("The server could not start; the log says why."))


def settle() -> None:
    """Take what was made until now out of later searches for garbage: it lives as long as the server.

    Such a search goes through every object, for tens of milliseconds, while nobody is answered.
    """
    gc.collect()
    gc.freeze()


def make_server(
    app: ASGIApp, on_ready: Callable[[], None] = lambda: None, fast: ModelService | None = None
) -> uvicorn.Server:
    """The HTTP server of an application, set as we want it; ``on_ready`` is called when it listens.

    ``fast``: the application's models, whose predictions are then answered without its layers.
    """
    protocol = protocol_of(FastPath(fast, SAFE_HEADERS, _language)) if fast else None
    config = uvicorn.Config(
        app,
        http=protocol or "httptools",
        loop="auto",
        lifespan="on",
        ws="none",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return _Server(config, on_ready)


def _language(accept: str, cookies: str) -> str:
    return negotiate(accept, cookie_parser(cookies).get(COOKIE))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises UserError."""
    if not 0 <= port <= 65535:
        raise _bad_address(host, port)
    try:
        family, kind, protocol, _name, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, OverflowError) as error:
        raise _bad_address(host, port) from error
    listening = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "SO_REUSEADDR"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        # Bound is not yet taken: only listening tells that nobody else does.
        listening.listen(2048)
    except OverflowError as error:
        listening.close()
        raise _bad_address(host, port) from error
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                "serve.port-busy",
                _("Port {port} is in use by another program.").format(port=port),
                next=_("Stop that program, or take another port: compagnon serve --port {port}").format(port=port + 1),
            ) from error
        raise _bad_address(host, port) from error
    listening.set_inheritable(False)
    return listening


def address_of(host: str, port: int) -> str:
    """The address to open, for example ``http://127.0.0.1:8000``."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bad_address(host: str, port: int) -> UserError:
    return UserError(
        "serve.bad-address",
        _("This machine cannot listen on {host}, port {port}.").format(host=host, port=port),
        next=_("Take an address of this machine, such as 127.0.0.1, and a port between 1024 and 65535."),
    )


class _Server(uvicorn.Server):
    """uvicorn's server that says when it is ready and ends as asked, without raising the signal again."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and not self.should_exit:
            self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.should_exit and number == signal.SIGINT:
            self.force_exit = True  # asked twice: do not wait for requests at work
        self.should_exit = True
