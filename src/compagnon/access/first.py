"""The first start: while there is no account, a link printed on the terminal creates the administrator.

No password is there by default: whoever sees the terminal is who may administer.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, delete, func, select

from compagnon.access import audit
from compagnon.access.account import Account, create_within, explain_taken
from compagnon.access.link import add_link, read_link, take_link
from compagnon.access.name import check_language, check_name, check_sign_in
from compagnon.access.origin import Origin
from compagnon.access.password import check_password, hash_password
from compagnon.database.ledger import writing
from compagnon.database.tables import accounts, one_time_links
from compagnon.errors import UserError
from compagnon.i18n import _


def first_link(engine: Engine, now: datetime) -> str | None:
    """A new token that creates the administrator, good for an hour; None once there is an account.

    Asked at each start: the token of the start before ends.
    """
    with writing(engine) as connection:
        connection.execute(delete(one_time_links).where(one_time_links.c.purpose == "first"))
        if connection.execute(select(func.count()).select_from(accounts)).scalar_one():
            return None
        token = add_link(connection, "first", None, now)
        audit.record(connection, "link-made", now, detail="first")
    return token


def create_first_admin(
    engine: Engine,
    token: str,
    sign_in: str,
    name: str,
    password: str,
    *,
    language: str | None = None,
    now: datetime,
    origin: Origin | None = None,
) -> Account:
    """Create the administrator; a mistake in what is given does not use the link up. Raises UserError."""
    if read_link(engine, token, now).purpose != "first":
        raise _not_first()
    check_language(language)
    about = (check_sign_in(sign_in), check_name(name), *name.split())
    kept = hash_password(check_password(password, about))
    with explain_taken(), writing(engine) as connection:
        taken = take_link(connection, token, now)
        if taken.purpose != "first" or connection.execute(select(func.count()).select_from(accounts)).scalar_one():
            raise _not_first()
        account = create_within(
            connection, sign_in, name, "admin", language=language, password_hash=kept, actor=None, now=now
        )
        audit.record(connection, "link-used", now, account.id, detail="first", origin=origin)
    return account


def _not_first() -> UserError:
    return UserError(
        "first.done",
        _("There is already an administrator."),
        next=_("Sign in, or ask the administrator for an invitation."),
    )
