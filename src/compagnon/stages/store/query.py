"""Questions to the published tables, in SQL: read only, shut off from files and network, bounded in time and memory."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from compagnon.chain.workspace import Workspace
from compagnon.errors import UserError
from compagnon.i18n import _, format_number
from compagnon.stages.store import pointer

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

ALLOWED = ("SELECT", "EXPLAIN")
"""Kinds of statements as DuckDB names them: WITH, FROM, VALUES, DESCRIBE, SHOW and SUMMARIZE are kinds of SELECT."""


def query(
    workspace: Workspace, sql: str, limit: int | None = 1000, *, seconds: float = 30.0, memory: str = "1GB"
) -> pa.Table:
    """What one question gives, at most ``limit`` rows (None: all).

    Raises UserError: ``store.not-published``, ``query.not-a-question`` (it would change something, or it is several
    statements), ``query.wrong`` (DuckDB's reason), ``query.too-long``, ``query.too-large``.
    """
    import duckdb

    with open_published(pointer.published(workspace), memory=memory) as connection:
        statement = _statement(sql, connection)
        timer = threading.Timer(seconds, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            relation = connection.sql(statement)
            if relation is None:
                raise _not_a_question()
            return (relation if limit is None else relation.limit(limit)).to_arrow_table()
        except duckdb.InterruptException as error:
            raise UserError(
                "query.too-long",
                _("The question took longer than {seconds} s.").format(seconds=format_number(seconds)),
                next=_("Ask for fewer rows, or give it more time."),
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise UserError(
                "query.too-large",
                _("The question needs more than {memory} of memory.").format(memory=memory),
                next=_("Ask for fewer rows or columns."),
            ) from error
        except duckdb.Error as error:
            raise UserError("query.wrong", str(error).strip()) from error
        finally:
            timer.cancel()


def open_published(path: Path, *, memory: str = "1GB", threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """The published file, read only; the connection reaches nothing else and its settings are locked."""
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory,
        "python_enable_replacements": False,
        "temp_directory": "",
        "autoinstall_known_extensions": False,
    }
    if threads is not None:
        settings["threads"] = threads
    connection = duckdb.connect(str(path), read_only=True, config=settings)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _statement(sql: str, connection: duckdb.DuckDBPyConnection) -> str:
    import duckdb

    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise UserError("query.wrong", str(error).strip()) from error
    if len(statements) != 1 or statements[0].type.name not in ALLOWED:
        raise _not_a_question()
    return str(statements[0].query)


def _not_a_question() -> UserError:
    return UserError(
        "query.not-a-question",
        _("One question is expected: SELECT, WITH, FROM, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN."),
        next=_("The published tables are read only; change them by the rules of solution.yaml."),
    )
