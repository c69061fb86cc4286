"""Asking a lake: the same query by DuckDB or by Spark, with rows of the same types in the same order.

Both engines bring their columns to few types (whole numbers of 64 bits, decimals of 38 digits, floats of 64 bits). Rows
are then put in order by DuckDB, whichever engine found them: by the key, then by all columns, empty values last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from compagnon.chain.stage import Cancelled
from compagnon.engines import spark
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.stages.collect import paths
from compagnon.stages.collect.lake import Lake, Leaf
from compagnon.stages.collect.port import Collection, SourceDown
from compagnon.stages.collect.query import quoted
from compagnon.stages.collect.rows import BLOCK

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from compagnon.stages.collect.bigdata import BigdataOptions

DUCKDB = {"text": "VARCHAR", "integer": "BIGINT", "date": "DATE"}
SPARK = {"text": "STRING", "integer": "BIGINT", "date": "DATE"}
"""Types of partition columns."""

_DUCKDB_TYPES = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER", "HUGEINT"), "BIGINT"),
    **dict.fromkeys(("UBIGINT", "UHUGEINT"), "DECIMAL(38,0)"),
    "FLOAT": "DOUBLE",
    "UUID": "VARCHAR",
    **dict.fromkeys(("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "TIMESTAMP"),
}


class Reader(Protocol):
    """A query, ready to be asked of some leaves."""

    def rows(self, leaves: Sequence[Leaf]) -> Iterator[pa.RecordBatch]:
        """Rows in order, after one batch without rows that shows the columns."""


def files(options: BigdataOptions, sql: str, found: Lake, types: Mapping[str, str], collection: Collection) -> Reader:
    """The reader of a lake by the engine that the options say."""
    if options.engine.kind == "spark":
        return _SparkFiles(options, sql, found, types, collection)
    return _DuckFiles(sql, found, types, collection)


def hive(options: BigdataOptions, sql: str, collection: Collection) -> Reader:
    """The reader of Hive tables; raises SourceDown where the metastore's folder is not there."""
    return _SparkHive(hive_settings(options, collection.root), sql, collection)


def hive_settings(options: BigdataOptions, root: Path) -> spark.Settings:
    """The session that reads the metastore; raises SourceDown where its folder is not there."""
    metastore = options.metastore or ""
    if not metastore.startswith("thrift://"):
        folder = paths.locate(metastore, root)
        if not folder.is_dir():
            raise SourceDown(
                "collect.source-down",
                _("There is no Hive metastore in {path}.").format(path=metastore),
                next=_("Say the folder of its Derby database (often metastore_db), or thrift://host:9083."),
            )
        metastore = str(folder.absolute())
    warehouse = str(paths.locate(options.warehouse, root).absolute()) if options.warehouse else None
    return spark.Settings.of(options.engine, metastore, warehouse)


class Answer:
    """What a query gives, kept in a file while its pieces are cut."""

    def __init__(self, reader: Reader, leaves: Sequence[Leaf], path: Path) -> None:
        self._reader, self._leaves, self._path = reader, leaves, path
        self.rows = 0

    def __enter__(self) -> Answer:
        import pyarrow.parquet as pq

        writer = None
        try:
            for batch in self._reader.rows(self._leaves):
                writer = writer or pq.ParquetWriter(self._path, batch.schema, compression="zstd", compression_level=1)
                if batch.num_rows:
                    writer.write_batch(batch, row_group_size=BLOCK)
                self.rows += batch.num_rows
        finally:
            if writer is not None:
                writer.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)

    def slice(self, start: int, count: int) -> Iterator[pa.RecordBatch]:
        """``count`` rows from ``start`` on, after one batch without rows."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self._path) as file:
            yield _empty(file.schema_arrow)
            place = 0
            for batch in file.iter_batches(BLOCK):
                first, last = max(start, place), min(start + count, place + batch.num_rows)
                if first < last:
                    yield batch.slice(first - place, last - first)
                place += batch.num_rows
                if place >= start + count:
                    return


@dataclass
class _DuckFiles:
    sql: str
    lake: Lake
    types: Mapping[str, str]
    collection: Collection
    _columns: dict[str, str] = field(default_factory=dict)
    """Columns of the whole lake: a partition may lack one that came later."""

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """One for all pieces: opening it costs more than asking for a small one."""
        return opened(self.collection.scratch, [self.lake.root])

    def rows(self, leaves: Sequence[Leaf]) -> Iterator[pa.RecordBatch]:
        with _guard(self.collection, self.lake.root):
            if not self._columns:
                self._columns = _described(self._connection, scanned(self.lake, self.lake.leaves, self.types))
            make_view(self.collection.name, self.lake, leaves, self.types, self._columns, self._connection)
        yield from _ordered(self._connection, self.sql, self.collection, self.lake.root)


@dataclass
class _SparkFiles:
    options: BigdataOptions
    sql: str
    lake: Lake
    types: Mapping[str, str]
    collection: Collection
    _compared: bool = False
    _schema: Any = None
    """Columns of the whole lake, as Spark names their types."""

    def rows(self, leaves: Sequence[Leaf]) -> Iterator[pa.RecordBatch]:
        session = spark.session(spark.Settings.of(self.options.engine))
        kinds = {column: SPARK[kind] for column, kind in self.types.items()}

        def frame() -> DataFrame:
            whole = len(leaves) == len(self.lake.leaves)
            folders = [self.lake.root] if whole else [leaf.folder for leaf in leaves]
            if self._schema is None and not whole:
                self._schema = spark.read(session, [self.lake.root], self.lake.root, {}).schema
            found = spark.read(session, folders, self.lake.root, kinds, self._schema)
            found.createOrReplaceTempView(spark.quoted(self.collection.name))
            return session.sql(self.sql)

        yield from _from_spark(session, frame, self.collection, self._compare)

    def _compare(self, found: Mapping[str, str]) -> None:
        """Warn of columns to which DuckDB would give another type, and of queries that it does not understand."""
        import duckdb

        if self._compared:
            return
        self._compared = True
        with opened(self.collection.scratch, [self.lake.root]) as connection:
            try:
                columns = _described(connection, scanned(self.lake, self.lake.leaves, self.types))
                make_view(self.collection.name, self.lake, self.lake.leaves[:1], self.types, columns, connection)
                plain = _plain(connection, self.sql)
                other = _described(connection, f"SELECT {plain} FROM (\n{self.sql}\n)")
            except duckdb.Error:
                self.collection.warn(
                    _("The query of {name} is one that Spark alone understands.").format(name=self.collection.name)
                )
                return
        for name, kind in found.items():
            if name in other and other[name] != kind:
                self.collection.warn(
                    _(
                        "The column {column} is {spark} on Spark and {duckdb} on DuckDB; write CAST({column} AS ...) "
                        "in the query to have the same rows on both."
                    ).format(column=name, spark=kind, duckdb=other[name])
                )


@dataclass
class _SparkHive:
    settings: spark.Settings
    sql: str
    collection: Collection

    def rows(self, leaves: Sequence[Leaf]) -> Iterator[pa.RecordBatch]:
        session = spark.session(self.settings)
        yield from _from_spark(session, lambda: session.sql(self.sql), self.collection)


def _from_spark(
    session: SparkSession,
    frame: Callable[[], DataFrame],
    collection: Collection,
    look: Callable[[Mapping[str, str]], None] = lambda found: None,
) -> Iterator[pa.RecordBatch]:
    """What Spark finds, written by its workers into the scratch folder and put in order there."""
    import shutil

    folder = collection.scratch / "spark"
    shutil.rmtree(folder, ignore_errors=True)

    def on_progress(done: int, total: int) -> None:
        collection.progress(collection.name, None, None)

    with _guard(collection, collection.root):
        found = spark_plain(frame())
        written = spark.write(found, folder, on_progress)
        with opened(collection.scratch, [folder]) as connection:
            listed = ", ".join(_literal(str(path)) for path in written)
            if written:
                relation = f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false)"
            else:
                import pyarrow as pa

                connection.register("nothing", pa.Table.from_batches([], schema=_arrow_schema(found)))
                relation = "SELECT * FROM nothing"
            look(_described(connection, relation))
            yield from _ordered(connection, relation, collection, folder)
    shutil.rmtree(folder, ignore_errors=True)


def spark_plain(frame: DataFrame) -> DataFrame:
    """``frame`` in the plain types, its columns under names of their own."""
    from pyspark.sql import functions as f

    from compagnon.stages.collect.rows import unique_names

    named = frame.toDF(*unique_names(frame.columns))
    columns = []
    for name, kind in named.dtypes:
        column = f.col(spark.quoted(name))
        if kind in ("tinyint", "smallint", "int"):
            column = column.cast("bigint")
        elif kind == "float":
            column = column.cast("double")
        elif match := re.fullmatch(r"decimal\(\d+,(\d+)\)", kind):
            column = column.cast(f"decimal(38,{match[1]})")
        elif kind.startswith(("varchar", "char", "interval", "void", "null")):
            column = column.cast("string")
        columns.append(column.alias(name))
    return named.select(*columns)


def _arrow_schema(frame: DataFrame) -> pa.Schema:
    from pyspark.sql.pandas.types import to_arrow_schema

    return to_arrow_schema(frame.schema)


def make_view(
    name: str,
    lake: Lake,
    leaves: Sequence[Leaf],
    types: Mapping[str, str],
    columns: Mapping[str, str],
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """The view ``name`` of the files of ``leaves``, with ``columns`` (name to type) whether they have them or not."""
    sql = scanned(lake, leaves, types)
    present = _described(connection, sql)
    if present != dict(columns):
        given = [f"CAST({quoted(c) if c in present else 'NULL'} AS {k}) AS {quoted(c)}" for c, k in columns.items()]
        sql = f"SELECT {', '.join(given)} FROM ({sql})"
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {sql}")


def _described(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"DESCRIBE {sql}").fetchall()}


def scanned(lake: Lake, leaves: Sequence[Leaf], types: Mapping[str, str]) -> str:
    """SQL of the rows in the files of ``leaves``, with the partition columns of the lake."""
    listed = ", ".join(_literal(str(file)) for leaf in leaves for file in leaf.files)
    declared = ", ".join(f"{_literal(column)}: {DUCKDB[kind]}" for column, kind in types.items())
    how = "union_by_name = true, "
    if types:
        how += f"hive_partitioning = true, hive_types_autocast = false, hive_types = {{{declared}}}"
    else:
        how += "hive_partitioning = false"
    # A folder above the lake may look like a partition; it is none of its columns.
    above = [part.partition("=")[0] for part in lake.root.parts if "=" in part] if types else []
    without = [column for column in above if column not in types]
    star = f"* EXCLUDE ({', '.join(map(quoted, without))})" if without else "*"
    return f"SELECT {star} FROM read_parquet([{listed}], {how})"


def opened(scratch: Path, folders: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    """DuckDB in memory that reads ``folders`` and nothing else."""
    import duckdb

    spill = scratch / "spill"
    spill.mkdir(mode=0o700, parents=True, exist_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "python_enable_replacements": False,
        "temp_directory": str(spill),
    }
    connection = duckdb.connect(config=config)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET allowed_directories = [{', '.join(_literal(str(f)) for f in folders)}]")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _ordered(
    connection: duckdb.DuckDBPyConnection, sql: str, collection: Collection, root: Path
) -> Iterator[pa.RecordBatch]:
    with _guard(collection, root):
        columns = _plain(connection, sql)
        names = list(_described(connection, f"SELECT {columns} FROM (\n{sql}\n)"))
        first = [name for name in collection.key if name in names]
        order = ", ".join(f"{quoted(n)} NULLS LAST" for n in [*first, *(n for n in names if n not in first)])
        reader = connection.sql(f"SELECT {columns} FROM (\n{sql}\n) ORDER BY {order}").to_arrow_reader(BLOCK)
    done = 0
    while True:
        with _guard(collection, root):
            batch = next(reader, None)
        if batch is None:
            break
        if done == 0:
            yield _empty(batch.schema)
        done += batch.num_rows
        collection.progress(collection.name, done, None)
        yield batch
    if done == 0:
        yield _empty(reader.schema)


def _plain(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The columns of ``sql`` as an SQL list, in the plain types."""
    found = []
    for name, kind in _described(connection, f"SELECT * FROM (\n{sql}\n)").items():
        match = re.fullmatch(r"DECIMAL\(\d+,(\d+)\)", kind)
        wanted = f"DECIMAL(38,{match[1]})" if match else _DUCKDB_TYPES.get(kind)
        if wanted is None and kind.startswith("ENUM"):
            wanted = "VARCHAR"
        value = f"CAST({quoted(name)} AS {wanted})" if wanted else quoted(name)
        if (wanted or kind) == "DOUBLE":
            # What is not a number has many spellings in bits; one is kept.
            value = f"CASE WHEN isnan({value}) THEN CAST('nan' AS DOUBLE) ELSE {value} END"
        found.append(f"{value} AS {quoted(name)}")
    return ", ".join(found)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], schema=schema)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def _guard(collection: Collection, root: Path) -> Iterator[None]:
    """Turns what an engine refuses into a UserError that holds no cell."""
    try:
        yield
    except (UserError, Cancelled, GeneratorExit):
        raise
    except Exception as error:
        raise _refused(error, collection, root) from None


def _refused(error: Exception, collection: Collection, root: Path) -> UserError:
    import duckdb

    text = " ".join(str(error).split())
    broken = re.search(r"/[^'\"]*?\.(parquet|pq|parq)\b", text)
    unreadable = isinstance(error, duckdb.IOException) or "magic bytes" in text or "not a Parquet file" in text
    unreadable = unreadable or "FAILED_READ_FILE" in text or "CANNOT_READ_FILE_FOOTER" in text
    if unreadable and broken:
        shown = Path("/" + broken[0].lstrip("/"))
        name = shown.relative_to(root).as_posix() if shown.is_relative_to(root) else shown.name
        return UserError(
            "collect.file-unreadable",
            _("{path} cannot be read as Parquet: {why}").format(path=name, why=_("it is cut short, or no such file.")),
            next=_("Have it written again, or take it away."),
        )
    if isinstance(error, duckdb.Error):
        # Errors of names and forms quote the query; errors of values quote cells.
        about_query = isinstance(error, duckdb.ProgrammingError) and not isinstance(error, duckdb.DataError)
        why = text[:300] if about_query else re.sub(r"'[^']*'|\"[^\"]*\"|\([^)]*\)", "…", text)[:200]
    else:
        why = spark.reason(error)
    return UserError(
        "collect.query-failed",
        _("The query of {name} fails: {why}").format(name=collection.name, why=why),
        next=_("Try it on a few files; CAST and TRY_CAST say types, COALESCE fills empty values."),
    )
