"""Stages, states and facts in the reader's words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from compagnon.access.role import ROLES as ROLES
from compagnon.chain.fact import FACTS, Fact
from compagnon.chain.indicator import Judgement
from compagnon.i18n import _, current, format_datetime, format_duration, format_number

KEY_FACTS = (
    "rows_collected",
    "rows_unreadable",
    "rows_prepared",
    "rows_rejected",
    "rows_stored",
    "tables_stored",
    "macro_f1",
    "chosen",
    "latency_p95",
    "package_size",
)
"""Facts that a reader looks for first, in this order."""


def stage_word(stage: str) -> str:
    """The name of a kind of stage."""
    return {
        "collect": _("Collect"),
        "prepare": _("Prepare"),
        "store": _("Store"),
        "train": _("Train"),
        "optimize": _("Optimize"),
        "package": _("Package"),
    }.get(stage, stage.capitalize())


def state_word(state: str) -> str:
    return {
        "cached": _("up to date"),
        "stale": _("out of date"),
        "missing": _("not done"),
        "running": _("running"),
        "failed": _("failed"),
        "done": _("done"),
        "queued": _("waiting"),
        "cancelled": _("stopped"),
    }.get(state, state)


STATE_SIGNS = {
    "cached": "✓",
    "done": "✓",
    "stale": "↻",
    "missing": "○",
    "running": "▸",
    "failed": "✕",
    "queued": "○",
    "cancelled": "✕",
}


def fact_meaning(name: str) -> str:
    definition = FACTS.get(name)
    if definition is None:
        return name
    return definition.fr if current() == "fr" else definition.en


def value_text(value: Any, unit: str = "") -> str:
    """A value with its unit, as the language writes it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        if unit == "second":
            return format_duration(float(value))
        if unit == "byte":
            return bytes_text(value)
        number = format_number(value, _decimals(value)) if isinstance(value, float) else format_number(value)
        return f"{number} {unit}" if unit == "ms" else number
    return str(value)


def _decimals(value: float) -> int:
    """Three, or as many as show two digits of something smaller."""
    return 3 if value == 0 or abs(value) >= 0.001 else min(12, 1 - math.floor(math.log10(abs(value))))


def bytes_text(value: float) -> str:
    if value < 1000:
        return _("{count} bytes").format(count=format_number(value))
    for unit, size in (("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if value < size * 1000 or unit == "GB":
            unit = unit.replace("B", "o") if current() == "fr" else unit
            return f"{format_number(value / size, 1)} {unit}"
    raise AssertionError("unreachable")


def key_facts(facts: Iterable[Fact], most: int = 2) -> list[tuple[str, str]]:
    """The facts a reader looks for first: (value, meaning)."""
    by_name = {fact.name: fact for fact in facts}
    found = [by_name[name] for name in KEY_FACTS if name in by_name]
    found = [fact for fact in found if not (fact.name in ("rows_unreadable", "rows_rejected") and not fact.value)]
    return [(value_text(fact.value, fact.unit), fact_meaning(fact.name)) for fact in found[:most]]


def threshold_text(judgement: Judgement) -> str:
    """What an indicator asks for."""
    indicator = judgement.indicator
    low, high = (_threshold(bound, judgement.unit) for bound in (indicator.at_least, indicator.at_most))
    if low and high:
        return _("between {low} and {high}").format(low=low, high=high)
    return _("at least {low}").format(low=low) if low else _("at most {high}").format(high=high)


def _threshold(bound: float | str | None, unit: str) -> str:
    if bound is None:
        return ""
    if isinstance(bound, str):
        return bound.replace(".", ",") if current() == "fr" else bound
    number = format_number(bound)
    return f"{number} {unit}" if unit == "ms" else number


def verdict_word(verdict: str) -> str:
    return {"met": _("met"), "missed": _("missed"), "unknown": _("not known yet")}[verdict]


def moment(value: datetime, timezone: str) -> str:
    """A moment in the solution's time zone."""
    return format_datetime(value, ZoneInfo(timezone))


def sureness(confidence: float) -> str:
    """A confidence in words."""
    if confidence >= 0.9:
        return _("very sure")
    if confidence >= 0.75:
        return _("sure")
    if confidence >= 0.5:
        return _("rather sure")
    return _("unsure")


def percent(share: float) -> str:
    """A share as the language writes it: ``87 %``, ``87%``. Never 100 % for what is less, nor 0 % for what is more."""
    number = int(share * 100 + 0.5)
    sign = "\N{NO-BREAK SPACE}%" if current() == "fr" else "%"
    if number == 0 and share > 0:
        return f"<\N{NO-BREAK SPACE}1{sign}"
    return f"{99 if number == 100 and share < 1 else number}{sign}"


def label_titles(root: Path, values_file: str | None) -> dict[str, str]:
    """Titles of labels in the language in use, where the file of values gives any."""
    if values_file is None:
        return {}
    from compagnon.spec.text import read_text
    from compagnon.spec.yaml import parse

    data = parse(read_text(root / values_file, values_file), values_file).data
    titles: dict[str, str] = {}
    for value, meaning in data.items() if isinstance(data, Mapping) else ():
        if isinstance(meaning, str):
            titles[str(value)] = meaning
        elif isinstance(meaning, Mapping):
            wanted = meaning.get(current()) or meaning.get("fr") or meaning.get("en") or meaning.get("title")
            if isinstance(wanted, str):
                titles[str(value)] = wanted
    return titles
