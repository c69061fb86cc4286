"""Traces of access: who signed in, who failed to, who changed an account. No password, no full address; 12 months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, desc, insert, select, update

from compagnon.access.origin import Origin
from compagnon.access.token import is_id
from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import access_events
from compagnon.i18n import N_

KEEP = timedelta(days=365)
"""How long traces are kept (CNIL: 6 to 12 months)."""

KINDS = MappingProxyType(
    {
        "signed-in": N_("signed in"),
        "refused": N_("sign-in refused"),
        "delayed": N_("sign-in delayed: too many attempts"),
        "signed-out": N_("signed out"),
        "sessions-ended": N_("sessions ended"),
        "token-reused": N_("used token presented again: session ended"),
        "password-changed": N_("password changed"),
        "password-refused": N_("current password refused"),
        "link-made": N_("one-time link made"),
        "link-used": N_("one-time link used"),
        "account-created": N_("account created"),
        "account-changed": N_("account changed"),
        "role-changed": N_("role changed"),
        "account-disabled": N_("account disabled"),
        "account-enabled": N_("account enabled"),
        "account-erased": N_("account erased"),
        "account-exported": N_("account data exported"),
        "setting-changed": N_("setting changed"),
    }
)
"""Every kind of trace and what it is called on screen, to be translated."""


@dataclass(frozen=True)
class Event:
    """One trace; ``account`` is whom it concerns, ``actor`` who did it where that was somebody else."""

    id: int
    at: datetime
    kind: str
    account: str | None
    actor: str | None
    detail: str | None
    browser: str | None
    network: str | None


def record(
    connection: Connection,
    kind: str,
    now: datetime,
    account: str | None = None,
    *,
    actor: str | None = None,
    detail: str | None = None,
    origin: Origin | None = None,
) -> None:
    """Add a trace in the caller's transaction, so that a deed and its trace are kept together or not at all."""
    KINDS[kind]
    values: dict[str, Any] = {"at": now, "kind": kind, "account_id": account, "actor": actor}
    values |= {"detail": detail[:200] if detail else None}
    values |= {"browser": origin.browser or None, "network": origin.network or None} if origin else {}
    connection.execute(insert(access_events).values(**values))


def list_events(
    engine: Engine,
    *,
    account: str | None = None,
    before: int | None = None,
    after: int | None = None,
    limit: int = 20,
) -> list[Event]:
    """Traces, the newest first: those that come next below the id ``before``, or right above the id ``after``."""
    order = access_events.c.id if after is not None else desc(access_events.c.id)
    query = select(access_events).order_by(order).limit(limit)
    if after is not None:
        query = query.where(access_events.c.id > after)
    if account is not None:
        if not is_id(account):
            return []
        query = query.where(access_events.c.account_id == account)
    if before is not None:
        query = query.where(access_events.c.id < before)
    with reading(engine) as connection:
        found = [_event(row) for row in connection.execute(query)]
    return found[::-1] if after is not None else found


def purge(engine: Engine, now: datetime) -> int:
    """Delete traces older than 12 months; returns how many."""
    with writing(engine) as connection:
        return connection.execute(delete(access_events).where(access_events.c.at < now - KEEP)).rowcount


def forget(connection: Connection, account: str) -> int:
    """Take from the traces what leads to ``account``: the traces stay, of nobody; returns how many."""
    nobody = {"account_id": None, "detail": None, "browser": None, "network": None}
    mine = update(access_events).where(access_events.c.account_id == account).values(**nobody)
    acted = update(access_events).where(access_events.c.actor == f"person:{account}").values(actor=None)
    return connection.execute(mine).rowcount + connection.execute(acted).rowcount


def _event(row: Row[Any]) -> Event:
    return Event(row.id, utc(row.at), row.kind, row.account_id, row.actor, row.detail, row.browser, row.network)
