"""Documented queries on real engines: SQLite, PostgreSQL, DuckDB and Spark; what is measured is in the ledger."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from compagnon.errors import UserError
from compagnon.evidence.queries import explain, header
from compagnon.solution import Solution

HEADER = """-- goal.fr: compter
-- goal.en: count the visits
--   of one day
-- selection: page, n
-- filters: one day
-- joins: none
-- optimization: the index of days
-- before: {before}
"""


def solution(root: Path, source: dict[str, Any] | None, sql: str, before: str, /, **files: str) -> Solution:
    document = {"version": 1, "name": "q", "sources": {"visits": source} if source else {}}
    (root / "solution.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    folder = root / "queries"
    folder.mkdir()
    (folder / "day.sql").write_text(HEADER.format(before=before) + sql, encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return Solution(root)


def explained(made: Solution) -> tuple[dict[str, Any], dict[str, Any], Any]:
    query = header.named("day", made.workspace.root)
    run, plans = explain.explain(query, made.chain)
    facts = {fact.name: fact for fact in run.facts}
    found = explain.last(query, made.ledger, made.artifacts)
    assert found is not None
    assert found[0].id == run.id
    assert found[1] == plans
    assert explain.is_current(query, run)
    assert facts["query_time"].kind == "measured"
    assert facts["query_rows"].kind == "computed"
    made.close()
    return {name: fact.value for name, fact in facts.items()}, plans, run


def test_sqlite_without_its_index(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE visit (day TEXT, page TEXT)")
        connection.executemany("INSERT INTO visit VALUES (?, ?)", [(f"2026-01-{i % 28:02}", "p") for i in range(5000)])
        connection.execute("CREATE INDEX visit_day ON visit (day)")
    bytes_before = path.read_bytes()
    source = {"kind": "sql", "url": "sqlite:///data.db", "query": "queries/day.sql"}
    sql = "select page, count(*) as n from visit where day = '2026-01-03' group by page"
    facts, plans, run = explained(solution(tmp_path, source, sql, "without index"))
    assert plans["engine"] == "SQLite"
    assert "SCAN visit" in plans["before"]["plan"]
    assert "USING INDEX visit_day" in plans["after"]["plan"]
    assert facts["query_rows"] == facts["query_rows_before"] == 1
    assert run.warnings == ()
    assert path.read_bytes() == bytes_before


@pytest.mark.postgresql
def test_postgresql_without_its_index(postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS visit")
        connection.execute(
            "CREATE TABLE visit AS SELECT i, 'day ' || (i % 5000) AS day FROM generate_series(1, 50000) i"
        )
        connection.execute("CREATE INDEX visit_day ON visit (day)")
        connection.execute("ANALYZE visit")
    monkeypatch.setenv("VISITS", postgresql)
    source = {"kind": "sql", "url": "${secret:VISITS}", "query": "queries/day.sql"}
    facts, plans, _run = explained(
        solution(tmp_path, source, "select i from visit where day = 'day 3'", "without index")
    )
    assert plans["engine"] == "PostgreSQL"
    assert "Seq Scan on visit" in plans["before"]["plan"]
    assert "visit_day" in plans["after"]["plan"]
    assert facts["query_rows"] == facts["query_rows_before"] == 10


def lake(root: Path) -> None:
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        folder = root / "lake" / f"day={day}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"page": [f"p{i % 3}" for i in range(100)]}), folder / "part.parquet")


SLOW = "select page, count(*) as n from visits where cast(day as varchar(20)) || page like '2026-01-02%' group by page"
FAST = "select page, count(*) as n from visits where day = '2026-01-02' group by page"


@pytest.mark.parametrize("engine", ["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def test_a_partition_filter(tmp_path: Path, engine: str, request: pytest.FixtureRequest) -> None:
    given = request.getfixturevalue("spark") if engine == "spark" else "duckdb"
    lake(tmp_path)
    source = {"kind": "bigdata", "path": "lake", "query": "queries/day.sql", "engine": given}
    facts, plans, run = explained(solution(tmp_path, source, FAST, "before.txt", before=SLOW))
    assert plans["engine"] == {"duckdb": "DuckDB", "spark": "Spark"}[engine]
    assert facts["query_rows"] == facts["query_rows_before"] == 3
    assert run.warnings == ()
    mark = {"duckdb": "Scanning Files: 1/3", "spark": "PartitionFilters: [isnotnull(day"}[engine]
    assert mark in plans["after"]["plan"], plans["after"]["plan"]
    assert mark not in plans["before"]["plan"]


def test_other_rows_than_before_are_said(tmp_path: Path) -> None:
    lake(tmp_path)
    source = {"kind": "bigdata", "path": "lake", "query": "queries/day.sql"}
    made = solution(tmp_path, source, FAST, "before.txt", before="select page from visits")
    facts, _plans, run = explained(made)
    assert facts["query_rows_before"] == 300
    assert "not give the same rows" in run.warnings[0]


@pytest.mark.parametrize(
    ("before", "sql", "code"),
    [
        ("without index", FAST, "query.no-index"),
        ("nowhere.sql", FAST, "query.before-missing"),
        ("../../x.sql", FAST, "collect.path-outside"),
        ("before.txt", "select nothing_such from visits", "query.wrong"),
        ("before.txt", "drop table visits", "collect.query-not-read-only"),
    ],
)
def test_what_is_refused(tmp_path: Path, before: str, sql: str, code: str) -> None:
    lake(tmp_path)
    source = {"kind": "bigdata", "path": "lake", "query": "queries/day.sql"}
    made = solution(tmp_path, source, sql, before, before=SLOW)
    with pytest.raises(UserError) as caught:
        explain.explain(header.named("day", tmp_path), made.chain)
    assert caught.value.code == code
    assert made.ledger.last("query/day") is None
    made.close()


def test_the_header_by_language_and_over_lines(tmp_path: Path) -> None:
    made = solution(tmp_path, None, "select 1", "without index")
    query = header.named("day", tmp_path)
    assert query.text("goal", "fr") == "compter"
    assert query.text("goal", "en") == "count the visits of one day"
    assert query.text("joins", "fr") == "none"
    assert query.missing == []
    assert explain.source_of(query, made.spec) is None
    with pytest.raises(UserError, match="day") as caught:
        header.named("nothing", tmp_path)
    assert caught.value.code == "query.unknown"
    made.close()
