"""Checking rows of JSON values against a model's input fields, each fault with its row and field."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from compagnon.features.inputs import FLOAT32_LIMIT, NUMBERS, STRINGS, Input, seconds_of
from compagnon.features.text import fold_text
from compagnon.i18n import _

FaultCode = Literal["type", "missing", "extra", "null", "not-finite", "range", "too-long", "empty", "encoding", "date"]
MOST_FAULTS = 100
"""A request of a thousand wrong rows needs no thousand messages."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong in one row. ``field`` is None when the row itself is wrong; rows count from 0."""

    row: int
    field: str | None
    code: FaultCode
    what: str

    def as_dict(self) -> dict[str, Any]:
        return {"row": self.row, "field": self.field, "code": self.code, "what": self.what}


def check(inputs: Sequence[Input], rows: Sequence[Any], *, longest: int, text_needed: bool) -> list[Fault]:
    """Faults of ``rows``, at most 100, in their order; empty when all rows can be predicted.

    ``longest`` bounds the characters of one string; ``text_needed`` refuses texts that hold no word.
    """
    faults: list[Fault] = []
    names = {field.name for field in inputs}
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping):
            faults.append(Fault(index, None, "type", _("A row is an object with one value per input.")))
        else:
            faults.extend(
                Fault(
                    index, _shown(name), "extra", _("{name} is not an input of this model.").format(name=_shown(name))
                )
                for name in row
                if name not in names
            )
            for field in inputs:
                fault = _check_field(field, row, longest, text_needed)
                if fault is not None:
                    faults.append(Fault(index, field.name, *fault))
        if len(faults) >= MOST_FAULTS:
            return faults[:MOST_FAULTS]
    return faults


def _check_field(field: Input, row: Mapping[str, Any], longest: int, text_needed: bool) -> tuple[FaultCode, str] | None:
    if field.name not in row:
        return "missing", _("{name} is missing.").format(name=field.name)
    value = row[field.name]
    if value is None:
        if field.nullable:
            return None
        return "null", _("{name} is null, and the model never saw it missing.").format(name=field.name)
    if field.type in STRINGS:
        return _check_string(field, value, longest, text_needed)
    if field.type in NUMBERS:
        return _check_number(field, value)
    return _check_date(field, value)


def _check_string(field: Input, value: Any, longest: int, text_needed: bool) -> tuple[FaultCode, str] | None:
    if not isinstance(value, str):
        return "type", _("{name} is not a string.").format(name=field.name)
    if len(value) > longest:
        return "too-long", _("{name} has {count} characters; {limit} are allowed.").format(
            name=field.name, count=len(value), limit=longest
        )
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "encoding", _("{name} holds half of a surrogate pair: it is not valid Unicode.").format(name=field.name)
    if field.type == "text" and text_needed and not fold_text(value):
        return "empty", _("{name} is empty.").format(name=field.name)
    return None


def _check_number(field: Input, value: Any) -> tuple[FaultCode, str] | None:
    if field.type == "boolean":
        if isinstance(value, bool):
            return None
        return "type", _("{name} is neither true nor false.").format(name=field.name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "type", _("{name} is not a number.").format(name=field.name)
    if isinstance(value, float) and not math.isfinite(value):
        return "not-finite", _("{name} is not a finite number.").format(name=field.name)
    if abs(value) > FLOAT32_LIMIT:
        return "range", _("{name} is too large: the model computes with 32-bit numbers.").format(name=field.name)
    return None


def _check_date(field: Input, value: Any) -> tuple[FaultCode, str] | None:
    if not isinstance(value, str):
        return "type", _("{name} is not a date written as a string.").format(name=field.name)
    try:
        seconds_of(field, value)
    except (ValueError, OverflowError):
        if field.type == "date":
            return "date", _("{name} is not a date such as 2026-01-31.").format(name=field.name)
        return "date", _("{name} is not a moment such as 2026-01-31T14:05:00+01:00, with its offset.").format(
            name=field.name
        )
    return None


def _shown(name: Any) -> str:
    """A name sent by a client, cut and made printable."""
    return "".join(c if c.isprintable() else "?" for c in str(name))[:80]
