"""What is kept about the owner of an account, to hand over or to erase (RGPD, articles 15, 17 and 20)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, func, or_, select, update

from compagnon.access import audit
from compagnon.access.account import leaving, locked
from compagnon.database.ledger import utc, writing
from compagnon.database.tables import (
    access_events,
    accounts,
    answer_corrections,
    conversations,
    corrections,
    faq_decisions,
    feedback,
    handover_messages,
    handovers,
    jobs,
    notes,
    one_time_links,
    sessions,
    settings,
    turns,
)

_SIGNED = (
    (notes, ("author",)),
    (corrections, ("author",)),
    (feedback, ("author",)),
    (jobs, ("asked_by",)),
    (answer_corrections, ("author",)),
    (handovers, ("taken_by", "closed_by")),
    (handover_messages, ("by",)),
    (faq_decisions, ("by",)),
)
"""Columns where an author is written, always as ``person:ID``."""
_NEVER = {"password", "hash"}


def export_account(engine: Engine, account_id: str, now: datetime, *, actor: str | None = None) -> dict[str, Any]:
    """All that is kept about a person, as JSON values by table; no password hash. Raises UserError."""
    author = f"person:{account_id}"
    with writing(engine) as connection:
        locked(connection, account_id)
        found: dict[str, Any] = {"account": _rows(connection, accounts, ("id",), account_id)[0]}
        for table in (sessions, one_time_links, access_events):
            found[table.name] = _rows(connection, table, ("account_id",), account_id)
        for table, columns in _SIGNED:
            found[table.name] = _rows(connection, table, columns, author)
        found["conversations"] = _rows(connection, conversations, ("owner",), author)
        found["turns"] = [
            row for each in found["conversations"] for row in _rows(connection, turns, ("conversation_id",), each["id"])
        ]
        for each in found["conversations"]:
            found["handovers"] += _rows(connection, handovers, ("conversation_id",), each["id"])
            found["handover_messages"] += _rows(connection, handover_messages, ("conversation_id",), each["id"])
        audit.record(connection, "account-exported", now, account_id, actor=actor)
    return {"exported": now.isoformat(), **found}


def erase_account(engine: Engine, account_id: str, now: datetime, *, actor: str | None = None) -> dict[str, int]:
    """Delete an account, its sessions and links, and take from its traces what leads to it; returns counts by table.

    What the person wrote for the solution (notes, corrections) stays under an id that no longer leads to anybody.
    Raises UserError ``account.unknown``, ``account.last-admin``.
    """
    author = f"person:{account_id}"
    with writing(engine) as connection:
        leaving(connection, account_id)
        done = {
            "access_events": audit.forget(connection, account_id),
            "sessions": connection.execute(delete(sessions).where(sessions.c.account_id == account_id)).rowcount,
            "one_time_links": connection.execute(
                delete(one_time_links).where(one_time_links.c.account_id == account_id)
            ).rowcount,
        }
        own = select(conversations.c.id).where(conversations.c.owner == author)
        said = handover_messages.c.conversation_id.in_(own)
        done["handover_messages"] = connection.execute(delete(handover_messages).where(said)).rowcount
        done["handovers"] = connection.execute(delete(handovers).where(handovers.c.conversation_id.in_(own))).rowcount
        done["turns"] = connection.execute(delete(turns).where(turns.c.conversation_id.in_(own))).rowcount
        done["conversations"] = connection.execute(
            delete(conversations).where(conversations.c.owner == author)
        ).rowcount
        connection.execute(update(settings).where(settings.c.changed_by == author).values(changed_by=None))
        done["accounts"] = connection.execute(delete(accounts).where(accounts.c.id == account_id)).rowcount
        for table, columns in _SIGNED:
            written = select(func.count()).select_from(table).where(_is(table, columns, author))
            done[f"{table.name}_kept"] = connection.execute(written).scalar_one()
        audit.record(connection, "account-erased", now, actor=None if actor == author else actor)
    return done


def _is(table: Table, columns: Sequence[str], value: str) -> ColumnElement[bool]:
    return or_(*(table.c[column] == value for column in columns))


def _rows(connection: Connection, table: Table, columns: Sequence[str], value: str) -> list[dict[str, Any]]:
    query = select(table).where(_is(table, columns, value))
    for key in table.primary_key:
        query = query.order_by(key)
    return [
        {name: _plain(found) for name, found in row.items() if name not in _NEVER}
        for row in connection.execute(query).mappings()
    ]


def _plain(value: Any) -> Any:
    return utc(value).isoformat() if isinstance(value, datetime) else value
