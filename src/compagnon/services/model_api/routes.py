"""The routes of the model API."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from compagnon.access.keys import Key
from compagnon.access.origin import Origin
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.model_api import metrics as metrics_format
from compagnon.services.model_api.body import read_body, require_json
from compagnon.services.model_api.decode import decode
from compagnon.services.model_api.diagnose import shown
from compagnon.services.model_api.openapi import describe, document
from compagnon.services.model_api.peer import address_of
from compagnon.services.model_api.problem import FieldError, Refused
from compagnon.services.model_api.service import ModelService
from compagnon.services.model_api.work import overloaded

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
MOST_UNKNOWN_KEYS = 60
"""Unknown keys that one address may send in a minute."""
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def make_router(service: ModelService) -> APIRouter:
    """Model API, health and metrics over ``service``."""
    router = APIRouter()

    async def predict(request: Request) -> Response:
        key = await authorized(service, request, "predict")
        shelved = service.shelf.get(request.path_params["name"])
        explain = _flag(request, "explain")
        limits = shelved.model.serve.limits
        wait = service.limiter.take(f"{key.id} {shelved.name}", limits.per_minute)
        if wait:
            raise too_many(wait)
        require_json(request)
        if not service.work.has_room(shelved.name, limits.queue) and shelved.model.serve.fallback is None:
            raise overloaded()
        body = await read_body(request, limits.body, limits.read.total_seconds())
        _rows, answer = await service.predict(
            shelved,
            lambda: decode(body, shelved.package, limits.rows),
            request_id=request.state.request_id,
            by=f"key:{key.id}",
            explain=explain,
            for_program=True,
        )
        return _json(answer.as_dict())

    async def models(request: Request) -> Response:
        await _known(service, request)
        found = [describe(shelved) for name in service.shelf.names if (shelved := service.shelf.find(name))]
        return _json({"models": found})

    async def model(request: Request) -> Response:
        await _known(service, request)
        return _json(describe(service.shelf.get(request.path_params["name"])))

    async def openapi(request: Request) -> Response:
        await _known(service, request)
        return _json(document(service.solution.spec, service.shelf))

    async def live(request: Request) -> Response:
        return _json({"status": "alive"})

    async def ready(request: Request) -> Response:
        is_ready = service.shelf.is_ready()
        answer: dict[str, Any] = {"status": "ready" if is_ready else "not-ready"}
        if is_local(request):
            answer["models"] = service.shelf.state()
        return _json(answer, 200 if is_ready else 503, {} if is_ready else {"retry-after": "5"})

    async def metrics(request: Request) -> Response:
        await _known(service, request)
        return Response(service.metrics_text(), media_type=metrics_format.MEDIA_TYPE)

    add = router.add_api_route
    add("/api/models/{name}/predict", predict, methods=["POST"], include_in_schema=False)
    add("/api/models/{name}", model, methods=["GET"], include_in_schema=False)
    add("/api/models", models, methods=["GET"], include_in_schema=False)
    add("/api/openapi.json", openapi, methods=["GET"], include_in_schema=False)
    add("/health/live", live, methods=["GET"], include_in_schema=False)
    add("/health/ready", ready, methods=["GET"], include_in_schema=False)
    add("/metrics", metrics, methods=["GET"], include_in_schema=False)
    return router


def is_local(request: Request) -> bool:
    """Whether the request comes from this machine, by its own name, and not through a proxy that says so."""
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    forwarded = any(name in request.headers for name in _FORWARDED)
    return address.is_loopback and is_local_name(request.headers.get("host", "")) and not forwarded


def is_local_name(host: str) -> bool:
    """Whether a Host header (name or address, with or without port) means this machine."""
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        if not bracket:
            return False
        port = port.removeprefix(":")
    else:
        name, _colon, port = host.partition(":")
    return name.lower() in LOCAL_NAMES and (port == "" or (port.isascii() and port.isdigit()))


async def authorized(service: ModelService, request: Request, scope: str | None) -> Key:
    """The valid key of a request; raises Refused 401 or 403."""
    kind, _space, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not text.strip():
        raise _unknown_key("key.missing", _("Send a key: Authorization: Bearer KEY."), "")
    text, now = text.strip(), service.solution.clock.now()
    key = service.keyring.known(text, now)
    if key is None:
        try:
            key = await asyncio.to_thread(service.keyring.find, text, now)
        except UserError:
            detail = _("Keys cannot be checked at the moment.")
            raise Refused(503, "key.unchecked", detail, headers={"retry-after": "2"}) from None
    if key is None:
        _count_unknown(service, request)
        raise _unknown_key("key.unknown", _("This key is unknown, over or revoked."), ', error="invalid_token"')
    if scope is not None and scope not in key.scopes:
        what = _("This key does not allow it: the scope {scope} is needed.").format(scope=scope)
        challenge = f'Bearer realm="compagnon", error="insufficient_scope", scope="{scope}"'
        raise Refused(403, "key.scope", what, headers={"www-authenticate": challenge})
    return key


def _count_unknown(service: ModelService, request: Request) -> None:
    """Raises Refused 429 for an address that has sent too many unknown keys; at most one line a second is logged."""
    source = Origin(address_of(request)).source
    wait = service.limiter.take(f"unknown-key {source}", MOST_UNKNOWN_KEYS)
    if not service.limiter.take("unknown-key-logged", 60):
        _log.warning("unknown key")
    if wait:
        seconds = max(1, int(wait + 0.999))
        what = _("Too many unknown keys came from this address; wait {seconds} s.").format(seconds=seconds)
        raise Refused(429, "key.too-many-unknown", what, headers={"retry-after": str(seconds)})


async def _known(service: ModelService, request: Request) -> None:
    """Lets through requests from this machine, and others with any valid key."""
    if not is_local(request):
        await authorized(service, request, None)


def _unknown_key(code: str, detail: str, more: str) -> Refused:
    return Refused(401, code, detail, headers={"www-authenticate": f'Bearer realm="compagnon"{more}'})


def too_many(wait: float) -> Refused:
    seconds = max(1, int(wait + 0.999))
    what = _("This key has asked too often; wait {seconds} s.").format(seconds=seconds)
    return Refused(429, "request.too-many", what, headers={"retry-after": str(seconds)})


def _flag(request: Request, name: str) -> bool:
    """The only parameter there is, true or false; others are refused, as a misspelt one would change nothing."""
    unknown = [shown(other) for other in dict.fromkeys(request.query_params) if other != name]
    if unknown:
        what = _("There is no such parameter; only `{name}` is taken.").format(name=name)
        raise Refused(422, "request.query", what, errors=[FieldError(None, other, "extra", what) for other in unknown])
    values = request.query_params.getlist(name)
    if not values:
        return False
    if len(values) > 1 or values[0] not in ("true", "false"):
        what = _("{name} is true or false.").format(name=name)
        raise Refused(422, "request.query", what, errors=[FieldError(None, name, "type", what)])
    return values[0] == "true"


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        _encode(value),
        status,
        media_type="application/json",
        headers={"cache-control": "no-store", **(headers or {})},
    )
