"""The layout of compiled SQL: what stands in quotes and comments is never cut."""

from __future__ import annotations

import duckdb
import pytest

from compagnon.evidence.code import layout


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("a, f(b, c), d", ["a", "f(b, c)", "d"]),
        ("'x, (y' , \"a,b\"", ["'x, (y'", '"a,b"']),
        ("'it''s, so', b", ["'it''s, so'", "b"]),
        ("(a -- no, (\n), b", ["(a -- no, (\n)", "b"]),
        ("a /* , ( */, MAP {'k': 1, 'l': 2}[x]", ["a /* , ( */", "MAP {'k': 1, 'l': 2}[x]"]),
    ],
)
def test_split_cuts_at_the_top_only(sql: str, parts: list[str]) -> None:
    assert layout.split(sql) == parts


def test_layers_are_found_with_what_they_hold() -> None:
    ctes, final = layout.layers('WITH "raw" AS (SELECT \')\' AS a),\n"b" AS (SELECT * FROM "raw")\nSELECT a FROM "b"')
    assert ctes == [("raw", "SELECT ')' AS a"), ("b", 'SELECT * FROM "raw"')]
    assert final == 'SELECT a FROM "b"'


def test_replaced_columns_are_told_from_new_ones() -> None:
    found = layout.selected('SELECT * REPLACE (f(a, b) AS "a", c AS "c"), d AS "d" FROM "x"')
    assert found == (['f(a, b) AS "a"', 'c AS "c"'], ["*", 'd AS "d"'], '"x"')


def test_a_long_expression_keeps_its_value() -> None:
    values = ", ".join(f"'n° {n}, ({n}'" for n in range(60))
    sql = f"list_aggregate([{values}], 'string_agg', '|')"
    wrapped = layout.wrapped(sql, 4)
    assert max(map(len, wrapped.splitlines())) <= layout.WIDTH + 20
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {sql} = {wrapped}").fetchall() == [(True,)]


def test_an_expression_with_a_comment_keeps_its_lines() -> None:
    assert layout.tidied("(\na + 1\n) AS b") == "(a + 1) AS b"
    assert layout.tidied("(\na -- why\n) AS b") == "(\na -- why\n) AS b"
    assert layout.tidied("'(\nx\n)'") == "'(\nx\n)'"
