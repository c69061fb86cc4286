"""Aggregating 20 million rows of a partitioned lake: a collection against plain DuckDB, in one run. Goal: 1.2 times.

python bench/bigdata.py [ROWS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from collecting import Collecting

GOAL, TURNS, DAYS = 1.2, 5, 20
QUERIES = {
    "by partition": "select day, country, count(*) as n, sum(amount) as amount, max(page) as page "
    "from s group by day, country",
    "whole": "select country, count(*) as n, sum(amount) as amount, count(distinct page) as pages "
    "from s group by country",
}


def lake(folder: Path, count: int) -> None:
    duckdb.sql(f"""
        COPY (SELECT i % {DAYS} AS day, i % 7 AS country, i % 100003 AS page, (i % 9973)::DECIMAL(10, 2) / 8 AS amount
              FROM range({count}) AS t(i))
        TO '{folder}' (FORMAT parquet, PARTITION_BY (day))""")


def main(count: int) -> None:
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lake(root / "lake", count)
        for name, query in QUERIES.items():
            ours: list[float] = []
            plain: list[float] = []
            for turn in range(TURNS):
                collecting = Collecting(root / f"{name}-{turn}")
                start = time.perf_counter()
                collecting.run(kind="bigdata", path=str(root / "lake"), query=query)
                ours.append(time.perf_counter() - start)
                start = time.perf_counter()
                with duckdb.connect() as connection:
                    files = f"read_parquet('{root}/lake/*/*.parquet', hive_partitioning = true)"
                    connection.execute(f"CREATE VIEW s AS SELECT * FROM {files}")
                    connection.execute(f"COPY ({query}) TO '{root}/plain.parquet'")
                plain.append(time.perf_counter() - start)
            ratio = statistics.median(ours) / statistics.median(plain)
            worst = max(worst, ratio)
            print(
                f"{count:,} rows, {name}: {statistics.median(ours):.2f} s, "
                f"plain DuckDB {statistics.median(plain):.2f} s, {ratio:.2f} times"
            )
    print(f"worst {worst:.2f}, goal {GOAL}")
    sys.exit(worst > GOAL)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000_000)
