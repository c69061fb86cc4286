"""The source ``bigdata`` by DuckDB: partitions, what is read again, what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collecting import Collecting
from compagnon.errors import UserError
from compagnon.stages.collect import lake, scan
from compagnon.stages.collect.bigdata import BigdataOptions

BY_DAY = "select day, country, count(*) as visits, sum(seconds) as seconds from s group by day, country"


def put(root: Path, partition: str, rows: list[dict[str, Any]], name: str = "part-0.parquet") -> Path:
    folder = root / "visits" / partition
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / name)
    return folder / name


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        for country in ("fr", "be"):
            put(tmp_path, f"day={day}/country={country}", [{"page": "é", "seconds": i} for i in range(5)])
    return tmp_path


@pytest.fixture
def source(visits: Path, monkeypatch: pytest.MonkeyPatch) -> Collecting:
    """Collects, and notes in ``asked`` which leaves were read."""
    collecting = Collecting(visits)
    rows = scan._DuckFiles.rows
    collecting.asked = []  # type: ignore[attr-defined]

    def noted(self: Any, leaves: Any) -> Any:
        collecting.asked += [leaf.name for leaf in leaves]  # type: ignore[attr-defined]
        return rows(self, leaves)

    monkeypatch.setattr(scan._DuckFiles, "rows", noted)
    return collecting


def options(**more: Any) -> dict[str, Any]:
    return {"kind": "bigdata", "path": "visits", **more}


def asked(source: Collecting) -> list[str]:
    found, source.asked = source.asked, []  # type: ignore[attr-defined]
    return found


def test_partition_columns_have_the_declared_type(source: Collecting) -> None:
    source.run(**options(partitions={"day": "date"}))
    table = source.table()
    assert table.schema.field("day").type == pa.date32()
    assert table.schema.field("country").type == pa.string()
    assert table.column("day")[0].as_py() == date(2026, 1, 1)
    assert len(table) == 30


def test_only_partitions_that_changed_are_read_again(source: Collecting, visits: Path) -> None:
    source.run(**options(query=BY_DAY))
    assert len(asked(source)) == 6
    put(visits, "day=2026-01-02/country=fr", [{"page": "x", "seconds": 100}], "part-1.parquet")
    put(visits, "day=2026-01-04/country=fr", [{"page": "x", "seconds": 7}])
    source.run(**options(query=BY_DAY))
    assert asked(source) == ["day=2026-01-02/country=fr", "day=2026-01-04/country=fr"]
    rows = {(r["day"], r["country"]): (r["visits"], r["seconds"]) for r in source.rows()}
    assert rows["2026-01-02", "fr"] == (6, 110)
    assert rows["2026-01-04", "fr"] == (1, 7)
    assert rows["2026-01-01", "be"] == (5, 10)
    assert len(rows) == 7


def test_a_file_written_again_with_other_rows_is_seen(source: Collecting, visits: Path) -> None:
    first = source.run(**options(query=BY_DAY))
    put(visits, "day=2026-01-02/country=fr", [{"page": "é", "seconds": i} for i in (0, 1, 2, 3, 9)])
    assert source.run(**options(query=BY_DAY)).digest != first.digest
    assert asked(source)[-1] == "day=2026-01-02/country=fr"


def test_a_query_that_groups_by_one_partition_has_its_pieces(source: Collecting, visits: Path) -> None:
    query = "select day, count(*) as n from s group by day"
    source.run(**options(query=query))
    asked(source)
    put(visits, "day=2026-01-02/country=de", [{"page": "x", "seconds": 1}])
    source.run(**options(query=query))
    assert asked(source) == [f"day=2026-01-02/country={c}" for c in ("be", "de", "fr")]
    assert {r["day"]: r["n"] for r in source.rows()} == {"2026-01-01": 10, "2026-01-02": 11, "2026-01-03": 10}


def test_a_filter_on_partitions_leaves_the_others_unread(source: Collecting) -> None:
    query = "select page, day from s where day >= '2026-01-03' and s.country = 'fr' and seconds > 1"
    source.run(**options(query=query))
    assert asked(source) == ["day=2026-01-03/country=fr"]
    assert len(source.rows()) == 3


def test_a_filter_that_no_partition_passes_gives_no_row(source: Collecting) -> None:
    artifact = source.run(**options(query="select page, day from s where day = '1999-01-01'"))
    assert artifact.rows == 0
    assert [c["name"] for c in artifact.meta["columns"]] == ["page", "day"]


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) as n from s",
        "select country, count(*) as n from s group by rollup (day, country)",
        "select page, row_number() over (order by seconds) as n from s",
        "select distinct page from s",
        "select page from s order by seconds limit 3",
        "with a as (select * from s) select page, day from a",
        "select a.page from s as a join s as b on a.page = b.page and a.seconds = b.seconds",
        "select page from s where seconds = (select max(seconds) from s)",
    ],
)
def test_other_queries_are_asked_whole(source: Collecting, visits: Path, query: str) -> None:
    first = source.run(**options(query=query))
    asked(source)
    assert source.run(**options(query=query), refresh=True).digest == first.digest
    assert len(asked(source)) == 6
    put(visits, "day=2026-01-02/country=fr", [{"page": "x", "seconds": 100}], "part-1.parquet")
    source.run(**options(query=query))
    assert len(set(asked(source))) == 6


def test_a_killed_collection_goes_on_where_it_was(source: Collecting, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Collecting(source.root / "apart")
    (whole.root / "visits").symlink_to(source.root / "visits")
    expected = whole.run(**options(query=BY_DAY)).digest
    asked(source)
    rows = scan._DuckFiles.rows

    def killed(self: Any, leaves: Any) -> Any:
        if leaves[0].name == "day=2026-01-02/country=fr":
            raise KeyboardInterrupt
        return rows(self, leaves)

    monkeypatch.setattr(scan._DuckFiles, "rows", killed)
    with pytest.raises(KeyboardInterrupt):
        source.run(**options(query=BY_DAY))
    asked(source)
    monkeypatch.setattr(scan._DuckFiles, "rows", rows)
    assert source.run(**options(query=BY_DAY)).digest == expected
    assert asked(source) == [
        "day=2026-01-02/country=fr", "day=2026-01-03/country=be", "day=2026-01-03/country=fr"
    ]  # fmt: skip


def test_a_long_answer_is_cut_into_segments(source: Collecting, visits: Path) -> None:
    put(visits, "day=2026-01-05/country=fr", [{"page": str(i), "seconds": i} for i in range(2500)])
    artifact = source.run(**options(query="select distinct page from s", batch=1000))
    assert [segment.rows for segment in artifact.segments] == [1000, 1000, 501]
    assert len({r["page"] for r in source.rows()}) == 2501


def test_types_are_brought_to_few(source: Collecting) -> None:
    source.run(
        **options(
            query="""select cast(1 as tinyint) a, cast(2 as uinteger) b, sum(seconds) c, cast(1.5 as float) d,
            cast('1.50' as decimal(10, 2)) e, cast(3 as ubigint) f, timestamp '2026-01-01 10:00:00' g from s"""
        )
    )
    assert [str(field.type) for field in source.table().schema][2:] == [
        "int64", "int64", "int64", "double", "decimal128(38, 2)", "decimal128(38, 0)", "timestamp[us]"
    ]  # fmt: skip


def test_columns_that_came_later_are_empty_before(source: Collecting, visits: Path) -> None:
    put(visits, "day=2026-01-09/country=fr", [{"page": "x", "seconds": 1, "new": "y"}])
    source.run(**options(query="select page, new from s where seconds = 1 or new = 'y' limit 100"))
    assert sorted(r["new"] or "" for r in source.rows()) == [""] * 6 + ["y"]


def test_hidden_files_and_empty_partition_values(source: Collecting, visits: Path) -> None:
    put(visits, "day=__HIVE_DEFAULT_PARTITION__/country=a%2Fb", [{"page": "x", "seconds": 1}])
    put(visits, "day=2026-01-01/country=fr", [{"page": "no", "seconds": 1}], "_part.parquet")
    put(visits, "_temporary/day=1/country=fr", [{"page": "no", "seconds": 1}])
    source.run(**options())
    rows = source.rows()
    assert not [r for r in rows if r["page"] == "no"]
    assert [r["country"] for r in rows if r["day"] is None] == ["a/b"]


def test_a_folder_without_partitions(tmp_path: Path) -> None:
    put(tmp_path, ".", [{"page": "x", "seconds": 1}])
    source = Collecting(tmp_path)
    source.run(**options())
    assert source.cells() == [("x", 1)]


def test_a_lake_below_a_folder_that_looks_like_a_partition(tmp_path: Path) -> None:
    put(tmp_path / "site=a", "day=1", [{"page": "x", "seconds": 1}])
    source = Collecting(tmp_path / "site=a")
    source.run(**options(query="select * from s"))
    assert source.cells() == [("x", 1, "1")]


def test_a_file_cut_short_is_named(source: Collecting, visits: Path) -> None:
    path = visits / "visits" / "day=2026-01-02/country=fr" / "part-0.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=r"day=2026-01-02/country=fr/part-0\.parquet") as caught:
        source.run(**options())
    assert caught.value.code == "collect.file-unreadable"


def test_a_file_that_changes_meanwhile_is_an_error(source: Collecting, visits: Path, monkeypatch: Any) -> None:
    rows = scan._DuckFiles.rows

    def slow(self: Any, leaves: Any) -> Any:
        yield from rows(self, leaves)
        put(visits, leaves[0].name, [{"page": "x", "seconds": 1}])

    monkeypatch.setattr(scan._DuckFiles, "rows", slow)
    with pytest.raises(UserError) as caught:
        source.run(**options())
    assert caught.value.code == "collect.file-changing"


def test_folders_that_do_not_agree(source: Collecting, visits: Path) -> None:
    put(visits, "day=2026-01-02", [{"page": "x", "seconds": 1}])
    with pytest.raises(UserError) as caught:
        source.run(**options())
    assert caught.value.code == "collect.partitions-vary"
    assert source.probe(**options()).error


def test_an_unknown_partition_is_named(source: Collecting) -> None:
    with pytest.raises(UserError, match="month") as caught:
        source.run(**options(partitions={"month": "integer"}))
    assert caught.value.code == "collect.partition-unknown"


def test_a_query_reads_nothing_but_the_lake(source: Collecting, visits: Path) -> None:
    (visits / "secret.csv").write_text("a\n1\n")
    for query in (f"select * from '{visits}/secret.csv'", f"select * from read_csv('{visits}/secret.csv')"):
        with pytest.raises(UserError) as caught:
            source.run(**options(query=query))
        assert caught.value.code == "collect.query-failed"


def test_an_error_of_values_quotes_no_cell(source: Collecting, visits: Path) -> None:
    put(visits, "day=2026-01-02/country=fr", [{"page": "camille@example.org", "seconds": 1}])
    with pytest.raises(UserError) as caught:
        source.run(**options(query="select cast(page as integer) as n from s"))
    assert caught.value.code == "collect.query-failed"
    assert "camille" not in str(caught.value)


def test_an_error_of_names_says_them(source: Collecting) -> None:
    with pytest.raises(UserError, match="secondes"):
        source.run(**options(query="select secondes from s"))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "either path"),
        ({"path": "a", "metastore": "b"}, "either path"),
        ({"metastore": "b", "table": "t"}, "engine: spark"),
        ({"metastore": "b", "engine": "spark"}, "query or table"),
        ({"path": "a", "table": "t"}, "table is for Hive"),
        ({"metastore": "b", "engine": "spark", "table": "t", "partitions": {"a": "date"}}, "partitions is for path"),
        ({"path": "../a"}, "goes out"),
        ({"path": "a", "engine": {"kind": "duckdb", "master": "local[2]"}}, "those of Spark"),
    ],
)
def test_options_that_do_not_go_together(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        BigdataOptions.model_validate({"kind": "bigdata", **given})


@given(st.text(min_size=1).filter(lambda s: "/" not in s and "=" not in s and "\0" not in s))
def test_any_value_of_a_partition_is_read_back(value: str) -> None:
    from urllib.parse import quote

    assert lake._values(f"day={quote(value, safe='')}") == (("day", value),)
