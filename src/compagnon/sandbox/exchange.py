"""A request and its reply, as the practice server's parts see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Request:
    """``query`` holds the first value of each parameter; names of ``headers`` are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def address(self) -> str:
        """The address of this server as the client wrote it."""
        return f"http://{self.headers.get('host', '')}"


@dataclass(frozen=True)
class Reply:
    """``how``: all of it; half of the announced bytes; byte by byte; or nothing, the connection closed."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    how: Literal["whole", "half", "drip", "drop"] = "whole"


def as_json(value: Any, status: int = 200, encoding: str = "utf-8", **headers: str) -> Reply:
    body = json.dumps(value, ensure_ascii=False).encode(encoding, "replace")
    return Reply(status, body, headers={name.replace("_", "-"): text for name, text in headers.items()})


def problem(status: int, title: str, **headers: str) -> Reply:
    """A problem document (RFC 9457)."""
    reply = as_json({"type": "about:blank", "title": title, "status": status}, status, **headers)
    return Reply(status, reply.body, "application/problem+json", reply.headers)
