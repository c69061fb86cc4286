"""The source ``bigdata`` by Spark: the same rows as by DuckDB, and Hive tables through a real metastore."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collecting import Collecting
from compagnon.engines import spark as engines
from compagnon.errors import UserError

pytestmark = pytest.mark.spark

TEXTS = [None, "", " ", "é", "e\u0301", "🙂", "'", "\\", "%", "a\x00b", "\u202e", "ß", "İ", "x" * 5000, "zz", "Z"]
SCHEMA = pa.schema(
    [
        ("id", pa.int32()),
        ("text", pa.string()),
        ("tiny", pa.int8()),
        ("huge", pa.int64()),
        ("real", pa.float64()),
        ("single", pa.float32()),
        ("money", pa.decimal128(10, 2)),
        ("day", pa.date32()),
        ("moment", pa.timestamp("us", "UTC")),
        ("naive", pa.timestamp("us")),
        ("yes", pa.bool_()),
        ("raw", pa.binary()),
    ]
)
REALS = [None, 0.0, -0.0, 1.5, float("nan"), float("inf"), float("-inf"), 1e300, -1e-300]


def rows(start: int, count: int) -> list[dict[str, Any]]:
    found = []
    for i in range(start, start + count):
        found.append(
            {
                "id": i,
                "text": TEXTS[i % len(TEXTS)],
                "tiny": None if i % 7 == 0 else i % 100 - 50,
                "huge": None if i % 11 == 0 else (2**62 - i) * (-1) ** i,
                "real": REALS[i % len(REALS)],
                "single": REALS[(i // 2) % 4],
                "money": None if i % 5 == 0 else Decimal(i - 40) / 4,
                "day": None if i % 6 == 0 else dt.date(1500 + 7 * i, 1 + i % 12, 1 + i % 28),
                "moment": dt.datetime(2026, 3, 29, 0, 30, tzinfo=dt.UTC) + dt.timedelta(hours=i, microseconds=i),
                "naive": dt.datetime(1, 1, 1) + dt.timedelta(days=i * 1000),
                "yes": [True, False, None][i % 3],
                "raw": bytes([i % 256, 0]),
            }
        )
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("a lake [with] é")
    for number, partition in enumerate(("2026-01-01/kind=a", "2026-01-01/kind=b c", "2026-01-02/kind=a")):
        folder = root / "lake" / f"day_of={partition}"
        folder.mkdir(parents=True)
        table = pa.Table.from_pylist(rows(100 * number, 100), schema=SCHEMA)
        if number == 2:
            table = table.append_column("later", pa.array(["x"] * 100))
        pq.write_table(table, folder / "part.parquet", row_group_size=30)
    return root


QUERIES = {
    "all": None,
    "filter": "select id, text, real from s where day_of > date '2026-01-01' and money > 1.5 and text <> ''",
    "groups": """select day_of, "kind", count(*) as n, sum(tiny) as tiny, sum(money) as money, min(text) as first,
        max(moment) as last, avg(tiny) as mean, count(distinct text) as texts from s group by day_of, "kind" """,
    "whole": """select text, count(*) as n, sum(id) as ids, max(naive) as naive, min(day) as day, max(huge) as huge
        from s group by text""",
    "reals": "select real, count(*) as n from s group by real",
    "windows": """select id, row_number() over (partition by text order by money desc nulls last, id) as place,
        lag(id) over (partition by "kind" order by id) as before from s""",
    "joins": """select a.id, b.text from s as a join s as b on a.id = b.id + 1
        where a.day_of = b.day_of and a.id between 10 and 250""",
    "functions": """select id, coalesce(text, '-') as text, length(text) as length, nullif(tiny, 1) as tiny,
        case when yes then 'y' when not yes then 'n' end as yes, abs(huge) as huge, round(money, 1) as money,
        year(moment) as year, month(day) as month, substring(text, 1, 2) as start,
        trim(text) as trim,
        text || '?' as asked, cast(money as double) / 3 as third, id % 7 as rest, cast(moment as date) as date_of,
        -real as minus
        from s""",
    "top": "select id, money from s order by money desc nulls last, id limit 10",
    "none": "select id, later from s where id < 0",
}


@pytest.mark.parametrize("name", list(QUERIES))
def test_the_same_rows_and_types_as_by_duckdb(place: Path, tmp_path: Path, spark: dict[str, Any], name: str) -> None:
    options: dict[str, Any] = {"kind": "bigdata", "path": str(place / "lake"), "partitions": {"day_of": "date"}}
    if QUERIES[name]:
        options["query"] = QUERIES[name]
    duck, other = Collecting(tmp_path / "duckdb"), Collecting(tmp_path / "spark")
    first = duck.run(**options)
    second = other.run(**options, engine=spark)
    assert other.table().schema == duck.table().schema
    assert other.table().num_rows == duck.table().num_rows
    assert [s.content for s in second.segments] == [s.content for s in first.segments]
    assert second.digest == first.digest
    assert other.warnings == duck.warnings == ""


def test_columns_whose_types_differ_are_named(place: Path, tmp_path: Path, spark: dict[str, Any]) -> None:
    source = Collecting(tmp_path)
    source.run(kind="bigdata", path=str(place / "lake"), query="select avg(money) as mean from s", engine=spark)
    assert "mean is DECIMAL" in source.warnings
    assert "DOUBLE on DuckDB" in source.warnings


def test_a_query_that_spark_alone_understands(place: Path, tmp_path: Path, spark: dict[str, Any]) -> None:
    source = Collecting(tmp_path)
    query = "select `kind`, int(try_divide(sum(if(yes, 2, 0)), 2)) as n from s group by `kind`"
    source.run(kind="bigdata", path=str(place / "lake"), query=query, engine=spark)
    assert {r["kind"]: r["n"] for r in source.rows()} == {"a": 67, "b c": 33}
    assert "Spark alone understands" in source.warnings


@pytest.mark.parametrize(
    ("query", "code", "word"),
    [
        ("select nothing_such from s", "collect.query-failed", "nothing_such"),
        ("select cast(text as integer) as n from s where text = 'zz'", "collect.query-failed", "CAST_INVALID_INPUT"),
        ("select * from parquet.`{place}`", "collect.query-failed", ""),
    ],
)
def test_what_spark_refuses(
    place: Path, tmp_path: Path, spark: dict[str, Any], query: str, code: str, word: str
) -> None:
    source = Collecting(tmp_path)
    with pytest.raises(UserError) as caught:
        source.run(kind="bigdata", path=str(place / "lake"), query=query.format(place=place), engine=spark)
    assert caught.value.code == code
    assert word in str(caught.value)
    assert "'zz'" not in str(caught.value)


def test_a_file_cut_short_is_named(tmp_path: Path, spark: dict[str, Any]) -> None:
    folder = tmp_path / "lake" / "day=1"
    folder.mkdir(parents=True)
    (folder / "part.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UserError, match=r"day=1/part\.parquet") as caught:
        Collecting(tmp_path).run(kind="bigdata", path="lake", engine=spark)
    assert caught.value.code == "collect.file-unreadable"


@pytest.mark.full  # the metastore takes 20 s to start
def test_a_hive_table_through_its_metastore(tmp_path: Path, spark: dict[str, Any]) -> None:
    """Last in this file: another session takes the place of the shared one."""
    from compagnon.spec.model import Engine

    metastore, warehouse = tmp_path / "metastore_db", tmp_path / "warehouse"
    engine = Engine.model_validate({**spark, "config": {"spark.sql.shuffle.partitions": "2"}})
    # The metastore is made by Hive's own client, as a team that has one would have made it.
    made = engines.Settings.of(engine, f"{metastore};create=true", str(warehouse))
    session = engines.session(made)
    session.sql("CREATE DATABASE shop")
    session.sql("CREATE TABLE shop.visits (page STRING, seconds INT) PARTITIONED BY (day DATE) STORED AS PARQUET")
    for day, page in (("2026-01-01", "é"), ("2026-01-02", "b")):
        session.sql(f"INSERT INTO shop.visits PARTITION (day = '{day}') VALUES ('{page}', 3), ('{page}', NULL)")
    engines.stop()

    source = Collecting(tmp_path / "solution")
    options: dict[str, Any] = {"kind": "bigdata", "metastore": str(metastore), "engine": spark}
    source.run(**options, table="shop.visits")
    assert source.cells() == [
        ("b", 3, dt.date(2026, 1, 2)),
        ("b", None, dt.date(2026, 1, 2)),
        ("é", 3, dt.date(2026, 1, 1)),
        ("é", None, dt.date(2026, 1, 1)),
    ]
    source.run(**options, query="select day, sum(seconds) as seconds from shop.visits group by day")
    assert source.cells() == [(dt.date(2026, 1, 1), 3), (dt.date(2026, 1, 2), 3)]
    with pytest.raises(UserError, match="shop") as caught:
        source.run(**options, table="shop.nothing")
    assert caught.value.code == "collect.query-failed"
    engines.stop()


def test_a_metastore_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        Collecting(tmp_path).run(kind="bigdata", metastore="metastore_db", table="t", engine="spark")
    assert caught.value.code == "collect.source-down"
