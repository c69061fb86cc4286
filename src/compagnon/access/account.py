"""Accounts: who may sign in, with which role. There is always somebody left who can administer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from compagnon.access import audit
from compagnon.access.identity import Identity
from compagnon.access.name import check_language, check_name, check_sign_in, normalize_sign_in
from compagnon.access.role import check_role, rights_of
from compagnon.access.session import end_all_within
from compagnon.access.token import is_id, new_id
from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import accounts, one_time_links
from compagnon.errors import UserError
from compagnon.i18n import _

State = Literal["active", "invited", "disabled"]


@dataclass(frozen=True)
class Account:
    """An account without its password; ``sign_in`` is normalized."""

    id: str
    sign_in: str = field(repr=False)
    name: str = field(repr=False)
    role: str
    language: str | None
    created: datetime
    password_changed: datetime | None
    disabled: datetime | None

    @property
    def state(self) -> State:
        if self.disabled is not None:
            return "disabled"
        return "active" if self.password_changed is not None else "invited"

    @property
    def about(self) -> tuple[str, ...]:
        """Words on this person that make no good password."""
        return (self.sign_in, self.name, *self.name.split())

    @property
    def identity(self) -> Identity:
        return Identity("person", self.id, self.name, self.role, rights_of(self.role), self.language)


def create_account(
    engine: Engine,
    sign_in: str,
    name: str,
    role: str,
    *,
    language: str | None = None,
    password_hash: str | None = None,
    actor: str | None = None,
    now: datetime,
) -> Account:
    """Add an account; without ``password_hash`` it waits for its invitation to be taken up. Raises UserError."""
    with explain_taken(), writing(engine) as connection:
        return create_within(
            connection, sign_in, name, role, language=language, password_hash=password_hash, actor=actor, now=now
        )


def create_within(
    connection: Connection,
    sign_in: str,
    name: str,
    role: str,
    *,
    language: str | None,
    password_hash: str | None,
    actor: str | None,
    now: datetime,
) -> Account:
    """As ``create_account`` in the caller's transaction."""
    values = {
        "id": new_id(),
        "sign_in": check_sign_in(sign_in),
        "name": check_name(name),
        "role": check_role(role),
        "language": check_language(language),
        "password": password_hash,
        "created": now,
        "password_changed": now if password_hash else None,
    }
    row = connection.execute(insert(accounts).values(**values).returning(*accounts.c)).one()
    audit.record(connection, "account-created", now, row.id, actor=actor, detail=role)
    return account_of(row)


class explain_taken:  # noqa: N801  used as a function
    """Turns a sign-in name that somebody has already into a message."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, IntegrityError):
            raise UserError(
                "account.exists",
                _("There is already an account with this sign-in name."),
                next=_("Take another name, or find that account in the list."),
            ) from error


def list_accounts(
    engine: Engine, *, role: str | None = None, after: str = "", before: str = "", limit: int | None = None
) -> list[Account]:
    """Accounts by sign-in name: the first of those after ``after``, or the last of those before ``before``."""
    name = accounts.c.sign_in
    query = select(accounts).where(name > normalize_sign_in(after)).limit(limit)
    query = query.where(name < normalize_sign_in(before)).order_by(name.desc()) if before else query.order_by(name)
    if role is not None:
        query = query.where(accounts.c.role == check_role(role))
    with reading(engine) as connection:
        found = [account_of(row) for row in connection.execute(query)]
    return found[::-1] if before else found


def count_accounts(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(accounts)).scalar_one())


def get_account(engine: Engine, account_id: str) -> Account:
    """The account with this id; raises UserError ``account.unknown``."""
    query = select(accounts).where(accounts.c.id == account_id)
    with reading(engine) as connection:
        return _known(connection.execute(query).first() if is_id(account_id) else None)


def find_account(engine: Engine, sign_in: str) -> Account | None:
    """The account with this sign-in name or e-mail, however it is written."""
    with reading(engine) as connection:
        row = connection.execute(select(accounts).where(accounts.c.sign_in == normalize_sign_in(sign_in))).first()
    return account_of(row) if row else None


def change_role(engine: Engine, account_id: str, role: str, *, actor: str | None, now: datetime) -> Account:
    """Give another role, in force at the next request. Raises UserError, ``account.last-admin`` among others."""
    check_role(role)
    with writing(engine) as connection:
        before = locked(connection, account_id) if role == "admin" else leaving(connection, account_id)
        if before.role == role:
            return before
        detail = f"{before.role} → {role}"
        audit.record(connection, "role-changed", now, account_id, actor=actor, detail=detail)
        return _change(connection, account_id, role=role)


def disable_account(engine: Engine, account_id: str, *, actor: str | None, now: datetime) -> Account:
    """Shut out at once, sessions and one-time links included. Raises UserError ``account.last-admin``."""
    with writing(engine) as connection:
        before = leaving(connection, account_id)
        if before.disabled is not None:
            return before
        end_all_within(connection, account_id)
        drop_links(connection, account_id)
        audit.record(connection, "account-disabled", now, account_id, actor=actor)
        return _change(connection, account_id, disabled=now)


def enable_account(engine: Engine, account_id: str, *, actor: str | None, now: datetime) -> Account:
    """Let in again, with the password there was."""
    with writing(engine) as connection:
        before = locked(connection, account_id)
        if before.disabled is None:
            return before
        audit.record(connection, "account-enabled", now, account_id, actor=actor)
        return _change(connection, account_id, disabled=None)


def change_details(
    engine: Engine,
    account_id: str,
    *,
    sign_in: str | None = None,
    name: str | None = None,
    language: str | None = None,
    actor: str | None = None,
    now: datetime,
) -> Account:
    """Change what is given: sign-in name, name shown, language (empty text: the browser's). Raises UserError."""
    values: dict[str, Any] = {}
    if sign_in is not None:
        values["sign_in"] = check_sign_in(sign_in)
    if name is not None:
        values["name"] = check_name(name)
    if language is not None:
        values["language"] = check_language(language or None)
    with explain_taken(), writing(engine) as connection:
        before = locked(connection, account_id)
        if not values:
            return before
        audit.record(connection, "account-changed", now, account_id, actor=actor, detail=", ".join(sorted(values)))
        return _change(connection, account_id, **values)


def display_names(engine: Engine, authors: Iterable[str]) -> dict[str, str]:
    """Names to show for authors as they are kept (``person:ID``); those no longer known are left out."""
    ids = {author.removeprefix("person:"): author for author in authors if author.startswith("person:")}
    query = select(accounts.c.id, accounts.c.name).where(accounts.c.id.in_(ids))
    with reading(engine) as connection:
        return {ids[row.id]: row.name for row in connection.execute(query)}


def author_names(engine: Engine, authors: Iterable[str]) -> dict[str, str]:
    """A name to show for every author as it is kept, in the language in use."""
    wanted = set(authors)
    names = {author: author for author in wanted if not author.startswith("person:")}
    names |= {author: _("a former account") for author in wanted if author.startswith("person:")}
    names |= {"person:local": _("this machine"), "anonymous": _("without an account")}
    return names | display_names(engine, wanted)


def locked(connection: Connection, account_id: str) -> Account:
    """The account, held until the transaction ends; raises UserError ``account.unknown``."""
    query = select(accounts).where(accounts.c.id == account_id).with_for_update()
    return _known(connection.execute(query).first() if is_id(account_id) else None)


def leaving(connection: Connection, account_id: str) -> Account:
    """As ``locked``, for an account that will administer no more. Raises UserError ``account.last-admin``.

    All administrators who can sign in are held first, so that two who remove each other at one moment cannot both
    succeed, nor wait for each other for ever.
    """
    able = (accounts.c.role == "admin") & accounts.c.disabled.is_(None) & accounts.c.password.is_not(None)
    query = select(accounts.c.id).where(able).order_by(accounts.c.id).with_for_update()
    admins = set(connection.execute(query).scalars())
    account = locked(connection, account_id)
    if admins == {account_id}:
        raise UserError(
            "account.last-admin",
            _("This is the last account that can administer the application."),
            next=_("Give the role of administrator to somebody else first."),
        )
    return account


def drop_links(connection: Connection, account_id: str) -> None:
    """End the one-time links of an account."""
    connection.execute(one_time_links.delete().where(one_time_links.c.account_id == account_id))


def account_of(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        sign_in=row.sign_in,
        name=row.name,
        role=row.role,
        language=row.language,
        created=utc(row.created),
        password_changed=utc(row.password_changed) if row.password_changed else None,
        disabled=utc(row.disabled) if row.disabled else None,
    )


def _change(connection: Connection, account_id: str, **values: Any) -> Account:
    change = update(accounts).where(accounts.c.id == account_id).values(**values).returning(*accounts.c)
    return account_of(connection.execute(change).one())


def _known(row: Row[Any] | None) -> Account:
    if row is None:
        raise UserError(
            "account.unknown",
            _("There is no such account."),
            next=_("It may have been removed: look at the list of accounts."),
        )
    return account_of(row)
