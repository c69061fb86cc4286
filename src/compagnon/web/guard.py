"""What surrounds every request: its id, its language, safe headers, counting, and the last net for faults.

The log names routes by their template and never holds what a client sent: no query, no path, no header, no body.
"""

from __future__ import annotations

import logging
import secrets as random
import time
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from compagnon.i18n import use
from compagnon.services.model_api.log import answered, bound, failed
from compagnon.services.model_api.metrics import Metrics
from compagnon.services.model_api.peer import FORWARDED_SCHEME, STRICT_TRANSPORT, is_https
from compagnon.services.model_api.problem import where
from compagnon.web.language import COOKIE, negotiate

_log = logging.getLogger(__name__)

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
SAFE_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    # Not no-referrer: browsers then send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Guard:
    """An ASGI application around ours."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        chosen = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        language = negotiate(headers.get("accept-language", ""), chosen)
        request_id = random.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        scope["state"]["language"] = language
        status, started = 500, time.perf_counter()

        async def send_safely(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answer = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    answer.setdefault(name, value)
                answer["x-request-id"] = request_id
                if is_https(scope["scheme"], headers.get(FORWARDED_SCHEME, "")):
                    answer["strict-transport-security"] = STRICT_TRANSPORT
                for cookie in scope["state"].get("cookies", {}).values():
                    answer.append("set-cookie", cookie)
            await send(message)

        with use(language), bound(request_id):
            try:
                await self._run(scope, receive, send_safely)
            finally:
                self._account(scope, status, time.perf_counter() - started)

    async def _run(self, scope: Scope, receive: Receive, send: Callable[[Message], Awaitable[None]]) -> None:
        complete = False

        async def watch(message: Message) -> None:
            nonlocal complete
            complete = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            # Starlette has answered with our page or document, and raises again for the log: this is the log.
            failed(_log, where(error))
            if not complete:
                raise ConnectionError("the answer was cut off") from None

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = template(scope)
        self.metrics.request(method, route, status, seconds)
        if not route.startswith("/static"):
            answered(_log, method, route, status, seconds)


def template(scope: Scope) -> str:
    """The template of the route that answered, such as ``/runs/{id}``; ``-`` where there was none."""
    return str(getattr(scope.get("route"), "path", None) or "-")


__all__ = ["CONTENT_POLICY", "METHODS", "SAFE_HEADERS", "Guard", "template", "where"]
