"""``compagnon query list``, ``show`` and ``explain`` on a real database, and the pages that show what they left."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from serving import running

from command_line import CommandLine
from compagnon.solution import Solution
from compagnon.web.app import create_app

SQL = """-- goal.fr: les visites d'un jour
-- goal.en: visits of one day
-- selection: page and number
-- filters: one day
-- joins: none
-- optimization: the index of days
-- before: without index
select page, count(*) as n from visit where day = '2026-01-03' group by page
"""


@pytest.fixture
def line(tmp_path: Path) -> CommandLine:
    with closing(sqlite3.connect(tmp_path / "data.db")) as connection, connection:
        connection.execute("CREATE TABLE visit (day TEXT, page TEXT)")
        connection.executemany("INSERT INTO visit VALUES (?, ?)", [(f"2026-01-{i % 28:02}", "p") for i in range(2000)])
        connection.execute("CREATE INDEX visit_day ON visit (day)")
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "day.sql").write_text(SQL, encoding="utf-8")
    (tmp_path / "solution.yaml").write_text(
        "version: 1\nname: q\nsources:\n  visits: {kind: sql, url: 'sqlite:///data.db', query: queries/day.sql}\n",
        encoding="utf-8",
    )
    return CommandLine(tmp_path, COMPAGNON_LANG="en")


def test_a_query_is_listed_shown_and_measured(line: CommandLine) -> None:
    before = line.json("query", "list")
    assert [(q["name"], q["source"], q["goal"], q["current"]) for q in before] == [
        ("day", "visits", "visits of one day", False)
    ]
    assert "Optimization: the index of days" in line("query", "show", "day").stdout
    shown = line("query", "explain", "day").stdout
    assert "SCAN visit" in shown
    assert "USING INDEX visit_day" in shown
    after = line.json("query", "list")[0]
    assert after["current"]
    assert after["facts"]["query_rows"] == after["facts"]["query_rows_before"] == 1
    found = line.json("query", "explain", "day")
    assert found["run"]["stage"] == "query/day"
    assert found["engine"] == "SQLite"


def test_the_pages_show_what_was_measured(line: CommandLine) -> None:
    line("query", "explain", "day")
    solution = Solution(line.folder)

    def page(path: str, language: str = "en") -> tuple[int, str]:
        with httpx.Client(base_url=address, headers={"accept-language": language}) as client:
            found = client.get(path)
        return found.status_code, found.text

    with running(create_app(solution)) as address:
        status, text = page("/queries")
        assert status == 200
        assert "visits of one day" in text
        text = page("/queries/day", "fr")[1]
        assert "les visites d&#39;un jour" in text
        assert "USING INDEX visit_day" in text
        assert page("/queries/nothing")[0] == 404
        assert "has changed since" not in page("/queries/day")[1]
        (line.folder / "queries" / "day.sql").write_text(SQL + "order by n", encoding="utf-8")
        assert "has changed since" in page("/queries/day")[1]
    solution.close()


def test_a_query_that_is_not_there(line: CommandLine) -> None:
    failed = line("query", "explain", "nothing", code=1)
    assert "day" in failed.stderr
