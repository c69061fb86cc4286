"""What every kind of rule keeps: nothing stays nothing, no text breaks it, and a row is judged alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import duckdb
import pytest

from compagnon.spec.model import Clean, Column, ColumnType, FromColumn, Reject, Table
from compagnon.stages.prepare import engine, work
from compagnon.stages.prepare.overlay import Input

NASTY = [
    None, "", " ", "\u00a0", "\t\n", "é", "e\u0301", "'", "''; DROP TABLE rows; --", '"', "\\", "%", "{}", "&",
    "&amp;", "&#0;", "&#x110000;",
    "1", "1,5", "1.5", "-0", "1e999", "9" * 40, "nan", "inf", "oui", "2024-01-01", "2024-13-45", "31/12/2024",
    "2024-01-01T00:00:00Z",
    "0000-00-00", "9999-12-31T23:59:59", "🙂", "\u202e", "\ufeff", "x" * 10_000, "a\x00b",
]  # fmt: skip

KINDS: dict[str, dict[str, Any]] = {
    **{f"type {kind}": {"type": kind} for kind in get_args(ColumnType)},
    **{f"clean {step}": {"type": "text", "clean": [step]} for step in get_args(Clean)},
    "replace": {"type": "text", "replace": [{"pattern": "(.)(.)", "with": r"\2\1"}]},
    "formats fr": {"type": "decimal", "formats": ["fr"]},
    "formats en": {"type": "decimal", "formats": ["en"]},
    "formats strptime": {"type": "date", "formats": ["%d/%m/%Y", "%j", "%y", "iso"]},
    "timezone": {"type": "timestamp", "timezone": "Pacific/Apia", "formats": ["%d/%m/%Y", "iso"]},
    "values": {"type": "category", "values": ["é", "'"]},
    "map": {"type": "category", "values": ["é"], "map": {"oui": "é", "'": "é"}},
    "unit": {"type": "float", "unit": "degC"},
    "scale": {"type": "decimal", "scale": 9},
    "at_least": {"type": "float", "at_least": 1.5},
    "at_most": {"type": "integer", "at_most": 0},
    "required": {"type": "text", "required": True},
    "pattern": {"type": "text", "pattern": "[a-z]+"},
}
TESTED_ELSEWHERE = {"type", "meaning", "personal", "keep", "expr", "clean", "formats"}
"""Not rules over a value, or above under a longer name."""


def judged(column: dict[str, Any], values: list[str | None], connection: duckdb.DuckDBPyConnection) -> list[Any]:
    entry: Any = {"column": "X", "unit": "degF"} if column.get("unit") else "X"
    table = Table.model_validate(
        {
            "from": {"s": {"x": entry}},
            "columns": {"x": column, "again": {"type": "text", "expr": "cast(x as varchar) || 'y'"}},
            "reject": [{"when": "x is null", "because": "null"}],
        }
    )
    connection.execute("DROP TABLE IF EXISTS rows")
    connection.execute('CREATE OR REPLACE TEMP TABLE given ("_row_id" VARCHAR, "_source" VARCHAR, "X" VARCHAR)')
    ids = [str(i) for i in range(len(values))]
    connection.execute(
        "INSERT INTO given SELECT unnest(?::VARCHAR[]), 's', unnest(?::VARCHAR[])", [ids, values]
    ).fetchall()
    scene = work.make_scene(table, "Europe/Paris", Path(), connection)
    types = {"_row_id": "VARCHAR", "_source": "VARCHAR", "X": "VARCHAR"}
    work.apply("t", table, [Input("s", "given", types)], scene, connection)
    rows = connection.sql("SELECT * FROM rows ORDER BY row_id::INT").to_arrow_table().to_pylist()
    return [(row["x"], row["again"], row["@bad0"], row["@did0"]) for row in rows]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with engine.connect(threads=1) as made:
        yield made


@pytest.mark.parametrize("kind", list(KINDS))
def test_any_text_one_row_at_a_time(connection: duckdb.DuckDBPyConnection, kind: str) -> None:
    together = judged(KINDS[kind], NASTY, connection)
    assert together[0][:2] == (None, None)
    assert together[1][:2] == (None, None)
    alone = [judged(KINDS[kind], [value], connection)[0] for value in NASTY]
    assert together == alone
    backwards = judged(KINDS[kind], NASTY[::-1], connection)
    assert backwards[::-1] == together


def test_every_option_of_a_column_is_covered() -> None:
    covered = {kind.split()[0] for kind in KINDS} | TESTED_ELSEWHERE
    options = set(Column.model_fields) | set(FromColumn.model_fields) - {"column"}
    assert options == covered


@pytest.mark.parametrize("model", [Column, FromColumn, Reject])
def test_every_option_is_in_the_reference(model: Any) -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"
    text = page.read_text(encoding="utf-8")
    for name, field in model.model_fields.items():
        assert f"`{field.alias or name}`" in text, name
