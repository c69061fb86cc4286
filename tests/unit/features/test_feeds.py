"""The same arrays from a table and from JSON rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from compagnon.features.inputs import Input, feeds_of_rows, feeds_of_table

FIELDS = (
    Input("text", "text"),
    Input("kind", "category", True),
    Input("size", "float", True),
    Input("count", "integer", True),
    Input("flag", "boolean", True),
    Input("day", "date", True),
    Input("seen", "timestamp", True),
)
optional = st.fixed_dictionaries(
    {
        "text": st.text(max_size=20),
        "kind": st.none() | st.sampled_from(["a", "b"]),
        "size": st.none() | st.floats(-1e30, 1e30),
        "count": st.none() | st.integers(-(2**53), 2**53),
        "flag": st.none() | st.booleans(),
        "day": st.none() | st.dates(),
        "seen": st.none() | st.datetimes(timezones=st.just(__import__("datetime").UTC)),
    }
)
SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("kind", pa.dictionary(pa.int32(), pa.string())),
        ("size", pa.float64()),
        ("count", pa.int64()),
        ("flag", pa.bool_()),
        ("day", pa.date32()),
        ("seen", pa.timestamp("us", "UTC")),
    ]
)


@given(st.lists(optional, min_size=1, max_size=5))
def test_table_and_rows_feed_the_same(rows: list[dict[str, object]]) -> None:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    from_table = feeds_of_table(FIELDS, table)
    json_rows = [{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()} for row in rows]
    from_rows = feeds_of_rows(FIELDS, json_rows)
    for field in FIELDS:
        np.testing.assert_array_equal(from_table[field.name], from_rows[field.name], err_msg=field.name)
        assert from_table[field.name].dtype == from_rows[field.name].dtype


def test_dates_become_days_month_weekday_hour() -> None:
    field = Input("seen", "timestamp")
    found = feeds_of_rows([field], [{"seen": "2000-01-03T12:30:00+02:00"}])["seen"]
    np.testing.assert_allclose(found, [[2 + 10.5 / 24, 1, 0, 10]])  # a Monday


def test_missing_values_are_nan_or_empty() -> None:
    feeds = feeds_of_rows(FIELDS[1:], [{}])
    assert feeds["kind"].tolist() == [""]
    assert np.isnan(feeds["size"]).all()
    assert feeds["seen"].shape == (1, 4)
    assert np.isnan(feeds["seen"]).all()
