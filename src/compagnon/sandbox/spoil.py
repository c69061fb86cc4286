"""What a fault makes of a request or of its reply."""

from __future__ import annotations

import functools
import gzip
import json
import zlib

from compagnon.sandbox.api import Api
from compagnon.sandbox.exchange import Reply, Request, problem

_LOGIN = b"<!doctype html><title>Sign in</title><form><input name=password type=password></form>"


def before(fault: str, request: Request, api: Api) -> Reply | None:
    """The reply that comes in place of the true one; None where the true one is made."""
    where = f"{fault} {request.path} {sorted(request.query.items())}"
    if fault == "down":
        return Reply(how="drop")
    if fault == "flaky" and api.first_time(where):
        return problem(503, "Try again")
    if fault == "storm" and api.first_time(where, 2):
        return problem(429, "Too many requests", Retry_After="0")
    if fault == "busy":
        return problem(429, "Too many requests", Retry_After="3600")
    if fault == "expired":
        return problem(401, "Token expired", WWW_Authenticate='Bearer error="invalid_token"')
    if fault == "drip":
        return Reply(body=b"[" + b" " * 100_000, how="drip")
    if fault == "redirects":
        return Reply(302, headers={"Location": f"/faults/redirects{request.path}"})
    if fault == "elsewhere":
        return Reply(302, headers={"Location": f"http://elsewhere.example.org{request.path}"})
    if fault == "bomb":
        return Reply(body=_bomb(), headers={"Content-Encoding": "gzip"})
    if fault == "login":
        return Reply(body=_LOGIN, kind="text/html; charset=utf-8")
    return None


def after(fault: str, request: Request, reply: Reply) -> Reply:
    """The true reply, spoiled."""
    # The page after the first one, whatever the style of the pages.
    later = any(request.query.get(name, "0") not in ("0", "1") for name in ("page", "offset", "cursor"))
    if fault == "half" and (later or not request.path.startswith("/api/")):
        return Reply(reply.status, reply.body, reply.kind, reply.headers, "half")
    if fault == "latin":
        text = reply.body.decode("utf-8")
        return Reply(reply.status, text.encode("cp1252", "replace"), reply.kind.partition(";")[0], reply.headers)
    if fault == "layout":
        return Reply(reply.status, reply.body.replace(b"class=", b"data-was="), reply.kind, reply.headers)
    if fault in ("schema", "circle") and reply.kind == "application/json" and reply.status == 200:
        return _other(fault, request, reply)
    return reply


def _other(fault: str, request: Request, reply: Reply) -> Reply:
    document = json.loads(reply.body)
    if not isinstance(document, dict):
        return reply
    if fault == "circle":
        document["meta"]["next_cursor"] = "MA=="
    elif int(request.query.get("page", "1")) >= 3 or int(request.query.get("offset", "0")) >= 200:
        for item in document["data"]["items"]:
            item["identifier"] = f"n° {item.pop('id')}"
    return Reply(200, json.dumps(document, ensure_ascii=False).encode(), reply.kind, reply.headers)


@functools.cache
def _bomb() -> bytes:
    """100 MB of zeros, packed in less than one without ever being held."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    return b"".join(packer.compress(zeros) for _ in range(100)) + packer.flush()


def squeeze(reply: Reply, request: Request) -> Reply:
    """The reply compressed, where the client takes that and it is worth it."""
    if len(reply.body) < 1400 or "gzip" not in request.headers.get("accept-encoding", "") or reply.how != "whole":
        return reply
    if "Content-Encoding" in reply.headers:
        return reply
    packed = gzip.compress(reply.body, 1, mtime=0)
    return Reply(reply.status, packed, reply.kind, {**reply.headers, "Content-Encoding": "gzip"})
