"""The practice API: the same rows page by page in each style, behind a token."""

from __future__ import annotations

import base64
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from compagnon.sandbox.exchange import Reply, Request, as_json, problem
from compagnon.sandbox.rows import Row

STYLES = ("page", "offset", "cursor", "link", "all")
CLIENT = "sandbox"
TOKEN_SECONDS = 60
MOST = 1000
"""Rows of a page, whatever is asked for."""
WINDOW, IN_WINDOW = 1.0, 20
"""Under ``/limited``: requests in so many seconds."""


@dataclass
class Api:
    """``/api/STYLE/DATASET``; ``token`` is the one secret, as bearer, key, password or client secret."""

    datasets: Mapping[str, list[Row]]
    token: str
    seen: Counter[str] = field(default_factory=Counter)
    """How often each address was asked."""
    _issued: dict[str, float] = field(default_factory=dict)
    _recent: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Reply | None:
        """The reply to a request under ``/api``, ``/limited/api`` or ``/oauth/token``; None for another path."""
        if request.path == "/oauth/token":
            return self._grant(request)
        path = request.path
        if path.startswith("/limited/"):
            path = path.removeprefix("/limited")
            if not self._in_window():
                return problem(429, "Too many requests", Retry_After="1")
        parts = path.strip("/").split("/")
        if len(parts) != 3 or parts[0] != "api" or parts[1] not in STYLES:
            return None
        if not self._knows(request):
            return problem(401, "Unauthorized", WWW_Authenticate="Bearer")
        rows = self.datasets.get(parts[2])
        if rows is None:
            return problem(404, "No such list")
        return _page(request, parts[1], rows)

    def first_time(self, key: str, times: int = 1) -> bool:
        """Whether ``key`` was asked fewer than ``times`` times so far."""
        with self._lock:
            self.seen[key] += 1
            return self.seen[key] <= times

    def _knows(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        scheme, _space, value = given.partition(" ")
        offered = [request.headers.get("x-api-key", ""), request.query.get("api_key", "")]
        if scheme == "Bearer":
            offered.append(value)
            with self._lock:
                if self._issued.get(value, 0) > time.monotonic():
                    return True
        if scheme == "Basic":
            offered.append(_unbasic(value)[1])
        return any(secrets.compare_digest(one.encode(), self.token.encode()) for one in offered)

    def _grant(self, request: Request) -> Reply:
        """A token for the client that proves itself (RFC 6749, 4.4); it lives a minute, so that it is renewed."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        if request.headers.get("authorization", "").startswith("Basic "):
            client, secret = _unbasic(request.headers["authorization"][6:])
        if request.method != "POST" or form.get("grant_type") != "client_credentials":
            return as_json({"error": "unsupported_grant_type"}, 400)
        if client != CLIENT or not secrets.compare_digest(secret.encode(), self.token.encode()):
            return as_json({"error": "invalid_client"}, 401)
        token = secrets.token_urlsafe(24)
        with self._lock:
            now = time.monotonic()
            self._issued = {known: end for known, end in self._issued.items() if end > now}
            self._issued[token] = now + TOKEN_SECONDS
        return as_json({"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS})

    def forget_tokens(self) -> None:
        """All tokens given out are refused from now on."""
        with self._lock:
            self._issued.clear()

    def _in_window(self) -> bool:
        with self._lock:
            now = time.monotonic()
            while self._recent and now - self._recent[0] > WINDOW:
                self._recent.popleft()
            if len(self._recent) >= IN_WINDOW:
                return False
            self._recent.append(now)
            return True


def _unbasic(text: str) -> tuple[str, str]:
    try:
        user, _colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password


def _page(request: Request, style: str, rows: list[Row]) -> Reply:
    query = request.query
    if "since" in query:
        by = query.get("by", "number")
        rows = [row for row in rows if str(row.get(by, "")).zfill(20) >= query["since"].zfill(20)]
    size = min(_number(query.get("per_page") or query.get("limit"), 100), MOST)
    number = max(_number(query.get("page"), 1), 1)
    start = (number - 1) * size
    if style == "offset":
        start = _number(query.get("offset"), 0)
    if style == "cursor":
        start = _number(base64.urlsafe_b64decode(query["cursor"]).decode() if query.get("cursor") else None, 0)
    if style == "all":
        return as_json([_record(row) for row in rows])
    found = rows[start : start + size]
    more = start + size < len(rows)
    meta: dict[str, Any] = {"total": len(rows)}
    headers: dict[str, str] = {}
    document: dict[str, Any] = {"data": {"items": [_record(row) for row in found]}, "meta": meta}
    if style == "cursor":
        meta["next_cursor"] = base64.urlsafe_b64encode(str(start + size).encode()).decode() if more else None
    if style == "link" and more:
        target = f"{request.address}{request.path}?{urlencode({**query, 'page': number + 1})}"
        headers["Link"] = f'<{target}>; rel="next", <{request.address}{request.path}>; rel="first"'
    reply = as_json(document)
    return Reply(200, reply.body, reply.kind, headers)


def _record(row: Row) -> dict[str, Any]:
    """A question as APIs like to nest it; any other row as it is."""
    if set(row) != {"number", "id", "text", "topic", "level", "asked_at", "email"}:
        return row
    return {
        "number": row["number"],
        "id": row["id"],
        "question": {"text": row["text"], "topic": row["topic"], "level": row["level"]},
        "asked_at": row["asked_at"],
        "author": {"email": row["email"]},
    }


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and len(text) < 10 else default
