"""The source ``sql``: a query on any database, streamed as Arrow, read only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from compagnon.chain import digest as digests
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Cancelled, Probe
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.privacy.patterns import mask_text
from compagnon.spec.model import SourceOptions
from compagnon.spec.variables import resolve_secrets, secret_names
from compagnon.stages.collect import engines, paths, query
from compagnon.stages.collect.known import Known, needs_key
from compagnon.stages.collect.port import Aside, Collection, Piece, ReadAgain, SourceDown, settings_of
from compagnon.stages.collect.stream import Stream, readable

if TYPE_CHECKING:
    import pyarrow as pa

_PASSWORD = re.compile(r"(://[^:/@\s]*:)([^@\s]+)(@)|((?:password|pwd|passwd)=)([^&\s;]+)", re.IGNORECASE)


class SqlOptions(SourceOptions):
    """Options of a ``sql`` source."""

    kind: Literal["sql"]
    url: str = Field(description="SQLAlchemy's url of the database; its password belongs in ${secret:NAME}.")
    query: str | None = Field(None, description="A file of the solution that holds the query, or the query itself.")
    table: str | None = Field(None, description="A table to take whole, instead of a query.")
    cursor: str | None = Field(
        None, description="A column that grows (date, number): only rows from the last value on are collected."
    )
    batch: int = Field(1_000_000, ge=1000, description="Rows of one segment.")

    @model_validator(mode="after")
    def _one_of(self) -> SqlOptions:
        if (self.query is None) == (self.table is None):
            raise ValueError("say either query or table")
        return self


@dataclass
class SqlSource:
    """A database: collected whole, or from the last value of a cursor on."""

    Options: ClassVar[type[SourceOptions]] = SqlOptions
    extra: ClassVar[str | None] = "postgresql"
    distributions: ClassVar[tuple[str, ...]] = ("adbc-driver-sqlite", "adbc-driver-postgresql", "sqlalchemy")

    def files(self, options: SqlOptions) -> tuple[str, ...]:
        return (options.query,) if options.query and not query.is_inline(options.query) else ()

    def settings(self, options: SqlOptions) -> dict[str, Any]:
        return {**settings_of(options), "url": without_password(options.url)}

    def probe(self, options: SqlOptions, root: Path, secrets: Secrets) -> Probe:
        try:
            with opened(options, root, secrets) as (connection, _guard):
                sql = query.load(options.query, options.table, root)
                if options.cursor is not None:
                    with _guard():
                        return Probe(_state(connection, options.cursor, sql))
            url = options.url
            if url.startswith("sqlite:") and not secret_names(url):
                path = engines.sqlite_path(url, root)
                beside = path.with_name(path.name + "-wal")
                wal = paths.digest_of(beside) if beside.exists() and beside.stat().st_size else ""
                return Probe(digests.of_value([paths.digest_of(path), wal]))
        except UserError as error:
            return Probe(None, error=error.problem.what)
        return Probe(None)

    def collect(self, options: SqlOptions, collection: Collection) -> Iterator[Piece]:
        if options.cursor is not None and not collection.key:
            raise needs_key(collection.name)
        sql = query.load(options.query, options.table, collection.root)
        with opened(options, collection.root, collection.secrets) as (connection, guard):
            if options.cursor is None:
                yield from _pieces(Stream(connection, sql, _dialect(options.url), guard), options, collection, 0, None)
            else:
                yield from _since(connection, guard, sql, options, collection)


def _since(
    connection: engines.Connection, guard: Any, sql: str, options: SqlOptions, collection: Collection
) -> Iterator[Piece]:
    """Finished pieces as they are, then the rows from the last value of the cursor on."""
    cursor = options.cursor or ""
    own = digests.of_value([sql, without_password(options.url), cursor, collection.key])[:16]
    with guard():
        state = _state(connection, cursor, sql)
    before = collection.previous.segments if collection.previous else ()
    if not all((segment.origin or "").startswith(f"cursor {own}") for segment in before):
        before = ()
    for segment in before:
        yield Piece(segment.name.removesuffix(".parquet"), segment.origin, None)
    known = Known.read(collection.previous_paths(), cursor) if before else Known()
    if known.last is not None:
        sql = query.since(sql, query.quoted(cursor, connection.mark), query.literal(known.last))
    stream = Stream(connection, sql, _dialect(options.url), guard, lambda batch: known.drop(batch, cursor, collection))
    if before and stream.ended():
        return
    yield from _pieces(stream, options, collection, len(before), f"cursor {own} {state[:16]}")


def _pieces(
    stream: Stream, options: SqlOptions, collection: Collection, first: int, origin: str | None
) -> Iterator[Piece]:
    number = first
    while True:
        start = stream.given

        def read(aside: Aside, start: int = start) -> Iterator[pa.RecordBatch]:
            stream.rewind(start)
            try:
                for batch in readable(stream.take(options.batch), aside):
                    collection.progress(collection.name, stream.given, None)
                    yield batch
            except engines.TypesVary as error:
                stream.loosen()
                raise ReadAgain from error

        yield Piece(str(number), f"{origin} {number}" if origin else None, read, lambda: {"format": "sql"})
        if stream.given == start:
            stream.skip(options.batch)
        if stream.ended():
            return
        number += 1


def _state(connection: engines.Connection, cursor: str, sql: str) -> str:
    """Digest of the highest value of the cursor and the number of rows."""
    column = query.quoted(cursor, connection.mark)
    found = connection.row(f"SELECT max({column}), count(*) FROM (\n{sql}\n) AS collected")
    return digests.of_value([str(value) for value in found])


def _dialect(url: str) -> str:
    return url.partition(":")[0].partition("+")[0].lower()


def without_password(url: str) -> str:
    """``url`` with ``***`` where a password stands in clear; a secret stays by its name."""

    def hide(match: re.Match[str]) -> str:
        before, value, after = (match[1], match[2], match[3]) if match[1] else (match[4], match[5], "")
        kept = value if re.fullmatch(r"\$\{secret:\w+\}", value) else "***"
        return f"{before}{kept}{after}"

    return _PASSWORD.sub(hide, url)


@contextmanager
def opened(options: SqlOptions, root: Path, secrets: Secrets) -> Iterator[tuple[engines.Connection, Any]]:
    """A connection, and a context manager that turns a failing query into a UserError.

    Raises SourceDown ``collect.source-down``; no message holds the url's password or another secret.
    """
    url = resolve_secrets(options.url, secrets.lookup)
    hidden = _hidden(url, [secrets.lookup(name) or "" for name in secret_names(options.url)])

    def clean(error: BaseException) -> str:
        text = str(getattr(error, "orig", None) or error)
        for value in hidden:
            text = text.replace(value, "***")
        return mask_text(_without_values(" ".join(text.split())))[:400]

    def down(error: BaseException) -> SourceDown:
        return SourceDown(
            "collect.source-down",
            _("The database {url} cannot be reached: {why}").format(
                url=without_password(options.url), why=clean(error)
            ),
            next=_("Check that it runs and its url, or say what to use instead (instead: last)."),
        )

    @contextmanager
    def guard(streaming: bool = False) -> Iterator[None]:
        try:
            yield
        except (UserError, engines.TypesVary, Cancelled, GeneratorExit):
            raise
        except Exception as error:
            if streaming and not _is_about_query(error):
                raise down(error) from None
            raise UserError(
                "collect.query-failed",
                _("The database refuses the query: {why}").format(why=clean(error)),
                next=_("Try the query in the database's own client."),
            ) from None

    try:
        manager = engines.connect(url, root)
        connection = manager.__enter__()
        try:
            connection.row("SELECT count(*) FROM sqlite_master" if _dialect(url) == "sqlite" else "SELECT 1")
        except BaseException as error:
            manager.__exit__(type(error), error, error.__traceback__)
            raise
    except (UserError, Cancelled):
        raise
    except Exception as error:
        raise down(error) from None
    try:
        yield connection, guard
    except BaseException as error:
        manager.__exit__(type(error), error, error.__traceback__)
        raise
    manager.__exit__(None, None, None)


def _without_values(text: str) -> str:
    """A database's message without the cell that it quotes: messages are kept in the ledger, cells are not."""
    text = re.sub(r"\bDETAIL:.*", "", text)
    return re.sub(r"((?:syntax for type|value for|out of range)[^:]*): \"[^\"]*\"", r"\1", text)


def _is_about_query(error: Exception) -> bool:
    """Whether a database that answers says that the query is at fault, by its SQLSTATE (SQL standard)."""
    state = getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    if state:
        return not state.startswith(("08", "53", "57", "58"))
    # While rows stream, ADBC gives PostgreSQL's message without its SQLSTATE.
    text = str(error)
    return "PGRES_FATAL_ERROR" in text and "connection" not in text


def _hidden(url: str, values: list[str]) -> list[str]:
    """Texts that must not be shown: the url, its password (as written and decoded) and the secrets; longest first."""
    from urllib.parse import unquote

    found = {url, *values}
    for match in _PASSWORD.finditer(url):
        value = match[2] or match[5]
        found |= {value, unquote(value)}
    return sorted((value for value in found if value), key=len, reverse=True)
