"""Validation of rows sent by clients."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.features.inputs import Input, feeds_of_rows
from compagnon.stages.package.validate import check

FIELDS = (
    Input("text", "text"),
    Input("kind", "category", True),
    Input("size", "float", True),
    Input("flag", "boolean"),
    Input("day", "date", True),
    Input("seen", "timestamp", True),
)
GOOD = {"text": "mot", "kind": "a", "size": 1, "flag": False, "day": "2026-01-31", "seen": "2026-01-31T10:00:00Z"}


def faults(row: Any, longest: int = 50) -> list[tuple[str | None, str]]:
    return [(f.field, f.code) for f in check(FIELDS, [row], longest=longest, text_needed=True)]


def test_a_good_row_has_no_fault() -> None:
    assert faults(GOOD) == []
    assert faults({**GOOD, "kind": None, "size": None, "day": None, "seen": None}) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"text": 3}, ("text", "type")),
        ({"text": None}, ("text", "null")),
        ({"text": "  \n"}, ("text", "empty")),
        ({"text": "x" * 51}, ("text", "too-long")),
        ({"text": "a\ud800b"}, ("text", "encoding")),
        ({"kind": ["a"]}, ("kind", "type")),
        ({"kind": "\udfff"}, ("kind", "encoding")),
        ({"size": "3"}, ("size", "type")),
        ({"size": True}, ("size", "type")),
        ({"size": math.inf}, ("size", "not-finite")),
        ({"size": math.nan}, ("size", "not-finite")),
        ({"size": 1e39}, ("size", "range")),
        ({"size": 10**400}, ("size", "range")),
        ({"flag": 1}, ("flag", "type")),
        ({"flag": None}, ("flag", "null")),
        ({"day": "31/01/2026"}, ("day", "date")),
        ({"day": 20260131}, ("day", "type")),
        ({"seen": "2026-01-31T10:00:00"}, ("seen", "date")),
        ({"seen": "0001-01-01T00:00:00+23:59"}, None),
        ({"other": 1}, ("other", "extra")),
    ],
)
def test_each_fault_has_its_field_and_code(change: dict[str, Any], found: tuple[str, str] | None) -> None:
    assert faults({**GOOD, **change}) == ([] if found is None else [found])


def test_missing_fields_and_rows_that_are_none() -> None:
    assert {code for _field, code in faults({})} == {"missing"}
    assert len(faults({})) == len(FIELDS)
    for row in (None, 3, "text", ["text"]):
        assert faults(row) == [(None, "type")]


def test_faults_are_bounded_and_printable() -> None:
    found = check(FIELDS, [{}] * 1000, longest=10, text_needed=True)
    assert len(found) == 100
    name = check(FIELDS, [{**GOOD, "\x1b[31m" + "x" * 500: 1}], longest=10, text_needed=True)[0]
    assert name.what.isprintable()
    assert len(name.what) < 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), JSON | st.sampled_from(list(GOOD.values()))))
def test_whatever_passes_can_be_fed(row: dict[str, Any]) -> None:
    if not check(FIELDS, [row], longest=1000, text_needed=True):
        feeds = feeds_of_rows(FIELDS, [row])
        assert all(len(values) == 1 for values in feeds.values())
        if row["size"] is not None:
            assert math.isfinite(feeds["size"][0])


@given(st.fixed_dictionaries({**{k: st.just(v) for k, v in GOOD.items()}, "text": st.text(min_size=1)}))
def test_any_text_is_accepted_or_explained(row: dict[str, Any]) -> None:
    for fault in check(FIELDS, [row], longest=20_000, text_needed=True):
        assert fault.code in ("empty", "encoding")
        assert fault.as_dict()["field"] == "text"
