from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.spec import quantity
from compagnon.spec.model import Serve


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta.max))
def test_durations_read_back_as_written(value):
    assert quantity.duration(quantity.write_duration(value)) == value


@pytest.mark.parametrize("text", ["", "3", "3 jours", "1e3 s", "-1 s", "9" * 400 + " s", "99999999999999 y", "s"])
def test_what_is_not_a_duration(text):
    with pytest.raises(ValueError, match="number and a unit"):
        quantity.duration(text)


@pytest.mark.parametrize(("text", "size"), [("1 MB", 10**6), ("1,5kB", 1500), ("2 GiB", 2 * 1024**3), ("0.1 kB", 100)])
def test_sizes(text, size):
    assert quantity.size(text) == size


def test_endless_size_is_refused():
    with pytest.raises(ValueError, match="number and a unit"):
        quantity.size("9" * 400 + " MB")


def test_split():
    assert quantity.split("5 ms") == (5.0, "ms")
    assert quantity.split("-1,5%") == (-1.5, "%")
    assert quantity.split("fast") is None


def test_a_spec_keeps_long_durations_exactly():
    again = Serve.model_validate_json(Serve().model_dump_json())
    assert again.record.keep == timedelta(days=365)
