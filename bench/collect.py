"""Collecting a million rows from SQLite and PostgreSQL, against plain ADBC writing the same Parquet."""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from collecting import Collecting
from compagnon.sandbox.postgresql import binaries, server

COLUMNS = "id, text, topic, level, score, asked_at"
MAKE = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
    SELECT i AS id, 'Comment choisir la taille du lot pour la question ' || i || ' ?' AS text,
           'topic' || (i % 20) AS topic,
           CASE i % 3 WHEN 0 THEN 'débutant' WHEN 1 THEN 'moyen' ELSE 'avancé' END AS level,
           i * 0.25 AS score, {date} AS asked_at FROM n"""


def plain_adbc(connect: Callable[[], object], target: Path) -> None:
    """What a person would write: read the query as Arrow, write Parquet."""
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM t")
        with cursor.fetch_record_batch() as reader:
            schema = pa.schema([pa.field(f.name, getattr(f.type, "storage_type", f.type)) for f in reader.schema])
            with pq.ParquetWriter(target, schema, compression="zstd", compression_level=1) as writer:
                for batch in reader:
                    plain = [getattr(column, "storage", column) for column in batch.columns]
                    writer.write_batch(pa.RecordBatch.from_arrays(plain, schema=schema))


def connectorx(url: str, target: Path) -> None:
    import connectorx as cx

    pq.write_table(cx.read_sql(url, f"SELECT {COLUMNS} FROM t", return_type="arrow"), target, compression="zstd")


def compagnon(url: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        Collecting(Path(name), {"URL": url}).run(
            kind="sql", url="${secret:URL}", query=f"select {COLUMNS} from t", key="id"
        )


@contextmanager
def databases(folder: Path, rows: int) -> Iterator[dict[str, tuple[str, Callable[[], object]]]]:
    import adbc_driver_sqlite.dbapi as adbc_sqlite

    path = folder / "a.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        date = "datetime('2026-01-01', '+' || i || ' seconds')"
        connection.execute("CREATE TABLE t AS " + MAKE.format(rows=rows, date=date))
    found = {"SQLite": (f"sqlite:///{path}", lambda: adbc_sqlite.connect(str(path)))}
    if binaries() is None:
        print("PostgreSQL is not installed: SQLite only")
        yield found
        return
    import adbc_driver_postgresql.dbapi as adbc_postgresql

    with server() as url:
        with closing(adbc_postgresql.connect(url)) as connection:
            with connection.cursor() as cursor:
                date = "timestamptz '2026-01-01' + i * interval '1 second'"
                cursor.execute("CREATE TABLE t AS " + MAKE.format(rows=rows, date=date))
            connection.commit()
        yield {**found, "PostgreSQL": (url, lambda: adbc_postgresql.connect(url))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with databases(folder, options.rows) as found:
            print(f"{options.rows:,} rows, 6 columns, medians of {options.repeat}, seconds")
            print(f"{'source':<12}{'way':<12}{'median':>8}{'ratio':>8}")
            for source, (url, connect) in found.items():
                ways: dict[str, Callable[[], None]] = {
                    "plain ADBC": lambda connect=connect: plain_adbc(connect, folder / "plain.parquet"),
                    "compagnon": lambda url=url: compagnon(url, folder),
                }
                try:
                    import connectorx as _cx  # noqa: F401

                    ways["connectorx"] = lambda url=url: connectorx(url, folder / "cx.parquet")
                except ImportError:
                    pass
                times: dict[str, list[float]] = {way: [] for way in ways}
                for _ in range(options.repeat):
                    for way, work in ways.items():
                        start = time.perf_counter()
                        work()
                        times[way].append(time.perf_counter() - start)
                base = statistics.median(times["plain ADBC"])
                for way, taken in times.items():
                    median = statistics.median(taken)
                    print(f"{source:<12}{way:<12}{median:>8.2f}{median / base:>8.2f}")


if __name__ == "__main__":
    main()
