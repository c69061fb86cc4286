"""Problem documents (RFC 9457): what every refused request is answered with."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

from compagnon.i18n import _, current

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 100
"""Mistakes listed in one answer; a client that sends a thousand bad rows need not read them all."""


@dataclass(frozen=True)
class FieldError:
    """One mistake in one field; ``row`` counts from 0, None where the mistake is not in a row."""

    row: int | None
    field: str | None
    code: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        return {"row": self.row, "field": self.field, "code": self.code, "message": self.message}


class Refused(Exception):
    """A request that is answered with a problem document; ``code`` is stable, ``detail`` is for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.problem = ProblemDocument(status, code, detail, tuple(errors[:MOST_ERRORS]), dict(headers or {}))


@dataclass(frozen=True)
class ProblemDocument:
    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, request_id: str | None = None) -> bytes:
        document: dict[str, Any] = {
            "type": f"urn:compagnon:problem:{self.code}",
            "title": title_of(self.status),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [error.as_dict() for error in self.errors]
        if request_id:
            document["instance"] = f"urn:compagnon:request:{request_id}"
        return msgspec.json.encode(document)

    def all_headers(self) -> dict[str, str]:
        return {"content-language": current(), "vary": "Accept-Language", "cache-control": "no-store", **self.headers}


def title_of(status: int) -> str:
    """What a status means, in the language in use."""
    titles = {
        400: _("Request that cannot be read"),
        401: _("Key missing or unknown"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("Method not allowed"),
        408: _("Request sent too slowly"),
        413: _("Request too large"),
        415: _("Format not accepted"),
        421: _("Address not served"),
        422: _("Values refused"),
        429: _("Too many requests"),
        500: _("Fault on our side"),
        503: _("Not available at the moment"),
    }
    return titles.get(status) or HTTPStatus(status).phrase


def fault() -> Refused:
    """A bug of ours: nothing of it is shown."""
    return Refused(500, "server.fault", _("Something went wrong on our side; the log of the server says where."))


def where(error: BaseException) -> str:
    """The kind of an exception and its places in the code; its words are left out, as they may quote a client."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames)
    )
    return f"{type(error).__name__} at {places}"
