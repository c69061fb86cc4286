"""Durations and sizes as people write them: ``40 s``, ``1d``, ``30 days``, ``1 MB``."""

from __future__ import annotations

import re
from datetime import timedelta

_NUMBER_UNIT = re.compile(r"\s*([0-9]+(?:[.,][0-9]+)?)\s*([A-Za-zµ]+)\s*")

_SECONDS = {
    "ms": 0.001,
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86400.0),
    **dict.fromkeys(("month", "months"), 30 * 86400.0),
    **dict.fromkeys(("y", "year", "years"), 365 * 86400.0),
}
_BYTES = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}


def duration(text: str) -> timedelta:
    """``text`` as a duration; a month is 30 days, a year 365. Raises ValueError."""
    return timedelta(seconds=_read(text, _SECONDS, "40 s, 15 min, 1d, 30 days, 2 years"))


def size(text: str) -> int:
    """``text`` as a number of bytes (kB and MB are powers of 1000). Raises ValueError."""
    return int(_read(text, _BYTES, "500 kB, 1 MB, 2 GiB"))


def _read(text: str, units: dict[str, float] | dict[str, int], examples: str) -> float:
    match = _NUMBER_UNIT.fullmatch(text)
    if not match or match[2].lower() not in units:
        raise ValueError(f"expected a number and a unit, such as {examples}")
    return float(match[1].replace(",", ".")) * units[match[2].lower()]
