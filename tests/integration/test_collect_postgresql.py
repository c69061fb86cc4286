"""SQL sources on a real PostgreSQL, by ADBC and by SQLAlchemy with psycopg."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from collecting import Collecting
from compagnon.errors import UserError

pytestmark = pytest.mark.postgresql


@pytest.fixture
def database(postgresql: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS t")
        connection.execute(
            "CREATE TABLE t (id int PRIMARY KEY, v text, at timestamptz, n numeric(9,2), j jsonb, u uuid, b boolean)"
        )
        connection.execute("""
            INSERT INTO t SELECT g, 'é' || g, timestamptz '2026-01-01 00:00+00' + g * interval '1 hour', g * 1.5,
                   '{"a": [1]}', '00000000-0000-0000-0000-000000000001', g % 2 = 0 FROM generate_series(1, 2500) g""")
        yield connection


@pytest.fixture(params=["postgresql", "postgresql+psycopg"])
def collecting_database(request: pytest.FixtureRequest, postgresql: str, tmp_path: Path) -> Collecting:
    return Collecting(tmp_path, {"URL": request.param + ":" + postgresql.partition(":")[2]})


OPTIONS = {"kind": "sql", "url": "${secret:URL}", "table": "t", "key": "id"}


def test_values_come_as_they_are(database: psycopg.Connection, collecting_database: Collecting) -> None:
    artifact = collecting_database.run(**OPTIONS, batch=1000)
    assert [segment.rows for segment in artifact.segments] == [1000, 1000, 500]
    row = collecting_database.rows()[0]
    assert (row["_row_id"], row["id"], row["v"], row["n"], row["b"]) == ("s:1", 1, "é1", "1.50", False)
    assert row["at"].isoformat() == "2026-01-01T01:00:00+00:00"
    assert row["u"] == "00000000-0000-0000-0000-000000000001"
    assert collecting_database.run(**OPTIONS, batch=1000).digest == artifact.digest
    assert collecting_database.probe(**OPTIONS).token is None


def test_a_cursor_of_dates(database: psycopg.Connection, collecting_database: Collecting) -> None:
    options = {**OPTIONS, "cursor": "at"}
    first = collecting_database.run(**options)
    token = collecting_database.probe(**options).token
    database.execute("INSERT INTO t (id, v, at) VALUES (9001, 'tie', timestamptz '2026-01-01' + 2500 * interval '1 h')")
    database.execute("INSERT INTO t (id, v, at) VALUES (9002, 'new', now())")
    assert collecting_database.probe(**options).token != token
    second = collecting_database.run(**options)
    assert second.segments[0] == first.segments[0]
    assert collecting_database.ids()[-2:] == ["s:9001", "s:9002"]
    assert second.rows == 2502


def test_nothing_can_be_written(database: psycopg.Connection, collecting_database: Collecting) -> None:
    database.execute(
        "CREATE OR REPLACE FUNCTION writes() RETURNS int LANGUAGE sql AS 'DELETE FROM t WHERE id < 10 RETURNING id'"
    )
    with pytest.raises(UserError) as caught:
        collecting_database.run(kind="sql", url="${secret:URL}", query="select writes() as id")
    assert caught.value.code == "collect.query-failed"
    assert "read-only" in str(caught.value)
    assert database.execute("SELECT count(*) FROM t").fetchone() == (2500,)


def test_a_wrong_password_is_a_source_that_is_down(
    database: psycopg.Connection, postgresql: str, tmp_path: Path
) -> None:
    collecting = Collecting(tmp_path, {"URL": postgresql.replace("practice-only", "wrong-one")})
    with pytest.raises(UserError) as caught:
        collecting.run(**OPTIONS)
    assert caught.value.code == "collect.source-down"
    assert "wrong-one" not in str(caught.value)


def test_a_table_that_is_missing(database: psycopg.Connection, collecting_database: Collecting) -> None:
    with pytest.raises(UserError) as caught:
        collecting_database.run(kind="sql", url="${secret:URL}", table="nope")
    assert caught.value.code == "collect.query-failed"


def test_a_message_of_the_database_does_not_carry_the_cell_it_is_about(collecting: Collecting, postgresql: str) -> None:
    with psycopg.connect(postgresql) as connection:
        connection.execute("create table if not exists person (mail text)")
        connection.execute("insert into person values ('jeanne@example.org')")
    with pytest.raises(UserError) as caught:
        collecting.run(kind="sql", url=postgresql, query="select mail::integer as n from person")
    assert caught.value.code in ("collect.query-failed", "collect.source-down")
    assert "jeanne" not in str(caught.value)
    assert "integer" in str(caught.value)
