"""Stages, states and facts in the words of the pages, beside those that every surface shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from compagnon.access.role import ROLES as ROLES
from compagnon.chain import words as chain_words
from compagnon.chain.fact import Fact
from compagnon.chain.indicator import Judgement
from compagnon.chain.words import STATE_SIGNS as STATE_SIGNS
from compagnon.chain.words import VERDICT_SIGNS as VERDICT_SIGNS
from compagnon.chain.words import meaning as fact_meaning
from compagnon.chain.words import state_word as state_word
from compagnon.chain.words import value_text as value_text
from compagnon.chain.words import verdict_word as verdict_word
from compagnon.i18n import _, current, format_datetime, format_number


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


def key_facts(facts: Iterable[Fact], most: int = 2) -> list[tuple[str, str]]:
    """The facts that a reader looks for first: (value, meaning)."""
    shown = chain_words.key_facts(facts, most)
    return [(value_text(fact.value, fact.unit), fact_meaning(fact.name, fact.value)) for fact in shown]


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
