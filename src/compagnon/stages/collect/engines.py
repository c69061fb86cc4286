"""Reading databases as Arrow: ADBC for SQLite and PostgreSQL, SQLAlchemy for others. Read only."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from compagnon.chain.plugins import missing_extra
from compagnon.errors import UserError
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
        """Rows of a query in record batches of one schema. Raises TypesVary where values do not fit it."""

    def loosened(self, sql: str) -> str | None:
        """After TypesVary: the query to read instead, from its beginning; None if there is no other way."""

    def row(self, sql: str) -> tuple[Any, ...]:
        """The first row of a query."""

    def plan(self, sql: str) -> str:
        """How the database would run a query, in its own words (EXPLAIN)."""


class TypesVary(Exception):
    """A column holds values of several types; ``loosened`` of the connection knows a way to read it."""


@dataclass
class _Adbc:
    """A connection by ADBC's DB-API."""

    connection: Any
    mark: str = '"'
    _loosened: bool = False

    def loosened(self, sql: str) -> str | None:
        if self._loosened:
            return None
        self._loosened = True
        return text_query(self, sql)

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        cursor = self.connection.cursor()
        try:
            cursor.execute(sql)
            with cursor.fetch_record_batch() as reader:
                yield pa.RecordBatch.from_pylist([], schema=reader.schema)
                example = self._loosened
                for batch in reader:
                    yield batch.slice(1) if example else batch
                    example = False
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

    def plan(self, sql: str) -> str:
        cursor = self.connection.cursor()
        try:
            # ADBC asks PostgreSQL by COPY, which does not take EXPLAIN.
            cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
            cursor.execute("EXPLAIN " + sql)
            return "\n".join(str(row[0]) for row in cursor.fetchall())
        finally:
            cursor.close()


@contextlib.contextmanager
def sqlite(path: Path) -> Iterator[Connection]:
    """A SQLite file, opened so that it cannot be written."""
    import adbc_driver_sqlite.dbapi as adbc

    _check_there(path)
    uri = "file:" + quote(path.as_posix()) + "?mode=ro"
    with adbc.connect(uri, autocommit=True) as connection:
        yield _Adbc(connection)


def _check_there(path: Path) -> None:
    """SQLite makes a file that is not there, which would hide the mistake; raises SourceDown instead."""
    if not path.is_file():
        raise SourceDown(
            "collect.source-down",
            _("The SQLite file {path} is not there.").format(path=path.name),
            next=_("Check the url of the source (sqlite:///data/file.db), or say what to use instead (instead: last)."),
        )


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
    """A connection by SQLAlchemy; ``texts`` are the places of columns whose values are of several types."""

    connection: Any
    mark: str
    texts: set[int] = field(default_factory=set)
    _known: int = 0

    def loosened(self, sql: str) -> str | None:
        found, self._known = len(self.texts) > self._known, len(self.texts)
        return sql if found else None

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        import sqlalchemy as sa

        streaming = self.connection.execution_options(stream_results=True, yield_per=_ROWS)
        result = streaming.execute(sa.text(sql.replace(":", "\\:")))
        names = list(result.keys())
        schema: pa.Schema | None = None
        for rows in result.partitions(_ROWS):
            batch = columns(names, rows, schema, self.texts)
            schema = schema or batch.schema
            yield batch
        if schema is None:
            yield columns(names, [], None, self.texts)

    def row(self, sql: str) -> tuple[Any, ...]:
        import sqlalchemy as sa

        found = self.connection.execute(sa.text(sql.replace(":", "\\:"))).first()
        return tuple(found or ())

    def plan(self, sql: str) -> str:
        import sqlalchemy as sa

        found = self.connection.execute(sa.text("EXPLAIN " + sql.replace(":", "\\:")))
        return "\n".join(" ".join(str(value) for value in row) for row in found)


def columns(names: list[str], rows: list[Any], schema: pa.Schema | None, texts: set[int]) -> pa.RecordBatch:
    """Rows of Python values as a batch of ``schema``; without one, of the types found.

    Columns at the places ``texts`` become text. Where a value does not fit, its place is added to them and TypesVary
    raised.
    """
    import pyarrow as pa

    values = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    arrays = []
    for place, column in enumerate(values):
        if place in texts:
            arrays.append(pa.array([_text(value) for value in column], pa.string()))
            continue
        try:
            array = pa.array(column)
            if pa.types.is_decimal(array.type):
                array = array.cast(pa.string())
            wanted = schema.field(place).type if schema else array.type
            if array.type != wanted and not pa.types.is_null(array.type) and not pa.types.is_floating(wanted):
                raise pa.ArrowInvalid(f"{array.type} after {wanted}")
            arrays.append(array.cast(wanted))
        except (pa.ArrowException, OverflowError) as error:
            texts.add(place)
            raise TypesVary(str(error)) from error
    return pa.RecordBatch.from_arrays(arrays, names=names)


def _text(value: Any) -> str | None:
    return None if value is None else value.hex().upper() if isinstance(value, bytes) else str(value)


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
        return missing_extra("postgresql", error.name or "psycopg")
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
        if found and path:
            _check_there(sqlite_path(url, root))
            return sqlalchemy(f"{driver}:///{paths.locate(path, root)}")
    return sqlalchemy(url)


def sqlite_path(url: str, root: Path) -> Path:
    """The file of ``sqlite:///relative`` (to the solution's folder) or ``sqlite:////absolute``."""
    return paths.locate(url.partition(":///")[2].partition("?")[0], root)


def text_query(connection: Connection, sql: str) -> str:
    """``sql`` for SQLite, preceded by one example row, its columns of mixed types cast to text (numbers to one type).

    ADBC takes the types of SQLite's columns from the first rows, in which a column may be empty: the example row says
    them, found by a look at all rows.
    """
    names = next(iter(connection.batches(f"SELECT * FROM (\n{sql}\n) WHERE 1 = 0"))).schema.names
    kinds = connection.row(
        "SELECT " + ", ".join(f"group_concat(DISTINCT typeof({quoted(n)}))" for n in names) + f" FROM (\n{sql}\n)"
    )
    casts, examples = [], []
    for name, found in zip(names, kinds, strict=True):
        column, present = quoted(name), frozenset((found or "").split(",")) - {"null", ""}
        example, cast = _CASTS.get(present, ("''", None))
        casts.append((cast.format(column) if cast else _sqlite_text(column)) + f" AS {column}")
        examples.append(f"{example} AS {column}")
    return f"SELECT {', '.join(examples)} UNION ALL SELECT {', '.join(casts)} FROM (\n{sql}\n)"


_CASTS = {
    frozenset({"integer"}): ("0", "{}"),
    frozenset({"real"}): ("0.0", "{}"),
    frozenset({"integer", "real"}): ("0.0", "CAST({} AS REAL)"),
    frozenset({"text"}): ("''", "{}"),
    frozenset({"blob"}): ("x''", "{}"),
}


def _sqlite_text(column: str) -> str:
    """Numbers as SQLite writes them, bytes in hexadecimal."""
    return f"CASE typeof({column}) WHEN 'blob' THEN hex({column}) ELSE CAST({column} AS TEXT) END"
