"""Durations and sizes as people write them: ``40 s``, ``1d``, ``30 days``, ``1 MB``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

from compagnon.i18n import _

_NUMBER_UNIT = re.compile(r"\s*([0-9]{1,18}(?:[.,][0-9]{1,18})?)\s*([A-Za-zµ]+)\s*")

_SECONDS = {
    "ms": Fraction(1, 1000),
    **dict.fromkeys(("s", "sec", "second", "seconds"), Fraction(1)),
    **dict.fromkeys(("min", "minute", "minutes"), Fraction(60)),
    **dict.fromkeys(("h", "hour", "hours"), Fraction(3600)),
    **dict.fromkeys(("d", "day", "days"), Fraction(86400)),
    **dict.fromkeys(("w", "week", "weeks"), Fraction(7 * 86400)),
    **dict.fromkeys(("month", "months"), Fraction(30 * 86400)),
    **dict.fromkeys(("y", "year", "years"), Fraction(365 * 86400)),
}
_BYTES = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}


def duration(text: str) -> timedelta:
    """``text`` as a duration; a month is 30 days, a year 365. Raises ValueError."""
    examples = "40 s, 15 min, 1d, 30 days, 2 years"
    try:
        return timedelta(microseconds=round(_read(text, _SECONDS, examples) * 1_000_000))
    except OverflowError:
        raise _unreadable(examples) from None


def write_duration(value: timedelta) -> str:
    """``value`` so that ``duration`` reads the same back, in the largest unit that divides it."""
    seconds, rest = value.days * 86400 + value.seconds, value.microseconds
    if rest:
        return f"{seconds}.{rest:06d}".rstrip("0") + " s"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def size(text: str) -> int:
    """``text`` as a number of bytes (kB and MB are powers of 1000). Raises ValueError."""
    return round(_read(text, _BYTES, "500 kB, 1 MB, 2 GiB"))


def _read(text: str, units: Mapping[str, Fraction | int], examples: str) -> Fraction:
    match = _NUMBER_UNIT.fullmatch(text)
    if not match or match[2].lower() not in units:
        raise _unreadable(examples)
    return Fraction(match[1].replace(",", ".")) * units[match[2].lower()]


def _unreadable(examples: str) -> ValueError:
    return ValueError(_("expected a number and a unit, such as {examples}").format(examples=examples))


def split(text: str) -> tuple[float, str] | None:
    """``text`` as a number and its unit, whatever the unit: ``5 ms``, ``80 %``; None if it is not of that form."""
    match = re.fullmatch(r"\s*([+-]?[0-9]+(?:[.,][0-9]+)?)\s*([A-Za-zµ%€/°²³]*)\s*", text)
    return (float(match[1].replace(",", ".")), match[2]) if match else None
