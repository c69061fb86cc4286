"""Asking a query of the engine that it is for: its plan, and its rows in a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.engines import spark
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.spec.model import Spec
from compagnon.stages.collect import engines, lake, paths, scan
from compagnon.stages.collect.bigdata import BigdataOptions
from compagnon.stages.collect.query import quoted
from compagnon.stages.collect.sql import SqlOptions, opened
from compagnon.stages.store import pointer
from compagnon.stages.store.query import open_published

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Asked:
    """An engine ready to be asked: ``plan(sql)`` as its lines of text, ``rows(sql)`` all rows."""

    engine: str
    plan: Callable[[str], str]
    rows: Callable[[str], pa.Table]


@contextmanager
def ready(
    source: str | None, spec: Spec, workspace: Workspace, secrets: Secrets, scratch: Path, *, indexes: bool = True
) -> Iterator[Asked]:
    """The engine of ``source``, or of the published tables. ``indexes`` False: as if there were none.

    Raises UserError ``query.no-engine`` for sources that have no query, ``query.no-index`` where there is none to
    leave out.
    """
    options: Any = spec.sources.get(source) if source else None
    if not indexes and not isinstance(options, SqlOptions):
        raise UserError(
            "query.no-index",
            _("An index can be left out on SQLite and PostgreSQL only."),
            next=_("Say in the header the file of the query as it was: before: before/NAME.sql"),
        )
    if source is None:
        with closing(open_published(pointer.published(workspace))) as connection:
            yield Asked("DuckDB", lambda sql: _duckdb_plan(connection, sql), lambda sql: _duckdb_rows(connection, sql))
    elif isinstance(options, SqlOptions) and options.url.partition(":")[0].partition("+")[0] == "sqlite":
        with _sqlite(options, workspace.root, indexes) as asked:
            yield asked
    elif isinstance(options, SqlOptions):
        with opened(options, workspace.root, secrets) as (connection, guard), guard():
            if not indexes:
                for setting in ("enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan"):
                    connection.row(f"SELECT set_config('{setting}', 'off', true)")
            yield Asked(
                "PostgreSQL" if options.url.startswith("postgres") or "${" in options.url else "SQL",
                connection.plan,
                lambda sql: _table(connection.batches(sql)),
            )
    elif isinstance(options, BigdataOptions):
        with _bigdata(source, options, workspace.root, scratch) as asked:
            yield asked
    else:
        raise UserError(
            "query.no-engine",
            _("The source {name} is not one that answers queries.").format(name=source),
            next=_("Say in the header a source of the kind sql or bigdata (on: NAME), or leave it out for the tables."),
        )


@contextmanager
def _sqlite(options: SqlOptions, root: Path, indexes: bool) -> Iterator[Asked]:
    path = engines.sqlite_path("sqlite:///" + options.url.partition(":///")[2], root)
    if not path.is_file():
        raise UserError(
            "query.source-down",
            _("The SQLite file {path} is not there.").format(path=path.name),
            next=_("Check the url of the source."),
        )
    with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)) as connection:
        if indexes:
            yield _asked_sqlite(connection)
            return
        # The file is never written: its indexes are dropped in a copy in memory.
        with closing(sqlite3.connect(":memory:")) as copy:
            connection.backup(copy)
            made = copy.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
            for (name,) in made:
                copy.execute(f"DROP INDEX {quoted(name)}")
            yield _asked_sqlite(copy)


def _asked_sqlite(connection: sqlite3.Connection) -> Asked:
    import pyarrow as pa

    def ask(sql: str) -> tuple[list[str], list[Any]]:
        try:
            cursor = connection.execute(sql)
            return [column[0] for column in cursor.description], cursor.fetchall()
        except sqlite3.Error as error:
            raise UserError("query.wrong", str(error)) from error

    def plan(sql: str) -> str:
        depth = {0: -1}
        lines = []
        for place, parent, _unused, detail in ask("EXPLAIN QUERY PLAN " + sql)[1]:
            depth[place] = depth.get(parent, -1) + 1
            lines.append("  " * depth[place] + detail)
        return "\n".join(lines)

    def rows(sql: str) -> pa.Table:
        names, found = ask(sql)
        texts = [[None if value is None else str(value) for value in column] for column in zip(*found, strict=True)]
        columns = texts or [[] for _name in names]
        return pa.table([pa.array(column, pa.string()) for column in columns], names=names)

    return Asked("SQLite", plan, rows)


@contextmanager
def _bigdata(name: str, options: BigdataOptions, root: Path, scratch: Path) -> Iterator[Asked]:
    if options.path is None:
        session = spark.session(scan.hive_settings(options, root))
        yield _asked_spark(session)
        return
    found = lake.look(paths.locate(options.path, root), options.path)
    types = lake.types_of(found, options.partitions)
    if options.engine.kind == "spark":
        session = spark.session(spark.Settings.of(options.engine))
        kinds = {column: scan.SPARK[kind] for column, kind in types.items()}
        spark.read(session, [found.root], found.root, kinds).createOrReplaceTempView(spark.quoted(name))
        yield _asked_spark(session)
        return
    with closing(scan.opened(scratch, [found.root])) as connection:
        sql = scan.scanned(found, found.leaves, types)
        connection.execute(f"CREATE TEMP VIEW {quoted(name)} AS {sql}")
        yield Asked("DuckDB", lambda sql: _duckdb_plan(connection, sql), lambda sql: _duckdb_rows(connection, sql))


def _asked_spark(session: Any) -> Asked:
    def frame(sql: str) -> Any:
        try:
            return session.sql(sql)
        except Exception as error:
            raise UserError("query.wrong", spark.reason(error)) from None

    def plan(sql: str) -> str:
        query = frame(sql)._jdf.queryExecution()
        return str(session._jvm.PythonSQLUtils.explainString(query, "formatted")).strip()

    return Asked("Spark", plan, lambda sql: frame(sql).toArrow())


def _duckdb_plan(connection: Any, sql: str) -> str:
    return "\n".join(_duckdb_rows(connection, "EXPLAIN " + sql).column(1).to_pylist()).strip()


def _duckdb_rows(connection: Any, sql: str) -> pa.Table:
    import duckdb

    try:
        found: pa.Table = connection.sql(sql).to_arrow_table()
    except duckdb.Error as error:
        raise UserError("query.wrong", " ".join(str(error).split())[:300]) from error
    return found


def _table(batches: Iterator[pa.RecordBatch]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_batches(list(batches))
