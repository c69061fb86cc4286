"""Stages' states, facts and jobs in the reader's words: the same on the command line, on pages and in documents."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from compagnon.chain.fact import FACTS, Fact
from compagnon.chain.job import Job
from compagnon.i18n import _, current, format_duration, format_number

WRITTEN_UNITS = ("ms", "µs", "kB", "MB", "%")
"""Units that are written after a value; those of counts (row, class) are in the meaning of the fact."""
KEY_FACTS = (
    "instead_used",
    "macro_f1",
    "macro_f1_dummy",
    "chosen",
    "accuracy",
    "rows_collected",
    "rows_unreadable",
    "rows_prepared",
    "rows_rejected",
    "rows_duplicate",
    "rows_stored",
    "latency_p95",
    "package_size",
)
"""Facts that a reader looks for first, in this order."""
EVEN_ZERO = ("macro_f1", "rows_collected", "rows_prepared")
"""Of these, those that say something when they are 0."""

STATE_SIGNS = {
    "cached": "✓",
    "done": "✓",
    "stale": "↻",
    "missing": "○",
    "queued": "○",
    "running": "▶",
    "failed": "✗",
    "cancelled": "✗",
}
"""The sign of a state beside its word: on the terminal, on pages and in notebooks."""
VERDICT_SIGNS = {"met": "✓", "missed": "✗", "unknown": "?"}


def state_word(state: str) -> str:
    """The state of a stage, a run or a job."""
    return {
        "cached": _("valid"),
        "stale": _("out of date"),
        "missing": _("not done"),
        "running": _("running"),
        "failed": _("failed"),
        "done": _("done"),
        "queued": _("waiting"),
        "cancelled": _("stopped"),
    }.get(state, state)


def verdict_word(verdict: str) -> str:
    """The verdict on an indicator."""
    return {"met": _("met"), "missed": _("missed"), "unknown": _("not known yet")}.get(verdict, verdict)


def meaning(name: str, value: Any = None) -> str:
    """What a fact says, in the number that ``value`` asks for; its name if it is not listed."""
    found = FACTS.get(name)
    if found is None:
        return name
    french, one = current() == "fr", (found.fr_one, found.en_one)
    # French counts nothing as one: 0 ligne, 1 ligne, 2 lignes.
    singular = _is_count(value) and (value in (0, 1) if french else value == 1)
    many = found.fr if french else found.en
    return (one[0] if french else one[1]) or many if singular else many


def value_text(value: Any, unit: str = "") -> str:
    """A value with its unit, as the language writes it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        if unit == "second":
            return format_duration(float(value))
        if unit == "byte":
            return bytes_text(value)
        number = format_number(value, _decimals(value)) if isinstance(value, float) else format_number(value)
        return f"{number} {unit}" if unit in WRITTEN_UNITS else number
    return str(value)


def bytes_text(value: float) -> str:
    """A size in the largest fitting power of 1000."""
    units = ("o", "ko", "Mo", "Go", "To") if current() == "fr" else ("B", "kB", "MB", "GB", "TB")
    step = 0
    while value >= 1000 and step < len(units) - 1:
        value, step = value / 1000, step + 1
    return f"{format_number(value, 1 if step and value < 100 else 0)} {units[step]}"


def fact_text(name: str, value: Any, unit: str) -> str:
    """A fact in words: ``912 rows prepared``, ``macro-F1 on the test part: 0.871``."""
    if _is_count(value) and unit not in ("", "1", "byte"):
        return f"{format_number(value)} {meaning(name, value)}"
    return _("{meaning}: {value}").format(meaning=meaning(name), value=value_text(value, unit))


def key_facts(facts: Iterable[Fact], most: int = 3) -> list[Fact]:
    """The few facts that a person wants to see of a stage."""
    shown = [fact for fact in facts if fact.name in KEY_FACTS and (fact.value or fact.name in EVEN_ZERO)]
    return sorted(shown, key=lambda fact: KEY_FACTS.index(fact.name))[:most]


def key_facts_text(facts: Iterable[Fact], most: int = 3) -> str:
    """These on one line."""
    return " · ".join(fact_text(fact.name, fact.value, fact.unit) for fact in key_facts(facts, most))


def place_text(job: Job) -> str:
    """Where a job stands: ``3 of 6``; empty before its first stage."""
    position, count = job.progress.get("position"), job.progress.get("count")
    return _("{position} of {count}").format(position=position, count=count) if position and count else ""


def doing_text(job: Job) -> str:
    """What its stage does now, as it says it: ``fold 2/5``; empty where it says nothing."""
    message, done, total = (job.progress.get(name) for name in ("message", "done", "total"))
    amount = "" if done is None else f"{done}/{total}" if total else str(done)
    return " ".join(part for part in (str(message or ""), amount) if part)


def progress_text(job: Job) -> str:
    """How far a job is, on one line: ``2 of 5 · train/topic · fold 3/10``."""
    return " · ".join(part for part in (place_text(job), str(job.progress.get("stage") or ""), doing_text(job)) if part)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _decimals(value: float) -> int:
    """Three, or as many as show two digits of something smaller."""
    return 3 if value == 0 or abs(value) >= 0.001 else min(12, 1 - math.floor(math.log10(abs(value))))
