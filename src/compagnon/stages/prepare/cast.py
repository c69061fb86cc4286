"""Casts as DuckDB expressions: what a text or a typed value means as a number, a date, a truth value.

Every cast gives NULL for what it cannot read; DuckDB's own casts take more than people write ("1_000", "0x1F", "5.",
"infinity"), so a regular expression stands before each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from compagnon.spec.model import ColumnType
from compagnon.stages.prepare.expressions import literal
from compagnon.stages.prepare.text import WHITE

_CURRENCY = "(?:€|EUR|[$£])"
_SIGN = "[+−-]?"
_NUMBERS = {
    "plain": rf"{_SIGN}(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)(?:[eE][+-]?[0-9]+)?",
    "fr": rf"{_SIGN}(?:[0-9]{{1,3}}(?:[{WHITE}][0-9]{{3}})+|[0-9]+)(?:,[0-9]+)?(?:[{WHITE}]*{_CURRENCY})?",
    "en": rf"{_SIGN}{_CURRENCY}?(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]+)(?:[.][0-9]+)?(?:[{WHITE}]*{_CURRENCY})?",
}
_WHOLE = {
    "plain": rf"{_SIGN}[0-9]+",
    "fr": rf"{_SIGN}(?:[0-9]{{1,3}}(?:[{WHITE}][0-9]{{3}})+|[0-9]+)",
    "en": rf"{_SIGN}(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]+)",
}
_TRUE = ("oui", "vrai", "true", "yes", "1")
_FALSE = ("non", "faux", "false", "no", "0")

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?"
_OFFSET = r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"

_DIRECTIVES = {
    "d": "[0-9]{1,2}", "m": "[0-9]{1,2}", "Y": "[0-9]{4}", "y": "[0-9]{2}", "H": "[0-9]{1,2}", "I": "[0-9]{1,2}",
    "M": "[0-9]{1,2}", "S": "[0-9]{1,2}", "j": "[0-9]{1,3}", "f": "[0-9]{1,6}", "g": "[0-9]{1,3}", "n": "[0-9]{1,9}",
    "p": "[AaPp][Mm]", "z": "(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)", "%": "%",
}  # fmt: skip


def whole(x: str, formats: Sequence[str]) -> str:
    """Text as BIGINT."""
    return _number(x, formats, _WHOLE, "BIGINT")


def decimal(x: str, formats: Sequence[str], scale: int) -> str:
    """Text as DECIMAL(18, scale); more digits are rounded, half away from zero."""
    return _number(x, formats, _NUMBERS, f"DECIMAL(18,{scale})")


def real(x: str, formats: Sequence[str]) -> str:
    """Text as a finite DOUBLE."""
    return finite(_number(x, formats, _NUMBERS, "DOUBLE"))


def finite(x: str) -> str:
    return f"CASE WHEN isfinite({x}) THEN {x} END"


def _number(x: str, formats: Sequence[str], forms: dict[str, str], kind: str) -> str:
    readings = []
    for name in formats or ("plain",):
        signed = f"replace({x}, '−', '-')"
        if name == "plain":
            read = f"try_cast({signed} AS {kind})"
        else:
            # Plain replacements do for nearly all amounts, at a third of the cost of a regular expression.
            bare, left = signed, f"regexp_replace({signed}, '[^0-9,.+-]', '', 'g')"
            for mark in (" ", "\u00a0", "\u202f", "€"):
                bare = f"replace({bare}, '{mark}', '')"
            point = "." if name == "fr" else ""
            bare, left = (f"try_cast(replace({t}, ',', '{point}') AS {kind})" for t in (bare, left))
            read = f"coalesce({bare}, {left})"
        readings.append(f"CASE WHEN regexp_full_match({x}, '{forms[name]}') THEN {read} END")
    return _first(readings)


def truth(x: str) -> str:
    """Text as BOOLEAN: oui/non, vrai/faux, true/false, yes/no, 1/0, in any case."""
    listed = [", ".join(literal(word) for word in words) for words in (_TRUE, _FALSE)]
    return f"CASE WHEN lower({x}) IN ({listed[0]}) THEN true WHEN lower({x}) IN ({listed[1]}) THEN false END"


def moment(x: str, formats: Sequence[str], timezone: str) -> str:
    """Text as TIMESTAMP WITH TIME ZONE; what states no zone is local time of ``timezone``.

    A local time that comes twice (clocks go back) is the second one; one that never was (clocks go forward) is moved
    forward by the missing hour. That is what ICU does, and DuckDB with it.
    """
    readings = []
    for form in formats or ("iso",):
        if form == "iso":
            readings.append(
                f"CASE WHEN regexp_full_match({x}, '{_DATE}{_TIME}{_OFFSET}') THEN try_cast({x} AS TIMESTAMPTZ) END"
            )
            naive = f"CASE WHEN regexp_full_match({x}, '{_DATE}(?:{_TIME})?') THEN try_cast({x} AS TIMESTAMP) END"
            readings.append(in_zone(naive, timezone))
        elif zoned(form):
            readings.append(_parsed(x, form))
        else:
            readings.append(in_zone(_parsed(x, form), timezone))
    return _first(readings)


def day(x: str, formats: Sequence[str], timezone: str) -> str:
    """Text as DATE; a moment with a zone is the day that it was in ``timezone``."""
    readings = []
    for form in formats or ("iso",):
        if form == "iso":
            readings.append(
                f"CASE WHEN regexp_full_match({x}, '{_DATE}(?:{_TIME})?') THEN try_cast(left({x}, 10) AS DATE) "
                f"WHEN regexp_full_match({x}, '{_DATE}{_TIME}{_OFFSET}') "
                f"THEN CAST(try_cast({x} AS TIMESTAMPTZ) AT TIME ZONE {literal(timezone)} AS DATE) END"
            )
        elif zoned(form):
            readings.append(f"CAST({_parsed(x, form)} AT TIME ZONE {literal(timezone)} AS DATE)")
        else:
            readings.append(f"CAST({_parsed(x, form)} AS DATE)")
    return _first(readings)


def in_zone(x: str, timezone: str) -> str:
    """A naive timestamp as the moment that it was in ``timezone``."""
    return f"({x}) AT TIME ZONE {literal(timezone)}"


def zoned(form: str) -> bool:
    return "%z" in form or "%Z" in form


def _parsed(x: str, form: str) -> str:
    """A strptime format, tried only on what looks like it: a failing try_strptime costs ten times one that succeeds."""
    return f"CASE WHEN regexp_full_match({x}, {literal(shape(form))}) THEN try_strptime({x}, {literal(form)}) END"


def shape(form: str) -> str:
    """RE2 of the texts that a strptime format may read; a year has four digits where the format says so."""
    pieces = []
    for match in re.finditer(r"%(-?)(.)|(\s+)|(.)", form, re.DOTALL):
        if match[2]:
            pieces.append(_DIRECTIVES.get(match[2], ".+"))
        elif match[3]:
            pieces.append(r"\s+")
        else:
            pieces.append(re.escape(match[4]) if match[4].isascii() else match[4])
    return "".join(pieces)


def _first(readings: list[str]) -> str:
    return readings[0] if len(readings) == 1 else f"coalesce({', '.join(readings)})"


_WHOLE_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT")


def typed(x: str, raw: str, to: ColumnType, scale: int, timezone: str) -> str | None:
    """A value that the source already gives with the type ``raw`` (DuckDB's name); None if it must go through text."""
    number = raw in (*_WHOLE_TYPES, "UHUGEINT", "FLOAT", "DOUBLE") or raw.startswith("DECIMAL")
    if to == "integer" and number:
        if raw in _WHOLE_TYPES:
            return f"try_cast({x} AS BIGINT)"
        return f"CASE WHEN {x} = trunc({x}) THEN try_cast({x} AS BIGINT) END"
    if to == "decimal" and number:
        return f"try_cast({x} AS DECIMAL(18,{scale}))"
    if to == "float" and number:
        return finite(f"CAST({x} AS DOUBLE)")
    if to == "boolean" and raw == "BOOLEAN":
        return x
    if to == "boolean" and raw in _WHOLE_TYPES:
        return f"CASE {x} WHEN 1 THEN true WHEN 0 THEN false END"
    naive = raw.startswith("TIMESTAMP") and raw != "TIMESTAMP WITH TIME ZONE"
    if to == "date" and (raw == "DATE" or naive):
        return f"CAST({x} AS DATE)"
    if to == "date" and raw == "TIMESTAMP WITH TIME ZONE":
        return f"CAST({x} AT TIME ZONE {literal(timezone)} AS DATE)"
    if to == "timestamp" and raw == "TIMESTAMP WITH TIME ZONE":
        return x
    if to == "timestamp" and (naive or raw == "DATE"):
        return in_zone(f"CAST({x} AS TIMESTAMP)", timezone)
    return None
