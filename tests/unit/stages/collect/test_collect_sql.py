"""SQL sources on SQLite, by ADBC and by SQLAlchemy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collecting import Collecting
from compagnon.errors import UserError
from compagnon.stages.collect import query
from compagnon.stages.collect.sql import SqlOptions, without_password

ADBC, SQLALCHEMY = "sqlite:///data/a.db", "sqlite+pysqlite:///data/a.db"


def fill(collecting: Collecting, *statements: str, rows: tuple[str, list[Any]] | None = None) -> Path:
    path = collecting.root / "data/a.db"
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
        if rows:
            connection.executemany(*rows)
    return path


@pytest.fixture(params=[ADBC, SQLALCHEMY], ids=["adbc", "sqlalchemy"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_table_or_a_query_in_a_file_or_in_place(collecting: Collecting, url: str) -> None:
    fill(
        collecting, "CREATE TABLE t (id INTEGER, v TEXT, x REAL)", "INSERT INTO t VALUES (1, 'é:x', 1.5), (2, NULL, 2)"
    )
    expected = [(1, "é:x", 1.5), (2, None, 2.0)]
    (collecting.root / "q.sql").write_text("-- all; rows\nSELECT * FROM t WHERE v IS NOT 'a:b' ORDER BY id;\n")
    for options in ({"table": "t"}, {"query": "q.sql"}, {"query": "select * from t -- end"}):
        collecting.run(kind="sql", url=url, **options)
        assert collecting.cells() == expected
    assert collecting.ids() == ["s:0:0", "s:0:1"]
    assert collecting.instance(collecting.spec(kind="sql", url=url, query="q.sql")).files == ("q.sql",)


def test_types_that_change_late_fall_back_to_text(collecting: Collecting, url: str) -> None:
    rows = [(i, i, i, None) for i in range(70_000)] + [(70_000, "x", 0.5, "late"), (70_001, b"\x01\xff", 2, "z")]
    fill(collecting, "CREATE TABLE t (id, a, b, c)", rows=("INSERT INTO t VALUES (?, ?, ?, ?)", rows))
    if url == SQLALCHEMY:
        rows = rows[:-1]
    where = "" if url == ADBC else " WHERE id < 70001"
    collecting.run(kind="sql", url=url, query=f"select * from t{where}", key="id", batch=30_000)
    table = collecting.table()
    assert table.num_rows == len(rows)
    assert len(set(collecting.ids())) == len(rows)
    assert table.column("a").to_pylist()[-2:] == (["x", "01FF"] if url == ADBC else ["69999", "x"])
    assert [float(v) for v in table.column("b").to_pylist()[69_999:]] == [69_999.0, 0.5, 2.0][: len(rows) - 69_999]


def test_bytes_that_are_only_bytes_stay(collecting: Collecting) -> None:
    fill(collecting, "CREATE TABLE t (b)", "INSERT INTO t VALUES (x'00ff'), (NULL)")
    collecting.run(kind="sql", url=ADBC, table="t")
    assert collecting.cells() == [(b"\x00\xff",), (None,)]


def test_text_that_is_not_utf_8_is_kept_aside(collecting: Collecting) -> None:
    fill(collecting, "CREATE TABLE t (i, v)", "INSERT INTO t VALUES (1, 'a'), (2, CAST(x'ff41' AS TEXT)), (3, 'b')")
    collecting.run(kind="sql", url=ADBC, table="t")
    assert collecting.cells() == [(1, "a"), (3, "b")]
    assert collecting.ids() == ["s:0:0", "s:0:2"]
    assert [(r["text"], r["code"]) for r in collecting.unreadable()] == [("2 | \\xffA", "bytes-invalid")]


def test_an_empty_table_keeps_its_columns(collecting: Collecting, url: str) -> None:
    fill(collecting, "CREATE TABLE t (a INTEGER, b TEXT)")
    artifact = collecting.run(kind="sql", url=url, table="t")
    assert [column["name"] for column in artifact.meta["columns"]] == ["a", "b"]
    assert artifact.rows == 0


def test_segments_hold_a_batch_of_rows_each(collecting: Collecting, url: str) -> None:
    fill(collecting, "CREATE TABLE t (a)", rows=("INSERT INTO t VALUES (?)", [(i,) for i in range(2000)]))
    artifact = collecting.run(kind="sql", url=url, table="t", batch=1000)
    assert [segment.rows for segment in artifact.segments] == [1000, 1000]
    assert [row["a"] for row in collecting.rows()] == list(range(2000))


# --- cursor ------------------------------------------------------------------------------------------------------


def test_a_cursor_collects_what_is_new_ties_included(collecting: Collecting, url: str) -> None:
    options = {"kind": "sql", "url": url, "table": "t", "cursor": "at", "key": "id"}
    fill(
        collecting,
        "CREATE TABLE t (id INTEGER, at TEXT)",
        "INSERT INTO t VALUES (1, '2026-01-01'), (2, '2026-01-02'), (3, NULL)",
    )
    first = collecting.run(**options)
    token = collecting.probe(**options).token
    assert collecting.run(**options).digest == first.digest
    fill(collecting, "INSERT INTO t VALUES (4, '2026-01-02'), (5, '2026-01-03'), (6, '2025-01-01'), (7, NULL)")
    assert collecting.probe(**options).token != token
    second = collecting.run(**options)
    assert second.segments[0] == first.segments[0]
    assert collecting.ids() == ["s:1", "s:2", "s:3", "s:4", "s:5", "s:7"]
    fill(collecting, "DELETE FROM t WHERE id = 1", "UPDATE t SET at = '2026-02-01' WHERE id = 2")
    collecting.run(**options)
    assert collecting.ids() == ["s:1", "s:2", "s:3", "s:4", "s:5", "s:7", "s:2#2"]
    collecting.run(**options, refresh=True)
    assert sorted(collecting.ids()) == ["s:2", "s:3", "s:4", "s:5", "s:6", "s:7"]


@pytest.mark.parametrize("values", [[1, 2, 2, 3], [0.5, 0.5, 2.25, 4.0], ["a", "b'c", "b'c", "d"]])
def test_a_cursor_of_any_type(collecting: Collecting, url: str, values: list[Any]) -> None:
    options = {"kind": "sql", "url": url, "table": "t", "cursor": "c", "key": "id"}
    fill(collecting, "CREATE TABLE t (id, c)")
    for number, value in enumerate(values):
        fill(collecting, rows=("INSERT INTO t VALUES (?, ?)", [(number, value)]))
        collecting.run(**options)
        assert collecting.ids() == [f"s:{i}" for i in range(number + 1)]


def test_another_query_collects_all_again(collecting: Collecting) -> None:
    fill(collecting, "CREATE TABLE t (id, c)", "INSERT INTO t VALUES (1, 1), (2, 2)")
    collecting.run(kind="sql", url=ADBC, table="t", cursor="c", key="id")
    collecting.run(kind="sql", url=ADBC, query="select id + 10 as id, c from t", cursor="c", key="id")
    assert collecting.ids() == ["s:11", "s:12"]


def test_keys_that_end_like_a_suffix_are_known_again(collecting: Collecting) -> None:
    options = {"kind": "sql", "url": ADBC, "table": "t", "cursor": "n", "key": "id"}
    fill(collecting, "CREATE TABLE t (id, n)", "INSERT INTO t VALUES ('A#1', 1), ('A#2', 2), ('A', 2)")
    collecting.run(**options)
    fill(collecting, "INSERT INTO t VALUES ('A#3', 2)")
    collecting.run(**options)
    assert sorted(row["id"] for row in collecting.rows()) == ["A", "A#1", "A#2", "A#3"]


def test_a_cursor_needs_a_key(collecting: Collecting) -> None:
    fill(collecting, "CREATE TABLE t (id, c)")
    with pytest.raises(UserError) as caught:
        collecting.run(kind="sql", url=ADBC, table="t", cursor="c")
    assert caught.value.code == "collect.cursor-needs-key"


# --- read only, errors, secrets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "delete from t", "select 1; drop table t", "with x as (delete from t returning *) select * from x", "",
        "pragma x", "-- select\ninsert into t values (1)", "explain select 1", "select 1; select 2",
    ],
)  # fmt: skip
def test_queries_that_do_not_only_read_are_refused(text: str) -> None:
    with pytest.raises(UserError) as caught:
        query.checked(text, "q.sql")
    assert caught.value.code == "collect.query-not-read-only"


@pytest.mark.parametrize(
    "text",
    [
        "select 1", "SELECT ';' AS a, \"delete\" FROM t;", "with x as (select 1) select * from x -- ; done",
        "/* ; */ select 'it''s; drop' ; ", "select replace(a, 'x', 'y'), \"update\" from t",
    ],
)  # fmt: skip
def test_queries_that_only_read_pass(text: str) -> None:
    assert query.checked(text, "q.sql").startswith(text[:6])


def test_the_connection_itself_cannot_write(collecting: Collecting, url: str) -> None:
    from compagnon.stages.collect import engines

    path = fill(collecting, "CREATE TABLE t (a)")
    before = path.read_bytes()
    with (
        pytest.raises(Exception, match="readonly database"),
        engines.connect(url, collecting.root) as connection,
    ):
        list(connection.batches("INSERT INTO t VALUES (1) RETURNING a"))
    assert path.read_bytes() == before


def test_a_query_that_fails_is_the_users(collecting: Collecting, url: str) -> None:
    fill(collecting, "CREATE TABLE t (a)")
    with pytest.raises(UserError) as caught:
        collecting.run(kind="sql", url=url, table="nope")
    assert caught.value.code == "collect.query-failed"
    assert "nope" in str(caught.value)


def test_a_database_that_is_not_there(collecting: Collecting) -> None:
    for path in ("data/none.db", "broken.db"):
        (collecting.root / "broken.db").write_bytes(b"not a database at all" * 100)
        with pytest.raises(UserError) as caught:
            collecting.run(kind="sql", url=f"sqlite:///{path}", table="t")
        assert caught.value.code == "collect.source-down"
    assert collecting.probe(kind="sql", url="sqlite:///data/none.db", table="t").error


def test_the_last_good_collection_serves_instead(collecting: Collecting) -> None:
    options = {"kind": "sql", "url": ADBC, "table": "t", "instead": "last"}
    path = fill(collecting, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    first = collecting.run(**options)
    path.rename(path.with_suffix(".away"))
    for _again in range(2):
        assert collecting.run(**options).digest == first.digest
        assert collecting.facts()["instead_used"] == "last"
        assert collecting.facts()["rows_collected"] == 1
        assert "is down" in collecting.warnings
    assert collecting.run(refresh=True, **options).digest == first.digest
    collecting.previous = None
    with pytest.raises(UserError) as caught:
        collecting.run(**options)
    assert caught.value.code == "collect.source-down"


def test_passwords_stay_out_of_settings(collecting: Collecting) -> None:
    assert without_password("postgresql://u:p%40w@h/db") == "postgresql://u:***@h/db"
    assert without_password("postgresql://u:${secret:PW}@h/db") == "postgresql://u:${secret:PW}@h/db"
    assert without_password("mssql://h/db?user=u&password=abc&x=1") == "mssql://h/db?user=u&password=***&x=1"
    spec = collecting.spec(kind="sql", url="${secret:URL}", table="t")
    assert collecting.instance(spec).settings["url"] == "${secret:URL}"


def test_a_secret_is_resolved_only_to_connect(tmp_path: Path) -> None:
    collecting = Collecting(tmp_path, {"DB": "data/a.db"})
    fill(collecting, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    collecting.run(kind="sql", url="sqlite:///${secret:DB}", table="t")
    assert collecting.cells() == [(1,)]
    with pytest.raises(UserError) as caught:
        collecting.run(kind="sql", url="sqlite:///${secret:OTHER}", table="t")
    assert caught.value.code == "spec.secret-missing"


def test_the_secret_of_an_unreachable_database_is_not_shown(tmp_path: Path) -> None:
    collecting = Collecting(tmp_path, {"PW": "s3cret-value"})
    for url in ("postgresql://u:${secret:PW}@127.0.0.1:1/db", "postgresql+psycopg://u:${secret:PW}@127.0.0.1:1/db"):
        with pytest.raises(UserError) as caught:
            collecting.run(kind="sql", url=url, table="t")
        assert caught.value.code == "collect.source-down"
        assert "s3cret" not in str(caught.value) + repr(caught.value.__context__ or "")
        assert "s3cret" not in (collecting.probe(kind="sql", url=url, table="t", cursor="a").error or "")


def test_either_a_query_or_a_table() -> None:
    for options in ({}, {"query": "q.sql", "table": "t"}):
        with pytest.raises(ValidationError, match="either query or table"):
            SqlOptions(kind="sql", url="sqlite:///a.db", **options)


VALUE = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.binary(max_size=4),
)  # fmt: skip


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_sqlite_table_comes_back(collecting: Collecting, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 3))
    rows = data.draw(st.lists(st.tuples(*[VALUE] * width), max_size=6))
    (collecting.root / "data/a.db").unlink(missing_ok=True)
    fill(
        collecting,
        f"CREATE TABLE t ({', '.join(f'c{place}' for place in range(width))})",
        rows=(f"INSERT INTO t VALUES ({', '.join('?' * width)})", rows),
    )
    collecting.run(kind="sql", url=ADBC, table="t")
    found = collecting.cells()
    assert len(found) == len(rows)
    for place in range(width):
        column = [row[place] for row in rows]
        kinds = {type(value) for value in column} - {type(None)}
        got = [row[place] for row in found]
        if len(kinds) <= 1:
            assert got == column
        elif kinds == {int, float}:
            assert got == [None if value is None else float(value) for value in column]
        else:
            # Text, with numbers as SQLite writes them and bytes in hexadecimal: nothing is lost or null by it.
            assert [value is None for value in got] == [value is None for value in column]
            texts = [(g, v) for g, v in zip(got, column, strict=True) if isinstance(v, str)]
            assert all(g == v for g, v in texts)
