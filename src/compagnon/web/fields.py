"""Inputs of a model as fields of a form, and what was written in them as a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from compagnon.features.inputs import Input
from compagnon.i18n import _

MOST_CHOICES = 40
"""Categories offered as a list; where there are more, one writes."""


@dataclass(frozen=True)
class Field:
    """One field of the form. ``kind`` is area, choice, number, date, moment or line."""

    name: str
    kind: str
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    meaning: str = ""
    error: str | None = None


def field_of(declared: Input, meaning: str, *, alone: bool) -> Field:
    """The empty field of one input; ``alone`` for the one text of a text model."""
    kinds = {"integer": "number", "decimal": "number", "float": "number", "date": "date", "timestamp": "moment"}
    kind = kinds.get(declared.type, "line")
    choices: tuple[tuple[str, str], ...] = ()
    if declared.type == "text" and alone:
        kind = "area"
    elif declared.type == "boolean":
        kind, choices = "choice", (("true", _("yes")), ("false", _("no")))
    elif declared.type == "category" and declared.categories and len(declared.categories) <= MOST_CHOICES:
        kind, choices = "choice", tuple((value, value) for value in declared.categories)
    return Field(declared.name, kind, choices=choices, optional=declared.nullable, meaning=meaning)


def filled(field: Field, row: Mapping[str, Any]) -> Field:
    """``field`` showing what ``row`` holds."""
    value = row.get(field.name)
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return replace(field, value=text)


def read_row(
    inputs: Sequence[Input], fields: Sequence[Field], form: Mapping[str, str], timezone: str
) -> tuple[dict[str, Any], list[Field]]:
    """The row that was written, and the fields with what was written and what is wrong with it."""
    row: dict[str, Any] = {}
    shown = []
    for declared, field in zip(inputs, fields, strict=True):
        text = form.get(f"in-{field.name}", "")
        value, error = _read(declared, text, timezone)
        row[field.name] = value
        shown.append(replace(field, value=text, error=error))
    return row, shown


def _read(declared: Input, text: str, timezone: str) -> tuple[Any, str | None]:
    if declared.type == "text":
        return text, None  # whether an empty text can be used, the package says
    text = text.strip()
    if not text:
        return None, None if declared.nullable else _("Fill in this field.")
    if declared.type == "boolean":
        return text == "true", None
    if declared.type in ("integer", "decimal", "float"):
        try:
            plain = text.replace("\u202f", "").replace("\u00a0", "").replace(" ", "").replace(",", ".")
            return float(plain), None
        except ValueError:
            return None, _("Write a number, such as 12 or 3.5.")
    if declared.type == "timestamp":
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            return None, _("Write a date and a time, such as 2026-01-31T14:05.")
        zone = ZoneInfo(timezone)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat(), None
    return text, None
