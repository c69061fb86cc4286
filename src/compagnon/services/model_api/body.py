"""Reading a request's body within bounds: size before buffering, and time."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from compagnon.i18n import _, format_number
from compagnon.services.model_api.problem import Refused

READ_SECONDS = 10.0


async def read_body(request: Request, most: int, seconds: float = READ_SECONDS) -> bytes:
    """The body of at most ``most`` bytes; raises Refused 413 as soon as it is known to be longer, 408 if too slow."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > most):
        raise too_large(most)
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise too_large(most)
                parts.append(part)
    except TimeoutError:
        raise too_slow(seconds) from None
    except ClientDisconnect:
        raise Refused(400, "request.cut-off", _("The connection ended before the body.")) from None
    return b"".join(parts)


def too_slow(seconds: float) -> Refused:
    what = _("The body did not arrive within {seconds} s.").format(seconds=format_number(seconds, 0))
    return Refused(408, "request.too-slow", what, headers={"connection": "close"})


def too_large(most: int) -> Refused:
    what = _("The body is too large: at most {most} bytes are taken.").format(most=format_number(most))
    return Refused(413, "request.too-large", what)


def require_json(request: Request) -> None:
    """Raises Refused 415 unless the body is declared as JSON (in UTF-8)."""
    kind, _sep, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in ("", "utf-8", "utf8"):
        raise Refused(
            415,
            "request.not-json",
            _("Send the rows as JSON in UTF-8, with Content-Type: application/json."),
            headers={"accept-post": "application/json"},
        )
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(
            415, "request.encoded", _("Compressed bodies are not taken."), headers={"accept-encoding": "identity"}
        )
