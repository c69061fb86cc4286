"""Expressions are row-local SQL: everything else is named and refused."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from compagnon.spec.model import SourceOptions, Spec, Table
from compagnon.stages.prepare import engine
from compagnon.stages.prepare.expressions import check, check_expressions, reads

COLUMNS = {"a": "BIGINT", "text": "VARCHAR", "ok": "BOOLEAN", "at": "TIMESTAMP WITH TIME ZONE"}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with engine.connect(threads=1) as made:
        yield made


@pytest.mark.parametrize(
    "expression",
    [
        "length(text) < 3 or a is null",
        "TEXT like 'x%' and A between 1 and 3",
        "regexp_extract(text, '(TP|TD) ?[0-9]+')",
        "case when a > 1 then 'x' else text end -- why",
        "list_filter([a, 2], lambda x: x > 1)[1]",
        "list_sum([a, 2])",
        "try_cast(text as date) > date '2020-01-01'",
        "coalesce(a, 0) + if(ok, 1, 2)",
        "split_part(text, '@', 2) in ('a', 'b')",
        'extract(year from "at")',
        "try(cast(text as integer))",
        "round(a / 3, 2) is distinct from 1",
        "a - length(text) + 1",
        'date_trunc(\'month\', "at") + interval 1 day < "at"',
    ],
)
def test_row_local(connection: duckdb.DuckDBPyConnection, expression: str) -> None:
    assert check(expression, COLUMNS, connection) == []


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("lenght(text)", "did you mean length"),
        ("txt is null", "did you mean text"),
        ("now()", "clock"),
        ("a > epoch(now())", "now"),
        ("current_date > date '2020-01-01'", "clock"),
        ("current_timestamp", "clock"),
        ("today()", "clock"),
        ("random()", "random"),
        ("uuid()", "uuid"),
        ("nextval('s')", "nextval"),
        ("sum(a)", "sum"),
        ("count(*)", "count"),
        ("max(a) over ()", "window"),
        ("row_number() over ()", "row_number"),
        ("(select 1)", "subquery"),
        ("a in (select 1)", "subquery"),
        ("exists (select 1)", "subquery"),
        ("read_text('/etc/passwd')", "read_text"),
        ("read_csv('x')", "read_csv"),
        ("getenv('HOME')", "getenv"),
        ("current_setting('threads')", "current_setting"),
        ("getvariable('x')", "getvariable"),
        ("current_user", "session"),
        ("age(\"at\") > interval 1 day", "session"),
        ("unnest([a])", "unnest"),
        ("columns(*)", "star"),
        ("*", "star"),
        ("$1", "parameter"),
        ("a) from t; drop table t; select (1", "expression"),
        ("a) union select (1", "expression"),
        ("a) from other where (1 = 1", "expression"),
        ("1) x, (2", "expression"),
        ("a; select 1", "expression"),
        ("a + text", "worked out"),
        ("list_filter([1], lambda q: now() > \"at\")", "now"),
        ("", "expression"),
        ("a -- )", ""),
    ],
)  # fmt: skip
def test_refused_by_name(connection: duckdb.DuckDBPyConnection, expression: str, names: str) -> None:
    found = check(expression, COLUMNS, connection)
    if names:
        assert found
        assert names in found[0]
    else:
        assert found == []


def test_a_condition_is_true_or_false(connection: duckdb.DuckDBPyConnection) -> None:
    assert "BIGINT" in check("a + 1", COLUMNS, connection, boolean=True)[0]
    assert check("ok", COLUMNS, connection, boolean=True) == []


def test_columns_below_are_named_as_such(connection: duckdb.DuckDBPyConnection) -> None:
    assert "below" in check("b + 1", COLUMNS, connection, later={"b"})[0]


def test_columns_read(connection: duckdb.DuckDBPyConnection) -> None:
    assert reads("upper(Text) || a", connection) == {"text", "a"}


def test_all_of_a_spec_with_paths() -> None:
    table = {
        "from": {"s": {"id": "I", "row_id": "R"}},
        "columns": {
            "id": {"type": "text", "pattern": "(a", "replace": [{"pattern": "b["}]},
            "row_id": {"type": "text"},
            "n": {"type": "integer", "keep": "mask", "expr": "lenght(id)"},
        },
        "reject": [{"when": "id = 'x'", "because": "b"}, {"when": "now() > id", "because": "b"}],
    }
    spec = Spec(
        version=1, name="s", sources={"s": SourceOptions(kind="file")}, tables={"q": Table.model_validate(table)}
    )
    assert [path for path, _what in check_expressions(spec)] == [
        ("tables", "q", "columns", "id", "pattern"),
        ("tables", "q", "columns", "id", "replace", 0, "pattern"),
        ("tables", "q", "columns", "row_id"),
        ("tables", "q", "columns", "n", "expr"),
        ("tables", "q", "columns", "n", "keep"),
        ("tables", "q", "reject", 1, "when"),
    ]
    reasons = [what for _path, what in check_expressions(spec)]
    assert "RE2" in reasons[0]
    assert "length" in reasons[3]
    assert "now" in reasons[5]


def test_a_locked_connection_reaches_nothing(tmp_path: object) -> None:
    with engine.connect(threads=1) as connection:
        for sql in (
            "SELECT * FROM read_text('/etc/hostname')",
            f"COPY (SELECT 1) TO '{tmp_path}/x.csv'",
            "SET threads = 2",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
