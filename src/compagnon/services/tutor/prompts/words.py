"""Figures and verdicts of prompts in the reader's language."""

from __future__ import annotations

from compagnon.i18n import _, format_number
from compagnon.services.tutor.prompts.compare import Difference, Verdict
from compagnon.services.tutor.prompts.measure import MEASURES

_DECIMALS = {"words": 1, "tokens": 0, "cost": 6, "seconds": 2}


def figure(name: str, value: float, *, signed: bool = False) -> str:
    """A measure as people read it: a share as percents, a quantity with its unit."""
    measure = MEASURES[name]
    if measure.gated:
        text, unit = format_number(100 * value, 1), "%"
    else:
        text, unit = format_number(value, _DECIMALS[name]), measure.unit
    sign = "+" if signed and value > 0 else ""
    return f"{sign}{text} {unit}".rstrip()


def interval(one: Difference) -> str:
    """The difference between two prompts, with its bounds."""
    change = figure(one.measure, one.change, signed=True)
    if one.verdict == "same":
        return change
    low, high = (figure(one.measure, bound, signed=True) for bound in (one.low, one.high))
    return f"{change} [{low} ; {high}]"


def verdict_word(verdict: Verdict) -> str:
    return {
        "same": _("the same"),
        "unclear": _("cannot be told apart"),
        "better": _("better"),
        "worse": _("worse"),
        "more": _("more"),
        "less": _("less"),
    }[verdict]
