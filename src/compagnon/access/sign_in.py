"""Signing in and changing one's password: throttled, traced, and the same effort whether the account exists or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select, update

from compagnon.access import audit, throttle
from compagnon.access.account import Account, account_of, drop_links, get_account
from compagnon.access.cookies import Tokens
from compagnon.access.identity import Identity
from compagnon.access.name import normalize_sign_in
from compagnon.access.origin import Origin
from compagnon.access.password import check_password, hash_password, verify_password
from compagnon.access.session import end_all_within, start_session
from compagnon.database.ledger import reading, writing
from compagnon.database.tables import accounts
from compagnon.errors import UserError
from compagnon.i18n import _


@dataclass(frozen=True)
class SignedIn:
    """A session that has just begun; ``tokens`` go into cookies."""

    account: Account
    session: str
    tokens: Tokens

    @property
    def identity(self) -> Identity:
        return self.account.identity


def sign_in(
    engine: Engine, key: bytes, name: str, password: str, *, origin: Origin, remember: bool = False, now: datetime
) -> SignedIn:
    """Begin a session; ``key`` is ``secrets.own("throttle_key")``.

    Raises UserError ``sign-in.refused``, the same for a wrong password, an unknown name, an invited or a disabled
    account; TooSoon (``sign-in.too-soon``) where attempts must wait.
    """
    normalized = normalize_sign_in(name)
    with reading(engine) as connection:
        row = connection.execute(select(accounts).where(accounts.c.sign_in == normalized)).first()
    account = account_of(row) if row else None
    who = throttle.subjects(key, normalized, origin)
    _attempt(engine, who, account.id if account else None, origin, now)
    verdict = verify_password(password, row.password if row else None)
    with writing(engine) as connection:
        # Read again and held: the account may have been disabled, or its password changed, in the meantime.
        held = select(accounts).where(accounts.c.sign_in == normalized).with_for_update()
        fresh = connection.execute(held).first() if verdict.right else None
        if row and fresh and fresh.id == row.id and fresh.password == row.password and fresh.disabled is None:
            throttle.succeed(connection, who, now)
            if verdict.rehashed:
                mine = accounts.c.id == fresh.id
                connection.execute(update(accounts).where(mine).values(password=verdict.rehashed))
            session_id, tokens = start_session(connection, fresh.id, origin=origin, remember=remember, now=now)
            audit.record(connection, "signed-in", now, fresh.id, origin=origin)
            return SignedIn(account_of(fresh), session_id, tokens)
        # The name typed is not kept: people type passwords there.
        audit.record(connection, "refused", now, account.id if account else None, origin=origin)
    raise UserError(
        "sign-in.refused",
        _("This name and this password do not go together."),
        next=_("Check both, or ask an administrator for a link to set a new password."),
    )


def change_password(
    engine: Engine,
    key: bytes,
    account_id: str,
    current: str,
    new: str,
    *,
    keep: str | None,
    origin: Origin,
    now: datetime,
) -> Account:
    """Set another password; every session but ``keep`` ends. Raises UserError.

    Guessing the current password from a session left open is throttled as signing in is.
    """
    account = get_account(engine, account_id)
    with reading(engine) as connection:
        kept = connection.execute(select(accounts.c.password).where(accounts.c.id == account_id)).scalar()
    checked = check_password(new, account.about)
    who = throttle.subjects(key, f"change:{account_id}", origin)
    _attempt(engine, who, account_id, origin, now)
    right = verify_password(current, kept).right
    made = hash_password(checked) if right else None
    with writing(engine) as connection:
        if made:
            unchanged = (accounts.c.id == account_id) & (accounts.c.password == kept)
            change = update(accounts).where(unchanged).values(password=made, password_changed=now)
            row = connection.execute(change.returning(*accounts.c)).first()
            if row is not None:
                throttle.succeed(connection, who, now)
                end_all_within(connection, account_id, but=keep)
                drop_links(connection, account_id)
                audit.record(connection, "password-changed", now, account_id, origin=origin)
                return account_of(row)
        audit.record(connection, "password-refused", now, account_id, origin=origin)
    raise UserError(
        "password.wrong",
        _("The current password is not right."),
        next=_("Type it again, or ask an administrator for a link to set a new one."),
    )


def _attempt(
    engine: Engine, who: tuple[throttle.Subject, ...], account_id: str | None, origin: Origin, now: datetime
) -> None:
    try:
        throttle.attempt(engine, who, now)
    except throttle.TooSoon:
        with writing(engine) as connection:
            audit.record(connection, "delayed", now, account_id, origin=origin)
        raise
