from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from compagnon.providers.port import Usage
from compagnon.providers.prices import NANO, Price, catalog
from compagnon.sandbox.mistral import MODELS


def test_the_list_says_when_it_was_read() -> None:
    assert catalog().read >= date(2026, 11, 21)
    assert catalog().currency == "USD"


def test_short_names_are_dated_ids() -> None:
    for kind, names in catalog().names.items():
        for short, model in names.items():
            assert catalog().model(kind, short) == model
            assert not model.endswith("-latest")
            assert catalog().price(kind, model) is not None
    assert catalog().model("mistral", "my-own-model") == "my-own-model"
    assert catalog().model("openai", "small") == "small"


def test_the_emulator_offers_what_the_list_names() -> None:
    offered = {name for first, aliases in MODELS.items() for name in (first, *aliases)}
    assert set(catalog().prices["mistral"]) <= offered


def test_a_price_is_exact() -> None:
    price = Price(Decimal("0.15"), Decimal("0.60"))
    assert price.nano(Usage(1_000_000, 1_000_000)) == int(Decimal("0.75") * NANO)
    assert price.nano(Usage(1, 0)) == 150


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), max_size=20))
def test_sums_do_not_depend_on_their_order(counts: list[tuple[int, int]]) -> None:
    price = Price(Decimal("0.1"), Decimal("7.5"))
    parts = [price.nano(Usage(*count)) for count in counts]
    whole = price.nano(Usage(sum(a for a, _ in counts), sum(b for _, b in counts)))
    assert sum(parts) == whole
