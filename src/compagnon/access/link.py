"""One-time links: to take up an invitation, to set a new password. Kept as a digest, used once, over in time.

Showing the page behind a link must not use it up (mail programs look at links): ``read_link`` looks, ``use_link`` uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from compagnon.access import audit
from compagnon.access.account import Account, account_of, create_within, drop_links, explain_taken, locked
from compagnon.access.origin import Origin
from compagnon.access.password import check_password, hash_password
from compagnon.access.session import end_all_within
from compagnon.access.token import digest_of, new_token
from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import accounts, one_time_links
from compagnon.errors import UserError
from compagnon.i18n import _

Purpose = Literal["first", "invitation", "reset"]
LASTS = MappingProxyType(
    {"first": timedelta(hours=1), "invitation": timedelta(days=7), "reset": timedelta(days=1)},
)
"""How long a link may wait."""


@dataclass(frozen=True)
class Link:
    """What a link that is still good is for; ``account`` is None for the first administrator."""

    purpose: Purpose
    account: Account | None
    expires: datetime


def invite(
    engine: Engine, sign_in: str, name: str, role: str, *, language: str | None = None, actor: str | None, now: datetime
) -> tuple[Account, str]:
    """Add an account without a password; returns it and the token of the link by which its owner sets one."""
    with explain_taken(), writing(engine) as connection:
        account = create_within(
            connection, sign_in, name, role, language=language, password_hash=None, actor=actor, now=now
        )
        token = add_link(connection, "invitation", account.id, now)
        audit.record(connection, "link-made", now, account.id, actor=actor, detail="invitation")
    return account, token


def make_link(engine: Engine, account_id: str, *, actor: str | None, now: datetime) -> str:
    """The token of a new link for this account; it replaces the one before. The password stays until it is used.

    An invitation where there is no password yet, else a reset. Raises UserError ``account.unknown``, ``link.disabled``.
    """
    with writing(engine) as connection:
        account = locked(connection, account_id)
        if account.disabled is not None:
            raise UserError(
                "link.disabled", _("This account is disabled."), next=_("Enable it first, then make the link.")
            )
        purpose: Purpose = "invitation" if account.state == "invited" else "reset"
        drop_links(connection, account_id)
        token = add_link(connection, purpose, account_id, now)
        audit.record(connection, "link-made", now, account_id, actor=actor, detail=purpose)
    return token


def read_link(engine: Engine, token: str, now: datetime) -> Link:
    """What the link is for, without using it; raises UserError ``link.over``."""
    query = select(one_time_links.c.purpose, one_time_links.c.expires.label("link_expires"), accounts)
    query = query.join(accounts, accounts.c.id == one_time_links.c.account_id, isouter=True)
    with reading(engine) as connection:
        row = connection.execute(query.where(one_time_links.c.hash == digest_of(token))).first()
    if row is None or utc(row.link_expires) <= now:
        raise _over()
    return Link(row.purpose, account_of(row) if row.id else None, utc(row.link_expires))


def use_link(engine: Engine, token: str, password: str, now: datetime, origin: Origin | None = None) -> Account:
    """Set the password of the link's account, sign it out everywhere, end its links. Raises UserError.

    A password that is refused does not use the link up.
    """
    link = read_link(engine, token, now)
    if link.account is None:
        raise _over()
    kept = hash_password(check_password(password, link.account.about))
    with writing(engine) as connection:
        row = take_link(connection, token, now)
        if locked(connection, row.account_id).disabled is not None:
            raise _over()
        change = update(accounts).where(accounts.c.id == row.account_id).values(password=kept, password_changed=now)
        account = account_of(connection.execute(change.returning(*accounts.c)).one())
        end_all_within(connection, account.id)
        drop_links(connection, account.id)
        audit.record(connection, "link-used", now, account.id, detail=row.purpose, origin=origin)
    return account


def add_link(connection: Connection, purpose: Purpose, account_id: str | None, now: datetime) -> str:
    """Keep the digest of a new token; returns the token, in the caller's transaction."""
    token = new_token()
    values = {"hash": digest_of(token), "purpose": purpose, "account_id": account_id, "created": now}
    connection.execute(insert(one_time_links).values(**values, expires=now + LASTS[purpose]))
    return token


def take_link(connection: Connection, token: str, now: datetime) -> Row[Any]:
    """Use a link up, once whoever else tries at the same moment; raises UserError ``link.over``."""
    gone = delete(one_time_links).where(one_time_links.c.hash == digest_of(token)).returning(*one_time_links.c)
    row = connection.execute(gone).first()
    if row is None or utc(row.expires) <= now:
        raise _over()
    return row


def purge(engine: Engine, now: datetime) -> int:
    """Delete links that are over; returns how many."""
    with writing(engine) as connection:
        return connection.execute(delete(one_time_links).where(one_time_links.c.expires <= now)).rowcount


def _over() -> UserError:
    return UserError(
        "link.over",
        _("This link has been used, has ended, or is not one of ours."),
        next=_("Ask an administrator for a new one."),
    )
