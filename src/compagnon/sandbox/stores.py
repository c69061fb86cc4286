"""The practice sources that are files: CSV, JSON Lines, an SQLite database, a lake of Parquet files, a PostgreSQL."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import unicodedata
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from compagnon.sandbox.rows import COLUMNS, Row


def write_files(folder: Path, rows: Sequence[Row]) -> None:
    """``questions.csv`` (semicolons, UTF-8) and ``questions.jsonl``."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "questions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "questions.jsonl").write_text("".join(lines), encoding="utf-8")


def write_sqlite(path: Path, rows: Sequence[Row]) -> None:
    """A database with the table ``questions``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(_CREATE)
        places = ", ".join("?" * len(COLUMNS))
        values = [tuple(row[name] for name in COLUMNS) for row in rows]
        connection.executemany(f"INSERT INTO questions VALUES ({places})", values)


def write_lake(folder: Path, rows: Sequence[Row]) -> None:
    """Parquet files in folders ``month=2026-10`` and so on (Hive's partitions; ASCII, as engines agree on those)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: dict[str, list[Row]] = {}
    for row in rows:
        parts.setdefault(_month(str(row["asked_at"])), []).append(row)
    for month, found in sorted(parts.items()):
        place = folder / f"month={month}"
        place.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(found, schema=_schema()), place / "part-0.parquet")


def fill_postgresql(url: str, rows: Sequence[Row]) -> None:
    """The table ``questions`` in a PostgreSQL; raises ImportError where its driver is not installed."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_CREATE)
        with connection.cursor() as cursor:
            places = ", ".join(["%s"] * len(COLUMNS))
            cursor.executemany(
                f"INSERT INTO questions VALUES ({places})".encode(),
                [tuple(row[name] for name in COLUMNS) for row in rows],
            )


_CREATE = (
    "CREATE TABLE questions (number integer PRIMARY KEY, id text NOT NULL UNIQUE, text text NOT NULL, topic text, "
    "level text, asked_at text, email text)"
)


def _schema() -> object:
    import pyarrow as pa

    return pa.schema([(name, pa.int64() if name == "number" else pa.string()) for name in COLUMNS])


def _month(date: str) -> str:
    """``2026-10`` of 01/10/2026 08:37 and of 2026-10-01T08:37:00Z; ``other`` where no date is written."""
    date = unicodedata.normalize("NFKC", date).strip()
    if found := re.match(r"(\d{4})-(\d{2})", date):
        return f"{found[1]}-{found[2]}"
    if found := re.match(r"\d{1,2}/(\d{2})/(\d{4})", date):
        return f"{found[2]}-{found[1]}"
    return "other"
