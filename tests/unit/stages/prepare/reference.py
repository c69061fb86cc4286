"""The rules again, slowly: one value at a time in plain Python, to compare the compiled SQL with."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

WHITE = " \t\n\r\x0b\x0c\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
WHITE += "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_RUN = re.compile(f"[{WHITE}]+")


def collapse(text: str) -> str:
    return _RUN.sub(" ", text).strip(" ")


def unaccent(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def fold(text: str) -> str:
    return unaccent(collapse(text)).lower()


CLEAN = {
    "nfc": lambda t: unicodedata.normalize("NFC", t),
    "spaces": collapse,
    "html": html.unescape,
    "lower": str.lower,
    "upper": str.upper,
    "unaccent": unaccent,
    "fold": fold,
}


def clean(text: str | None, steps: Iterable[str]) -> str | None:
    for step in steps:
        text = None if text is None else CLEAN[step](text)
    return text or None


def number(text: str, formats: Sequence[str]) -> Decimal | None:
    for form in formats or ["plain"]:
        bare = text.strip(WHITE).replace("−", "-")
        if form == "plain":
            pattern, group, point = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?", "", "."
        elif form == "fr":
            pattern = rf"[+-]?([0-9]{{1,3}}([{WHITE}][0-9]{{3}})+|[0-9]+)(,[0-9]+)?([{WHITE}]*(€|EUR|[$£]))?"
            group, point = "", ","
        else:
            pattern = rf"[+-]?(€|EUR|[$£])?([0-9]{{1,3}}(,[0-9]{{3}})+|[0-9]+)([.][0-9]+)?([{WHITE}]*(€|EUR|[$£]))?"
            group, point = ",", "."
        if re.fullmatch(pattern, bare):
            if form != "plain":
                bare = re.sub(r"[^0-9,.+-]", "", bare)
            return Decimal(bare.replace(group, "").replace(point, "."))
    return None


def integer(text: str, formats: Sequence[str]) -> int | None:
    if not re.fullmatch(r"[^.eE€$£]*", text.replace("EUR", "€")) or ("fr" in formats and "," in text):
        return None
    value = number(text, formats)
    return None if value is None or not -(2**63) <= value < 2**63 else int(value)


def decimal(text: str, formats: Sequence[str], scale: int = 2) -> Decimal | None:
    value = number(text, formats)
    if value is None or abs(value) > Decimal(10) ** 30:
        return None
    rounded = value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    return rounded if abs(rounded) < Decimal(10) ** (18 - scale) else None


def real(text: str, formats: Sequence[str]) -> float | None:
    value = number(text, formats)
    if value is None:
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def truth(text: str) -> bool | None:
    word = text.strip(WHITE).lower()
    if word in ("oui", "vrai", "true", "yes", "1"):
        return True
    return False if word in ("non", "faux", "false", "no", "0") else None


def category(text: str, values: Sequence[str], spellings: Mapping[str, str]) -> str | None:
    text = text.strip(WHITE)
    known = {fold(v): v for v in values} | {fold(k): v for k, v in spellings.items()}
    return known.get(fold(text))


def moment(text: str, zone: str) -> datetime | None:
    """Forms ``%d/%m/%Y %H:%M`` and ``iso`` without offset."""
    text = text.strip(WHITE)
    naive = None
    for form, pattern in [
        ("%d/%m/%Y %H:%M", r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}[ \t\n\r\f]+[0-9]{1,2}:[0-9]{1,2}"),
        ("%Y-%m-%dT%H:%M", r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}"),
    ]:
        if naive is None and re.fullmatch(pattern, text):
            try:
                naive = datetime.strptime(text, form)
            except ValueError:
                continue
    if naive is None:
        return None
    # A time that comes twice is the second one; one that never was is moved forward, which ``fold=0`` does.
    first, second = (naive.replace(tzinfo=ZoneInfo(zone), fold=f).astimezone(UTC) for f in (0, 1))
    return max(first, second) if first.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == naive else first


def day(text: str) -> date | None:
    text = text.strip(WHITE)
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text)
    try:
        return date(*(int(g) for g in match.groups())) if match else None
    except ValueError:
        return None


def rows(given: Sequence[Mapping[str, Any]]) -> dict[str, tuple[dict[str, Any], list[str]]]:
    """The table of ``test_prepare_reference``: values and reasons by row id, before duplicates."""
    result = {}
    for row in given:
        name = clean(row["T"], ["html", "nfc", "spaces"])
        values: dict[str, Any] = {"name": name}
        reasons = ["missing name"] if name is None else []
        for column, cell, read in [
            ("n", "N", lambda t: integer(t, ["fr"])),
            ("amount", "A", lambda t: decimal(t, ["fr", "en"])),
            ("ok", "B", truth),
            ("level", "C", lambda t: category(t, ["débutant", "Expert"], {"1": "débutant", "fort": "Expert"})),
            ("at", "D", lambda t: moment(t, "Europe/Paris")),
        ]:
            text = (row[cell] or "").strip(WHITE)
            value = read(text) if text else None
            values[column] = value
            if text and value is None:
                code = {
                    "n": "not_integer",
                    "amount": "not_decimal",
                    "ok": "not_boolean",
                    "level": "unknown_value",
                    "at": "not_timestamp",
                }
                reasons.append(f"{code[column]} {column}")
            if column == "n" and value is not None and value > 1000:
                reasons.append("too_large n")
        values["size"] = None if name is None else len(name)
        if values["size"] is not None and values["size"] > 6:
            reasons.append("long None")
        result[row["_row_id"]] = (values, reasons)
    return result
