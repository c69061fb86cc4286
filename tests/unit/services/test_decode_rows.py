"""Decoding requests: what is taken equals what is sent, and nothing else than a problem comes of the rest."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.features.inputs import Input
from compagnon.services.model_api.decode import decode
from compagnon.services.model_api.metrics import Metrics
from compagnon.services.model_api.problem import Refused
from compagnon.services.model_api.schema import row_schema
from compagnon.stages.package.validate import Fault, check


class Package:
    """Inputs of every kind, without a model."""

    task = "tabular-classification"
    labels = ("a", "b")
    inputs = (
        Input("text", "text"),
        Input("class", "category", nullable=True, categories=("x", "y")),
        Input("size", "float"),
        Input("count", "integer", nullable=True),
        Input("on", "boolean"),
        Input("day", "date"),
        Input("at", "timestamp"),
    )

    def validate(self, rows: Any) -> list[Fault]:
        return check(self.inputs, rows, longest=50, text_needed=False)

    def predict(self, rows: Any) -> Any:
        raise NotImplementedError

    def explain(self, row: Any, k: int) -> Any:
        raise NotImplementedError


ROW = {
    "text": 'été: {"a": 1}\\',
    "class": None,
    "size": 1.5,
    "count": 3,
    "on": True,
    "day": "2026-01-31",
    "at": "2026-01-31T09:30:00+01:00",
}
PLAIN = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
ROWS = st.fixed_dictionaries(
    {
        "text": PLAIN,
        "class": st.none() | PLAIN,
        "size": st.floats(allow_nan=False, allow_infinity=False, width=32),
        "count": st.none() | st.integers(-(2**60), 2**60),
        "on": st.booleans(),
        "day": st.dates().map(str),
        "at": st.just("2026-01-31T09:30:00Z"),
    }
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(ROWS, min_size=1, max_size=5), st.booleans())
def test_good_rows_come_out_as_they_were(rows: list[dict[str, Any]], ascii_only: bool) -> None:
    body = json.dumps({"rows": rows}, ensure_ascii=ascii_only).encode()
    assert decode(body, Package(), 5) == rows


@given(st.binary(max_size=200))
def test_any_bytes_are_a_problem_and_no_fault(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        decode(body, Package(), 5)
    assert caught.value.problem.status in (400, 422)


def outcome(body: bytes) -> tuple[Refused | None, Any]:
    try:
        return None, decode(body, Package(), 5)
    except Refused as refused:
        return refused, None


@given(ANYTHING)
def test_any_json_is_a_problem_and_no_fault(value: Any) -> None:
    for document in (value, {"rows": value}, {"rows": [value]}, {"rows": [{**ROW, "text": value}]}):
        body = json.dumps(document).encode()
        refused, rows = outcome(body)
        if refused is None:
            assert rows == document["rows"]
        else:
            assert refused.problem.status in (400, 422)
            msgspec.json.decode(refused.problem.body())  # it can always be written


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("size", "NaN", "not-finite"),
        ("size", "1e999", "not-finite"),
        ("size", "-Infinity", "not-finite"),
        ("size", "1e39", "range"),
        ("size", "1" * 500, "range"),
        ("size", '"1"', "type"),
        ("size", "true", "type"),
        ("size", "null", "null"),
        ("on", "1", "type"),
        ("day", '"2026-02-30"', "date"),
        ("day", "3", "type"),
        ("at", '"2026-01-31T09:30:00"', "date"),
        ("text", '"' + "a" * 51 + '"', "too-long"),
        ("class", '"\\udfff"', "encoding"),
    ],
)
def test_each_mistake_has_its_code(field: str, value: str, code: str) -> None:
    row = json.dumps({name: ROW[name] for name in ROW if name != field})
    body = f'{{"rows": [{row[:-1]}, "{field}": {value}}}]}}'.encode()
    with pytest.raises(Refused) as caught:
        decode(body, Package(), 5)
    assert [(e.row, e.field, e.code) for e in caught.value.problem.errors] == [(0, field, code)]


def test_a_field_whose_name_or_value_holds_colons_is_no_duplicate() -> None:
    assert decode(json.dumps({"rows": [ROW]}).encode(), Package(), 5) == [ROW]


def test_the_schema_says_what_is_needed() -> None:
    schema = row_schema(Package(), 50)  # type: ignore[arg-type]
    assert schema["required"] == list(ROW)
    assert schema["properties"]["class"]["type"] == ["string", "null"]
    assert schema["properties"]["at"]["format"] == "date-time"


def test_metrics_are_escaped_and_add_up() -> None:
    metrics = Metrics()
    metrics.request("GET", '/a"b\n', 200, 0.003)
    metrics.request("GET", '/a"b\n', 200, 99.0)
    metrics.predicted("m", "v", ["model", "person", "model"])
    text = metrics.text({"g": ("gauge", "Meaning.", {(): 1234567.0})})
    assert 'compagnon_requests_total{method="GET",route="/a\\"b\\n",status="200"} 2' in text
    assert 'le="0.005"} 1' in text
    assert 'le="+Inf"} 2' in text
    assert 'compagnon_predictions_total{model="m",version="v",decide="model"} 2' in text
    assert "\ng 1234567\n" in text
