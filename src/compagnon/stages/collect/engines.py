"""Reading databases as Arrow: ADBC for SQLite and PostgreSQL, connectorx or SQLAlchemy for others. Read only."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from compagnon.errors import MissingExtra, UserError
from compagnon.i18n import _
from compagnon.stages.collect import paths
from compagnon.stages.collect.port import SourceDown
from compagnon.stages.collect.query import quoted

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 20_000
"""Rows that SQLAlchemy fetches at once: Python values cost much more memory than columns."""


class Connection(Protocol):
    """An open, read-only connection."""

    mark: str
    """What encloses an identifier."""

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Rows of a query in record batches of one schema. Raises TypesVary where SQLite mixes types."""

    def row(self, sql: str) -> tuple[Any, ...]:
        """The first row of a query."""


class TypesVary(Exception):
    """A column holds values of several types; ``text_query`` of the engine writes a query that does not mind."""


@dataclass
class _Adbc:
    """A connection by ADBC's DB-API."""

    connection: Any
    mark: str = '"'

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        cursor = self.connection.cursor()
        try:
            cursor.execute(sql)
            with cursor.fetch_record_batch() as reader:
                yield pa.RecordBatch.from_pylist([], schema=reader.schema)
                yield from reader
        except (pa.ArrowInvalid, OSError) as error:
            if "Type mismatch" in str(error) or "UTF8" in str(error):
                raise TypesVary(str(error)) from error
            raise
        finally:
            cursor.close()

    def row(self, sql: str) -> tuple[Any, ...]:
        cursor = self.connection.cursor()
        try:
            cursor.execute(sql)
            return tuple(cursor.fetchone() or ())
        finally:
            cursor.close()


@contextlib.contextmanager
def sqlite(path: Path) -> Iterator[Connection]:
    """A SQLite file, opened so that it cannot be written."""
    import adbc_driver_sqlite.dbapi as adbc

    if not path.is_file():
        raise SourceDown(
            "collect.source-down",
            _("The SQLite file {path} is not there.").format(path=path.name),
            next=_("Check the url of the source (sqlite:///data/file.db), or say what to use instead (instead: last)."),
        )
    uri = "file:" + quote(path.as_posix()) + "?mode=ro"
    with adbc.connect(uri, autocommit=True) as connection:
        yield _Adbc(connection)


@contextlib.contextmanager
def postgresql(url: str) -> Iterator[Connection]:
    """PostgreSQL, in one read-only transaction that sees one state of the database."""
    import adbc_driver_postgresql.dbapi as adbc

    with adbc.connect(url) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # Without these, two readings of the same table may give its rows in another order.
            cursor.execute("SET LOCAL synchronize_seqscans = off")
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
            cursor.execute("SET LOCAL timezone = 'UTC'")
        yield _Adbc(connection)
        connection.rollback()


@dataclass
class _SqlAlchemy:
    connection: Any
    mark: str

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        import sqlalchemy as sa

        streaming = self.connection.execution_options(stream_results=True, yield_per=_ROWS)
        result = streaming.execute(sa.text(sql.replace(":", "\\:")))
        names = list(result.keys())
        schema: pa.Schema | None = None
        for rows in result.partitions(_ROWS):
            batch = columns(names, rows, schema)
            schema = schema or batch.schema
            yield batch
        if schema is None:
            yield columns(names, [], None)

    def row(self, sql: str) -> tuple[Any, ...]:
        import sqlalchemy as sa

        found = self.connection.execute(sa.text(sql.replace(":", "\\:"))).first()
        return tuple(found or ())


def columns(names: list[str], rows: list[Any], schema: pa.Schema | None) -> pa.RecordBatch:
    """Rows of Python values as a batch of ``schema``; without one, of the types found.

    Raises TypesVary where a value does not fit, so that the query is read again as text.
    """
    import pyarrow as pa

    values = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    arrays = []
    for place, column in enumerate(values):
        try:
            kind = schema.field(place).type if schema else None
            arrays.append(pa.array(column, kind))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise TypesVary(str(error)) from error
    return pa.RecordBatch.from_arrays(arrays, names=names)


@contextlib.contextmanager
def sqlalchemy(url: str) -> Iterator[Connection]:
    """Any database that SQLAlchemy knows, rolled back at the end."""
    import sqlalchemy as sa

    try:
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError) as error:
        raise UserError(
            "collect.url-invalid",
            _("The url of the source is not one that SQLAlchemy knows."),
            next=_("It looks like postgresql://user:password@host/database or sqlite:///data/file.db."),
        ) from error
    except ImportError as error:
        raise _missing_driver(url, error) from error
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            elif connection.dialect.name == "sqlite":
                connection.execute(sa.text("PRAGMA query_only = on"))
            mark = connection.dialect.identifier_preparer.initial_quote
            yield _SqlAlchemy(connection, mark)
            connection.rollback()
    finally:
        engine.dispose()


def _missing_driver(url: str, error: ImportError) -> UserError:
    if url.startswith("postgresql"):
        return MissingExtra("postgresql", error.name or "psycopg")
    return UserError(
        "collect.driver-missing",
        _("The driver {name} for this database is not installed.").format(name=error.name or "?"),
        next=f"pip install {error.name}",
    )


def connect(url: str, root: Path) -> contextlib.AbstractContextManager[Connection]:
    """The fastest way to the database of ``url`` (its secrets resolved) that is installed."""
    scheme = url.partition(":")[0].lower()
    if scheme == "sqlite":
        return sqlite(sqlite_path(url, root))
    if scheme in ("postgresql", "postgres"):
        if importlib.util.find_spec("adbc_driver_postgresql"):
            return postgresql(url)
        return sqlalchemy("postgresql+psycopg:" + url.partition(":")[2])
    if scheme.partition("+")[0] == "sqlite":
        driver, found, path = url.partition(":///")
        return sqlalchemy(f"{driver}:///{paths.locate(path, root)}" if found and path else url)
    return sqlalchemy(url)


def sqlite_path(url: str, root: Path) -> Path:
    """The file of ``sqlite:///relative`` (to the solution's folder) or ``sqlite:////absolute``."""
    return paths.locate(url.partition(":///")[2].partition("?")[0], root)


def text_query(connection: Connection, sql: str, dialect: str) -> str:
    """``sql`` with the columns of mixed types cast to text (numbers to one number), found by looking at all rows."""
    names = _names(connection, sql)
    if dialect != "sqlite":
        casts = [f"CAST({quoted(n, connection.mark)} AS VARCHAR(4000)) AS {quoted(n, connection.mark)}" for n in names]
        return f"SELECT {', '.join(casts)} FROM (\n{sql}\n) AS collected"
    kinds = connection.row(
        "SELECT " + ", ".join(f"group_concat(DISTINCT typeof({quoted(n)}))" for n in names) + f" FROM (\n{sql}\n)"
    )
    casts = []
    for name, found in zip(names, kinds, strict=True):
        column, present = quoted(name), set((found or "").split(",")) - {"null", ""}
        if present <= {"integer"} or present <= {"real"} or present <= {"blob"}:
            casts.append(column)
        elif present <= {"integer", "real"}:
            casts.append(f"CAST({column} AS REAL) AS {column}")
        else:
            casts.append(_sqlite_text(column) + f" AS {column}")
    return f"SELECT {', '.join(casts)} FROM (\n{sql}\n)"


def _sqlite_text(column: str) -> str:
    """Numbers as SQLite writes them, bytes in hexadecimal."""
    return f"CASE typeof({column}) WHEN 'blob' THEN hex({column}) ELSE CAST({column} AS TEXT) END"


def _names(connection: Connection, sql: str) -> list[str]:
    batch = next(iter(connection.batches(f"SELECT * FROM (\n{sql}\n) AS collected WHERE 1 = 0")))
    return list(batch.schema.names)
