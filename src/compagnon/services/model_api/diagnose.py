"""Why a request was refused: every mistake with its row and field, in words.

Only bodies that the usual decoder refused come here, so clarity goes before speed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from compagnon.i18n import _, format_number
from compagnon.services.model_api.package import Mistake, Served
from compagnon.services.model_api.problem import FieldError, Refused

DEEPEST = 32
LONGEST_INTEGER = 400
"""Digits of an integer; longer ones are infinite as a float anyway."""


class _Duplicate(Exception):
    """A field that stands twice in one object."""


def diagnose(body: bytes, package: Served, most_rows: int) -> Refused:
    """The problem with a body that could not be decoded."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return Refused(400, "json.not-utf8", _("The body is not valid UTF-8."))
    if _too_deep(body):
        return Refused(400, "json.too-deep", _("The body is nested more than {most} deep.").format(most=DEEPEST))
    try:
        document = json.loads(
            text, object_pairs_hook=_unique, parse_int=_integer, parse_float=float, parse_constant=float
        )
    except _Duplicate as duplicate:
        field = shown(str(duplicate))
        what = _("The field {field} stands twice in the same object.").format(field=field)
        return Refused(400, "json.duplicate-field", what, errors=[FieldError(None, field, "duplicate", what)])
    except (ValueError, RecursionError) as error:
        return _malformed(error)
    errors, rows = _outside_rows(document)
    if len(rows) > most_rows:
        what = _("{count} rows are too many for one request: send at most {most}.").format(
            count=format_number(len(rows)), most=format_number(most_rows)
        )
        errors.append(FieldError(None, "rows", "too-many-rows", what))
        return Refused(422, "predict.too-many-rows", what, errors=errors)
    return invalid(package.validate(rows), errors)


def invalid(faults: Sequence[Mistake], before: Sequence[FieldError] = ()) -> Refused:
    """The problem with rows that the model cannot be asked about."""
    errors = [*before, *(FieldError(f.row, shown(f.field) if f.field else None, f.code, f.what) for f in faults)]
    # Nothing found here although the decoder refused: refuse rather than guess.
    detail = (
        _("Some values cannot be used: see `errors` for each of them.")
        if errors
        else _("The rows are not as the model expects them.")
    )
    return Refused(422, "predict.invalid", detail, errors=errors)


def shown(name: str) -> str:
    """A field's name as it can be shown: short, and valid Unicode."""
    return name.encode("utf-8", "backslashreplace").decode()[:80]


def _malformed(error: Exception) -> Refused:
    if isinstance(error, json.JSONDecodeError):
        what = _("The body is not valid JSON (line {line}, column {column}).")
        return Refused(400, "json.malformed", what.format(line=error.lineno, column=error.colno))
    return Refused(400, "json.malformed", _("The body is not valid JSON."))


def _too_deep(body: bytes) -> bool:
    """Whether brackets nest too deep; those inside strings do not count."""
    depth, in_string, escaped = 0, False, False
    for byte in body:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in (0x5B, 0x7B):
            depth += 1
            if depth > DEEPEST:
                return True
        elif byte in (0x5D, 0x7D):
            depth -= 1
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _value in pairs:
            if name in seen:
                raise _Duplicate(name)
            seen.add(name)
    return found


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= LONGEST_INTEGER else math.inf


def _outside_rows(document: Any) -> tuple[list[FieldError], list[Any]]:
    """Mistakes around the rows, and the rows as far as there are any."""
    if not isinstance(document, dict):
        return [FieldError(None, None, "type", _('The body must be an object: {"rows": [...]}.'))], []
    errors = [
        FieldError(None, shown(name), "extra", _("This field is not known here; only `rows` is."))
        for name in document
        if name != "rows"
    ]
    if "rows" not in document:
        return [*errors, FieldError(None, "rows", "missing", _("`rows` is missing."))], []
    rows = document["rows"]
    if not isinstance(rows, list) or not rows:
        code = "empty" if isinstance(rows, list) else "type"
        return [*errors, FieldError(None, "rows", code, _("`rows` must be a list of at least one row."))], []
    return errors, rows
