"""From the bytes of a request to rows that are safe to predict on.

The usual body is read by msgspec. Whatever it refuses is looked at again by ``diagnose``, slowly and precisely.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from compagnon.services.model_api.diagnose import diagnose, invalid
from compagnon.services.model_api.package import Served

Rows = list[dict[str, Any]]

STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    rows: list[dict[str, str | int | float | bool | None]]


_decoder = msgspec.json.Decoder(_Body)


def decode(body: bytes, package: Served, most_rows: int) -> Rows:
    """The rows of ``{"rows": [...]}``; raises Refused that names every mistake."""
    try:
        rows: Any = _decoder.decode(body).rows
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise diagnose(body, package, most_rows) from None
    # A field that stands twice leaves one value and two colons.
    duplicated = STRINGS.sub(b"", body).count(b":") != 1 + sum(len(row) for row in rows)
    if duplicated or not rows or len(rows) > most_rows:
        raise diagnose(body, package, most_rows)
    faults = package.validate(rows)
    if faults:
        raise invalid(faults)
    return list(rows)
