from __future__ import annotations

import logging

import pytest

from compagnon.providers.footprint import footprint
from compagnon.providers.prices import catalog

MISTRAL = "https://api.mistral.ai"


@pytest.mark.parametrize("short", ["tiny", "small", "medium"])
def test_each_short_name_has_a_footprint_and_a_price(short: str) -> None:
    model = catalog().model("mistral", short)
    found = footprint(MISTRAL, model, 400, 4.0)
    assert found is not None
    assert 0 < found.energy[0] <= found.energy[1] < 10, "watt-hours of one answer"
    assert 0 < found.carbon[0] <= found.carbon[1] < 10, "grams of one answer"
    assert catalog().price("mistral", model) is not None


def test_the_range_of_a_model_of_unknown_size() -> None:
    found = footprint(MISTRAL, "mistral-medium-latest", 400, 4.0)
    assert found is not None
    assert found.energy[0] < found.energy[1]
    assert found.carbon[0] < found.carbon[1]


def test_a_larger_model_weighs_more() -> None:
    tiny, medium = (footprint(MISTRAL, catalog().model("mistral", name), 400, 4.0) for name in ("tiny", "medium"))
    assert tiny is not None
    assert medium is not None
    assert tiny.energy[1] < medium.energy[0]


def test_what_is_not_known_is_not_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert footprint(MISTRAL, "no-such-model", 400, 4.0) is None
    assert footprint("http://127.0.0.1:8000", "mistral-small-2603", 400, 4.0) is None
    assert footprint(MISTRAL, "mistral-small-2603", 0, 4.0) is None
    assert not caplog.records
