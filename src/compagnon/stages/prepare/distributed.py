"""Preparing on Spark: the rules of one row in a DuckDB beside each of Spark's Python workers, duplicates by Spark.

Spark shares out row groups of the raw files. Each worker's DuckDB runs the very SELECT that DuckDB alone would run, so
the rows are the same by construction; the search for duplicates is one SQL text that both engines read alike. Rows with
corrections, which are few, are worked out here. The rest of the preparation reads Spark's rows as it reads its own.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.chain.stage import Context
from compagnon.engines import spark
from compagnon.i18n import _
from compagnon.spec.model import Table
from compagnon.stages.prepare import engine, reasons
from compagnon.stages.prepare.compiler import ROW_ID, RowLocal, Scene, compile_source
from compagnon.stages.prepare.expressions import literal, quoted
from compagnon.stages.prepare.overlay import CORRECTED, Input

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from pyspark.sql import SparkSession

_RELATION = "raw rows"
_UNITS = "source INT, path STRING, first INT, last INT"
_GROUPS = 4
"""Row groups that a worker takes at once."""


class RulesFail(Exception):
    """The rules fail on some value; which one is found out by DuckDB alone, so that no message quotes it."""


@dataclass(frozen=True)
class Work:
    """What a worker does with the rows of one source: pickled, so it holds texts only."""

    sql: str
    types: tuple[tuple[str, str], ...]
    """Columns of the source over all its files, with their DuckDB types."""
    without: tuple[str, ...]
    """Row ids that are worked out elsewhere."""


@dataclass(frozen=True)
class Mapper:
    """The function that Spark runs on units (source, file, row groups): it gives typed rows with their bits."""

    works: tuple[Work, ...]
    columns: tuple[tuple[str, str], ...]

    def __call__(self, units: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import duckdb

        schema = arrow_schema(self.columns)
        for batch in units:
            for unit in batch.to_pylist():
                work = self.works[unit["source"]]
                try:
                    table = _rows(work, unit["path"], range(unit["first"], unit["last"]))
                except (duckdb.DataError, duckdb.InvalidInputException):
                    raise RulesFail from None
                yield from table.cast(schema).to_batches()


@functools.cache
def _connection() -> duckdb.DuckDBPyConnection:
    """The DuckDB of this Python worker; it reads no file."""
    return engine.connect(threads=1)


def _rows(work: Work, path: str, groups: range) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        raw = file.read_row_groups(list(groups))
    if work.without:
        raw = raw.filter(pc.invert(pc.is_in(raw.column(ROW_ID), value_set=pa.array(work.without))))
    connection = _connection()
    connection.register("read rows", raw)
    # A file may lack columns that others of its source have.
    given = [
        f"CAST({quoted(name) if name in raw.column_names else 'NULL'} AS {kind}) AS {quoted(name)}"
        for name, kind in work.types
    ]
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {quoted(_RELATION)} AS SELECT {', '.join(given)} FROM {quoted('read rows')}"
    )
    found = connection.sql(work.sql).to_arrow_table()
    connection.unregister("read rows")
    return found


def output(compiled: RowLocal) -> tuple[tuple[str, str], ...]:
    """Names and DuckDB types of what the rules give."""
    bits = [f"@bad{word}" for word in range(reasons.words(len(compiled.reasons)))]
    bits += [f"@did{word}" for word in range(reasons.words(len(compiled.effects)))]
    named = (("row_id", "VARCHAR"), ("@source", "VARCHAR"))
    return (*named, *compiled.columns, *((name, "BIGINT") for name in bits))


def arrow_schema(columns: Sequence[tuple[str, str]]) -> pa.Schema:
    """The Arrow types of DuckDB's: those that columns of tables can have."""
    import pyarrow as pa

    kinds = {
        "VARCHAR": pa.string(),
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.bool_(),
        "DATE": pa.date32(),
        "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
    }

    def of(kind: str) -> pa.DataType:
        match = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind)
        return pa.decimal128(int(match[1]), int(match[2])) if match else kinds[kind]

    return pa.schema([(name, of(kind)) for name, kind in columns])


def apply(
    table: Table,
    parts: Sequence[Input],
    paths: Mapping[str, Sequence[Path]],
    scene: Scene,
    context: Context,
    connection: duckdb.DuckDBPyConnection,
) -> RowLocal:
    """Run the row-local rules on Spark and make the view ``rows`` of what they gave. Raises RulesFail."""
    session = spark.session(spark.Settings.of(context.spec.engine))
    near = [part for part in parts if part.relation.endswith(CORRECTED)]
    far = [part for part in parts if not part.relation.endswith(CORRECTED)]
    compiled = [compile_source(table, p.source, quoted(_RELATION), p.types, scene, p.written) for p in far]
    changed = [row[0] for row in connection.execute("SELECT DISTINCT row_id FROM corrected").fetchall()] if near else []
    works = tuple(
        Work(done.sql, tuple(part.types.items()), tuple(sorted(changed)))
        for part, done in zip(far, compiled, strict=True)
    )
    columns = output(compiled[0])
    units = [
        (place, str(path.absolute()), first, min(first + _GROUPS, groups))
        for place, part in enumerate(far)
        for path in paths[part.source]
        for groups in [_row_groups(path)]
        for first in range(0, groups, _GROUPS)
    ]
    folder = _folder(context)
    files = _run(session, units, Mapper(works, columns), folder / "rows", context) if units else []
    files += _apart(table, near, columns, scene, folder, connection)
    if not files:
        files = [_save(arrow_schema(columns).empty_table(), folder / "none.parquet")]
    listed = ", ".join(literal(str(path)) for path in files)
    cleared = ", ".join(
        f'CASE WHEN row_id IN (SELECT row_id FROM restored) THEN 0 ELSE "@bad{word}" END AS "@bad{word}"'
        for word in range(reasons.words(len(compiled[0].reasons)))
    )
    connection.execute(
        f"CREATE TEMP VIEW rows AS SELECT * REPLACE ({cleared}) "
        f"FROM read_parquet([{listed}], hive_partitioning = false)"
    )
    return compiled[0]


def _folder(context: Context) -> Path:
    folder = context.scratch / "spark"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _run(
    session: SparkSession, units: list[tuple[int, str, int, int]], mapper: Mapper, folder: Path, context: Context
) -> list[Path]:
    from pyspark.errors import PySparkException

    # Several tasks for each core: a core that is slower, or lost, keeps few of them.
    tasks = min(len(units), max(1, 4 * session.sparkContext.defaultParallelism))
    shared = session.sparkContext.parallelize(units, tasks)
    frame = session.createDataFrame(shared, _UNITS)
    fields = ", ".join(f"{spark.quoted(name)} {_SPARK.get(kind, kind)}" for name, kind in mapper.columns)

    def on_progress(done: int, total: int) -> None:
        context.progress(_("Applying the rules"), done, total or None)

    try:
        return spark.write(frame.mapInArrow(mapper, fields), folder, on_progress)
    except PySparkException as error:
        if RulesFail.__name__ in str(error):
            raise RulesFail from None
        raise spark.failed(error) from None


_SPARK = {"VARCHAR": "STRING", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP"}


def _apart(
    table: Table,
    near: Sequence[Input],
    columns: Sequence[tuple[str, str]],
    scene: Scene,
    folder: Path,
    connection: duckdb.DuckDBPyConnection,
) -> list[Path]:
    """Rows with corrections, worked out here."""
    import duckdb

    files = []
    for place, part in enumerate(near):
        compiled = compile_source(table, part.source, part.relation, part.types, scene, part.written)
        try:
            found = connection.sql(compiled.sql).to_arrow_table()
        except (duckdb.DataError, duckdb.InvalidInputException):
            raise RulesFail from None
        if found.num_rows:
            files.append(_save(found.cast(arrow_schema(columns)), folder / f"corrected-{place}.parquet"))
    return files


def _save(table: pa.Table, path: Path) -> Path:
    import pyarrow.parquet as pq

    pq.write_table(table, path)
    return path


def _row_groups(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_row_groups)


def find_duplicates(sql: str, context: Context, connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``duplicates`` with what ``sql`` gives over ``rows`` and ``restored``, run by Spark."""
    from pyspark.errors import PySparkException

    session = spark.session(spark.Settings.of(context.spec.engine))
    folder = _folder(context)
    frame = session.read.parquet(*(spark.place(path) for path in sorted(folder.rglob("*.parquet"))))
    frame.createOrReplaceTempView("rows")
    back = [(row[0],) for row in connection.execute("SELECT row_id FROM restored").fetchall()]
    session.createDataFrame(back, "row_id STRING").createOrReplaceTempView("restored")

    def on_progress(done: int, total: int) -> None:
        context.progress(_("Looking for duplicates"), done, total or None)

    try:
        files = spark.write(session.sql(sql), context.scratch / "spark-duplicates", on_progress)
    except PySparkException as error:
        raise spark.failed(error) from None
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("row_id", pa.string()), ("kept", pa.string())])
    found = pa.concat_tables([schema.empty_table(), *(pq.read_table(path).cast(schema) for path in files)])
    connection.register("found duplicates", found)
    connection.execute('CREATE TEMP TABLE duplicates AS SELECT * FROM "found duplicates"')
    connection.unregister("found duplicates")


def restored(connection: duckdb.DuckDBPyConnection) -> int:
    """How many rows were put back; the view ``rows`` has forgotten their reasons."""
    found = connection.execute("SELECT count(*) FROM rows WHERE row_id IN (SELECT row_id FROM restored)").fetchall()
    return int(found[0][0])


def where(context: Context) -> dict[str, Any]:
    """The folder in which DuckDB reads what Spark wrote, for ``engine.connect``."""
    return {"folders": [_folder(context)]} if context.spec.engine.kind == "spark" else {}
