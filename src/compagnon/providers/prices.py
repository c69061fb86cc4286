"""What models are called and what they cost: data with a date, not code."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from compagnon.providers.port import Usage

FILE = Path(__file__).with_name("models.yaml")
PER = 1_000_000
"""Tokens that a price is for."""
NANO = 1_000_000_000
"""Prices are summed in whole billionths, so that sums do not depend on their order."""


@dataclass(frozen=True)
class Price:
    """Price of a million tokens of what is asked and of what is answered."""

    prompt: Decimal
    answer: Decimal

    def nano(self, usage: Usage) -> int:
        """Price of ``usage`` in billionths of the currency."""
        exact = (self.prompt * usage.prompt_tokens + self.answer * usage.completion_tokens) * NANO / PER
        return int(exact.to_integral_value())


@dataclass(frozen=True)
class Catalog:
    """Short names and prices by kind of provider, and the day they were read."""

    read: date
    currency: str
    names: dict[str, dict[str, str]]
    prices: dict[str, dict[str, Price]]

    def model(self, kind: str, name: str) -> str:
        """The id that a short name stands for; other names are ids already."""
        return self.names.get(kind, {}).get(name, name)

    def price(self, kind: str, model: str) -> Price | None:
        """The price of a model, None where it is not known."""
        return self.prices.get(kind, {}).get(model)


@functools.cache
def catalog() -> Catalog:
    import yaml

    data: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    prices: dict[str, dict[str, Price]] = {}
    for kind, models in data["models"].items():
        prices[kind] = {
            name: Price(Decimal(known["prompt"]), Decimal(known["answer"]))
            for model, known in models.items()
            for name in (model, *known.get("also", ()))
        }
    return Catalog(data["read"], data["currency"], data["names"], prices)
