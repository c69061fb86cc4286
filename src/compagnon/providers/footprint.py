"""What one answer of an AI service weighs: energy and greenhouse gas, with the range of the estimate.

EcoLogits (https://ecologits.ai) models the machines from the size of the model and the length of the answer; it
measures nothing. Where it does not know a model, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SERVICES = {"api.mistral.ai": "mistralai", "api.openai.com": "openai"}
"""EcoLogits' name of the service at an address: it must know where the machines stand."""


@dataclass(frozen=True)
class Footprint:
    """Energy in watt-hours, greenhouse gas in grams of CO2 equivalent; lowest and highest estimate."""

    energy: tuple[float, float]
    carbon: tuple[float, float]


def footprint(url: str, model: str, completion_tokens: int, seconds: float) -> Footprint | None:
    """The estimate for an answer of so many tokens that took so long; None where nothing is known."""
    service = SERVICES.get(urlsplit(url).hostname or "")
    if service is None or completion_tokens <= 0:
        return None
    import logging

    from ecologits.tracers.utils import llm_impacts

    # Its warnings on the precision of a model come once for each process, in English and out of place.
    logging.getLogger("ecologits").setLevel(logging.ERROR)
    impacts = llm_impacts(service, model, completion_tokens, seconds)
    if impacts.energy is None or impacts.gwp is None:
        return None
    return Footprint(_range(impacts.energy.value, 1000), _range(impacts.gwp.value, 1000))


def _range(value: Any, factor: float) -> tuple[float, float]:
    """Kilo-units as units; one number stands for both ends."""
    low, high = getattr(value, "min", value), getattr(value, "max", value)
    return float(low) * factor, float(high) * factor
