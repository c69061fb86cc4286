"""Opening the database: SQLite beside the solution by default, PostgreSQL by one setting; the schema up to date."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from compagnon.chain.plugins import missing_extra
from compagnon.chain.workspace import Workspace, explain_disk
from compagnon.errors import UserError
from compagnon.i18n import _

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 15_000
HEAD = "0007"
"""The newest migration; a test compares it with the folder, so that the usual start need not load Alembic."""


def open_database(workspace: Workspace, url: str | None = None) -> Engine:
    """The engine of the solution's database, created or migrated where needed.

    ``url`` defaults to ``COMPAGNON_DATABASE``, else a SQLite file in the solution. Raises UserError.
    """
    workspace.prepare()
    url = url or os.environ.get("COMPAGNON_DATABASE") or f"sqlite:///{workspace.database_file}"
    if url.startswith(("postgresql://", "postgres://")):
        url = "postgresql+psycopg://" + url.partition("://")[2]
    try:
        engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    except ModuleNotFoundError as error:
        raise missing_extra("postgresql", error.name or "psycopg") from error
    except ArgumentError as error:
        raise UserError(
            "database.bad-url",
            _("COMPAGNON_DATABASE is not the address of a database."),
            next=_("Write it as postgresql://user@host/database, or leave it out for a file beside the solution."),
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin_at_once)
    try:
        with explain_disk(workspace.database_file):
            _migrate(engine)
    except DBAPIError as error:
        raise explain(error) from error
    if engine.dialect.name == "sqlite" and workspace.database_file.exists() and os.name == "posix":
        workspace.database_file.chmod(0o600)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: _begin_at_once does, so that two writers wait instead of failing.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _begin_at_once(connection: Any) -> None:
    immediate = not connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _migrate(engine: Engine) -> None:
    known = _current(engine)
    if known == HEAD:
        return
    if known is not None and known > HEAD:
        raise UserError(
            "database.newer",
            _("The database of this solution was made by a newer version of Compagnon."),
            next=_("Update Compagnon: pip install --upgrade compagnon"),
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        # Another process may have migrated while this one waited for the write lock.
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _current(engine: Engine) -> str | None:
    with engine.connect().execution_options(read_only=True) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar()


def explain(error: DBAPIError) -> UserError:
    """A database failure in words; the statement and its values are left out, as they may hold personal data."""
    reason = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
    if "disk is full" in reason:
        return UserError(
            "disk.full",
            _("No space is left for the database of this solution."),
            next=_("Free some space, then run the same command again: finished work is kept."),
        )
    if "readonly" in reason or "unable to open" in reason:
        return UserError(
            "disk.read-only",
            _("The database of this solution cannot be written: {reason}").format(reason=reason),
            next=_("Give yourself the right to write in this folder, or copy the solution elsewhere."),
        )
    if isinstance(error, OperationalError) and "locked" in reason:
        return UserError(
            "database.busy",
            _("The database of this solution stays busy."),
            next=_("Wait until the other command is done, then try again."),
        )
    return UserError("database.failed", _("The database does not answer: {reason}").format(reason=reason))
