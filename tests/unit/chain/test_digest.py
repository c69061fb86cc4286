"""The digest of a table depends on its rows and their order, and on nothing else."""

from __future__ import annotations

import decimal
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.chain import digest

COLUMNS = st.tuples(
    st.lists(st.one_of(st.none(), st.text(max_size=5)), min_size=8, max_size=8),
    st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62)), min_size=8, max_size=8),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=8, max_size=8),
    st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), min_size=8, max_size=8),
)


def table(columns: tuple[list[object], ...]) -> pa.Table:
    types = (pa.string(), pa.int64(), pa.bool_(), pa.float64())
    return pa.table({f"c{i}": pa.array(c, t) for i, (c, t) in enumerate(zip(columns, types, strict=True))})


@given(COLUMNS, st.integers(1, 8))
def test_chunks_slices_and_encodings_do_not_count(columns: tuple[list[object], ...], size: int) -> None:
    whole = table(columns)
    expected = digest.of_table(whole)
    assert digest.of_table(pa.Table.from_batches(whole.to_batches(max_chunksize=size))) == expected
    padded = pa.concat_tables([whole.slice(0, 3), whole, whole.slice(2)])
    assert digest.of_table(padded.slice(3, 8)) == expected
    encoded = whole.set_column(0, "c0", whole["c0"].dictionary_encode())
    assert digest.of_table(encoded) == expected


@given(COLUMNS, st.integers(0, 7))
def test_any_changed_value_counts(columns: tuple[list[object], ...], row: int) -> None:
    expected = digest.of_table(table(columns))
    for position, other in enumerate(("another value", 2**63 - 1, "flip", 12345.678)):
        changed = [list(column) for column in columns]
        changed[position][row] = (not changed[position][row]) if other == "flip" else other
        assert digest.of_table(table(tuple(changed))) != expected


def test_the_order_of_rows_and_the_names_count() -> None:
    rows = pa.table({"a": [1, 2], "b": ["x", "y"]})
    assert digest.of_table(rows.take([1, 0])) != digest.of_table(rows)
    assert digest.of_table(rows.rename_columns(["a", "c"])) != digest.of_table(rows)


def test_null_is_not_empty_and_text_does_not_run_over() -> None:
    assert digest.of_table(pa.table({"a": ["", None]})) != digest.of_table(pa.table({"a": [None, ""]}))
    assert digest.of_table(pa.table({"a": ["ab", "c"]})) != digest.of_table(pa.table({"a": ["a", "bc"]}))


@pytest.mark.parametrize(
    "values",
    [
        [date(2026, 1, 1), None],
        [datetime(2026, 1, 1, 12, tzinfo=UTC), None],
        [decimal.Decimal("1.50"), None],
        [["a", "b"], None],
        [b"\x00\x01", None],
        [None, None],
    ],
)
def test_every_type_has_a_digest(values: list[object]) -> None:
    column = pa.array(values)
    assert digest.of_table(pa.table({"a": column})) == digest.of_table(
        pa.table({"a": pa.chunked_array([column[:1], column[1:]])})
    )
    assert digest.of_table(pa.table({"a": column})) != digest.of_table(pa.table({"a": column[:1]}))
