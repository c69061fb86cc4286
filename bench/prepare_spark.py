"""Preparing 5 million rows: Spark on this machine against DuckDB alone, same rules, in one run.

python bench/prepare_spark.py [ROWS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from kitchen import Kitchen

from compagnon.engines import spark
from compagnon.spec.model import Engine

ENGINE = {"kind": "spark", "master": "local[2]", "memory": "2g"}
TABLE = {
    "key": "id",
    "from": {"s": {name: name for name in ("id", "text", "amount", "day", "level")}},
    "columns": {
        "id": {"type": "integer"},
        "text": {"type": "text", "clean": ["nfc", "html", "spaces"]},
        "amount": {"type": "decimal", "formats": ["fr"], "at_least": 0},
        "day": {"type": "date", "formats": ["%d/%m/%Y"]},
        "level": {"type": "category", "values": ["beginner", "advanced"], "map": {"débutant": "beginner"}},
        "length": {"type": "integer", "expr": "length(text)"},
    },
    "reject": [{"when": "length < 3", "because": "short"}],
    "unique": {"by": ["text", "day"], "prefer": ["amount desc"]},
}


def raw(count: int) -> pa.Table:
    """Rows made by columns, about one in twenty wrong in some way."""
    place = pa.array(range(count), pa.int64())

    def modulo(by: int) -> pa.Array:
        return pc.subtract(place, pc.multiply(pc.divide(place, by), by)).cast(pa.string())

    join = pc.binary_join_element_wise
    text = join("  Question n° ", place.cast(pa.string()), " : l&#39;été à", modulo(977), "")
    day = join(pc.utf8_lpad(modulo(31), 2, "0"), pc.utf8_lpad(modulo(13), 2, "0"), "2026", "/")
    level = pc.if_else(pc.equal(modulo(3), "0"), "Débutant", "advanced")
    amount = join(modulo(5000), pc.utf8_lpad(modulo(100), 2, "0"), ",")
    return pa.table(
        {
            "_row_id": join("s", pc.utf8_lpad(place.cast(pa.string()), 9, "0"), ":"),
            "id": place.cast(pa.string()), "text": text, "amount": amount, "day": day, "level": level,
        }
    )  # fmt: skip


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kitchen = Kitchen(Path(folder))
        kitchen.workspace.prepare()
        rows = kitchen.rows("s", raw(count), pieces=5)

        def timed(engine: dict[str, Any] | None) -> tuple[float, str, int]:
            start = time.perf_counter()
            found = kitchen.prepare(TABLE, {"s": rows}, threads=None, engine=engine)
            return time.perf_counter() - start, found.digest(), found.facts["rows_rejected"]

        duckdb, digest, rejected = timed(None)
        start = time.perf_counter()
        spark.session(spark.Settings.of(Engine.model_validate(ENGINE)))
        started = time.perf_counter() - start
        on_spark, other, _rejected = timed(ENGINE)
    print(f"{count:,} rows, {rejected:,} set aside; digests {'equal' if digest == other else 'DIFFER'}")
    print(f"DuckDB alone      {duckdb:8.1f} s")
    print(
        f"Spark {ENGINE['master']:<11} {on_spark:8.1f} s   {on_spark / duckdb:.2f} times (and {started:.1f} s to start)"
    )
    sys.exit(digest != other)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
