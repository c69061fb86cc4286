"""Indicators: a fact compared with the threshold that the need declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from compagnon.chain.fact import FACTS, Fact, Value
from compagnon.spec import quantity
from compagnon.spec.model import Indicator, Spec

Verdict = Literal["met", "missed", "unknown"]

# Each unit in the one of its family that is written first.
_FACTORS = {
    "second": 1.0, "s": 1.0, "ms": 0.001, "µs": 1e-6, "us": 1e-6, "min": 60.0, "h": 3600.0, "d": 86400.0,
    "byte": 1.0, "b": 1.0, "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1024.0, "MiB": 1024.0**2, "GiB": 1024.0**3,
    "1": 1.0, "": 1.0, "%": 0.01,
}  # fmt: skip


@dataclass(frozen=True)
class Judgement:
    """An indicator with what was found; ``unknown`` while its stage has not run or the units do not compare."""

    indicator: Indicator
    verdict: Verdict
    value: Value
    unit: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "fact": self.indicator.fact,
            "of": self.indicator.of,
            "at_least": self.indicator.at_least,
            "at_most": self.indicator.at_most,
            "value": self.value,
            "unit": self.unit,
            "verdict": self.verdict,
        }


def judge_all(spec: Spec, facts: Mapping[str, Mapping[str, Fact]]) -> list[Judgement]:
    """Each indicator of the need against ``facts`` (by stage instance, then name)."""
    indicators = spec.need.indicators if spec.need else ()
    return [judge(indicator, facts.get(indicator.of, {}).get(indicator.fact)) for indicator in indicators]


def judge(indicator: Indicator, fact: Fact | None) -> Judgement:
    """Whether ``fact`` is within the thresholds of ``indicator``, bounds included."""
    definition = FACTS.get(indicator.fact)
    unit = fact.unit if fact else definition.unit if definition else ""
    value = fact.value if fact else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return Judgement(indicator, "unknown", value, unit)
    low, high = _in_unit(indicator.at_least, unit), _in_unit(indicator.at_most, unit)
    if (low is None) != (indicator.at_least is None) or (high is None) != (indicator.at_most is None):
        return Judgement(indicator, "unknown", value, unit)
    met = (low is None or value >= low) and (high is None or value <= high)
    return Judgement(indicator, "met" if met else "missed", value, unit)


def _in_unit(threshold: float | str | None, unit: str) -> float | None:
    if threshold is None or isinstance(threshold, int | float):
        return threshold
    parts = quantity.split(threshold)
    if parts is None:
        return None
    number, given = parts
    if given in ("", unit):
        return number
    if given not in _FACTORS or unit not in _FACTORS:
        return None
    return number * _FACTORS[given] / _FACTORS[unit]
