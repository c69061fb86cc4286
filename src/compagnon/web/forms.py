"""Forms: reading what a browser sent, and hidden values that come back as they were given out."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from compagnon.i18n import _
from compagnon.services.model_api.body import read_body
from compagnon.services.model_api.problem import Refused
from compagnon.web.visitor import mark_of, visitor_of

MOST_FIELDS = 300
TOKEN = "csrf"  # noqa: S105 - a name
"""The hidden field that proves where a form comes from."""
FORM_KEY = "form_key"
"""Name of the key among the solution's own secrets."""


class StaleForm(Refused):
    """A form without a token of this visitor; ``fields`` are what was written, ``mark`` tells in whose form."""

    def __init__(self, fields: dict[str, str], mark: str) -> None:
        what = _("This form was open for too long, or the session has changed: open the page again.")
        super().__init__(403, "form.stale", what)
        self.fields, self.mark = fields, mark


async def read_form(request: Request, most: int = 200_000) -> dict[str, str]:
    """As ``read_fields``, of a form that this visitor was given. Raises Refused, StaleForm among others."""
    fields = await read_fields(request, most)
    token = fields.pop(TOKEN, "")
    if not visitor_of(request).sent(token):
        raise StaleForm(fields, mark_of(token))
    return fields


async def read_fields(request: Request, most: int = 200_000) -> dict[str, str]:
    """The fields of a form, line ends as ``\\n``; of a field that stands twice, the first. Raises Refused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refused(415, "form.not-a-form", _("This address takes forms."))
    body = await read_body(request, most)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise Refused(400, "form.malformed", _("The form cannot be read.")) from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value.replace("\r\n", "\n"))
    return fields


def with_form(handler: Callable[[Request, dict[str, str]], Response]) -> Callable[[Request], Any]:
    """``handler`` with the fields of its form, in a thread."""

    async def handled(request: Request) -> Response:
        form = await read_form(request)
        return await asyncio.to_thread(handler, request, form)

    return handled


def seal(key: bytes, value: dict[str, Any]) -> str:
    """``value`` as text that only this server can have written."""
    data = base64.urlsafe_b64encode(json.dumps(value, ensure_ascii=False).encode()).decode()
    return f"{data}.{_sign(key, data)}"


def unseal(key: bytes, text: str) -> dict[str, Any]:
    """What ``seal`` was given; raises Refused 400 for anything else."""
    data, _dot, sign = text.rpartition(".")
    if not data or not hmac.compare_digest(_sign(key, data), sign):
        raise Refused(400, "form.altered", _("This form is not one of this server; open the page again."))
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(data))
    return value


def _sign(key: bytes, data: str) -> str:
    return hmac.new(key, data.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
