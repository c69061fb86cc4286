"""Browser sessions: a short access token, and a refresh token that changes at each renewal.

A refresh token is good once. When a used one comes back, somebody has a copy: the whole session ends. Tabs that renew
at the same moment present the same token twice within ``GRACE``; each then gets a token of the same generation, of
which again only one can go on. Source: RFC 9700, 4.14.2; OWASP ASVS 5, 7.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, delete, desc, insert, or_, select, update

from compagnon.access import audit
from compagnon.access.cookies import Cookie, CookieStyle, Tokens
from compagnon.access.identity import Identity
from compagnon.access.origin import Origin
from compagnon.access.role import rights_of
from compagnon.access.token import digest_of, is_id, new_id, new_token
from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import accounts, session_tokens, sessions
from compagnon.errors import UserError


@dataclass(frozen=True)
class Lifetime:
    """How long a session lasts: its tokens, without being used, and in any case."""

    access: timedelta
    refresh: timedelta
    idle: timedelta
    whole: timedelta


REMEMBERED = Lifetime(timedelta(minutes=15), timedelta(days=30), timedelta(days=30), timedelta(days=90))
"""For somebody's own machine, when they ask for it."""
UNTIL_CLOSED = Lifetime(timedelta(minutes=15), timedelta(hours=12), timedelta(hours=2), timedelta(hours=12))
"""Otherwise: a shared machine at school; the cookies end with the browser, the session with the day."""

GRACE = timedelta(seconds=30)
"""How long a used refresh token may come again: two tabs, or an answer lost on the way."""
SEEN_EVERY = timedelta(minutes=1)
MOST_SESSIONS = 20
"""Sessions of one account; a new one beyond that ends the one unseen for longest."""


@dataclass(frozen=True)
class Session:
    """A session as its owner may see it."""

    id: str
    created: datetime
    seen: datetime
    until: datetime
    remembered: bool
    browser: str
    network: str


@dataclass(frozen=True)
class Visit:
    """Who a request comes from, with the cookies to set in its answer.

    ``ended`` says why a request that had tokens is nobody's: ``over`` (expired, signed out, unknown) or ``reused``.
    """

    identity: Identity | None
    session: str | None = None
    cookies: tuple[Cookie, ...] = ()
    ended: Literal["over", "reused"] | None = None


def lifetime(remembered: bool) -> Lifetime:
    return REMEMBERED if remembered else UNTIL_CLOSED


def start_session(
    connection: Connection, account_id: str, *, origin: Origin, remember: bool, now: datetime
) -> tuple[str, Tokens]:
    """Begin a session, always with new tokens; returns its id and them. In the caller's transaction."""
    session_id, life = new_id(), lifetime(remember)
    values = {
        "id": session_id,
        "account_id": account_id,
        "created": now,
        "seen": now,
        "until": now + life.idle,
        "ends": now + life.whole,
        "remembered": remember,
        "generation": 0,
        "renewed": now,
        "browser": origin.browser,
        "network": origin.network,
    }
    _make_room(connection, account_id)
    row = connection.execute(insert(sessions).values(**values).returning(*sessions.c)).one()
    return session_id, _issue(connection, row, 0, now)


def authenticate(
    engine: Engine, style: CookieStyle, cookies: Mapping[str, str], now: datetime, origin: Origin | None = None
) -> Visit:
    """Whose request this is, by its cookies; renews the session where its access token has ended.

    The cookies of the answer must be set whatever the answer is. ``origin`` is only for the trace of a reused token.
    """
    access, refresh = style.read(cookies)
    if not access and not refresh:
        return Visit(None)
    if found := _by_access(engine, access, now):
        return found
    hash_ = digest_of(refresh)
    if not hash_:
        return Visit(None, cookies=style.clear(), ended="over")
    with writing(engine) as connection:
        row = _held(connection, hash_)
        if row is None or not _is_on(row, now):
            return Visit(None, cookies=style.clear(), ended="over")
        generation = _next_generation(row, now)
        if generation is None:
            connection.execute(delete(sessions).where(sessions.c.id == row.id))
            audit.record(connection, "token-reused", now, row.account_id, origin=origin)
            return Visit(None, cookies=style.clear(), ended="reused")
        tokens = _renew(connection, row, generation, now)
    return Visit(_identity(row), row.id, style.write(tokens, now))


def list_sessions(engine: Engine, account_id: str, now: datetime) -> list[Session]:
    """Sessions that are on, the last seen first."""
    query = select(sessions).where(sessions.c.account_id == account_id, sessions.c.until > now, sessions.c.ends > now)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(desc(sessions.c.seen), sessions.c.id)).all()
    return [Session(r.id, utc(r.created), utc(r.seen), utc(r.until), r.remembered, r.browser, r.network) for r in rows]


def end_session(engine: Engine, account_id: str, session_id: str, now: datetime, origin: Origin | None = None) -> bool:
    """End one session of this account; False where it has none of that id, whoever else has one."""
    if not is_id(session_id):
        return False
    mine = (sessions.c.id == session_id) & (sessions.c.account_id == account_id)
    with writing(engine) as connection:
        ended = connection.execute(delete(sessions).where(mine)).rowcount > 0
        if ended:
            audit.record(connection, "signed-out", now, account_id, origin=origin)
    return ended


def end_all_sessions(
    engine: Engine, account_id: str, now: datetime, *, but: str | None = None, actor: str | None = None
) -> int:
    """Sign out everywhere, ``but`` for one session where given; returns how many ended."""
    with writing(engine) as connection:
        ended = end_all_within(connection, account_id, but=but)
        audit.record(connection, "sessions-ended", now, account_id, actor=actor, detail=str(ended))
    return ended


def end_all_within(connection: Connection, account_id: str, *, but: str | None = None) -> int:
    """As ``end_all_sessions``, in the caller's transaction and without a trace."""
    gone = delete(sessions).where(sessions.c.account_id == account_id)
    return connection.execute(gone if but is None else gone.where(sessions.c.id != but)).rowcount


def purge(engine: Engine, now: datetime) -> int:
    """Delete sessions that are over and tokens that have ended; returns how many sessions."""
    with writing(engine) as connection:
        over = or_(sessions.c.until <= now, sessions.c.ends <= now)
        gone = connection.execute(delete(sessions).where(over)).rowcount
        connection.execute(delete(session_tokens).where(session_tokens.c.expires <= now))
    return gone


_JOINED = (
    select(
        sessions,
        session_tokens.c.generation.label("token_generation"),
        session_tokens.c.expires.label("token_expires"),
        accounts.c.name,
        accounts.c.role,
        accounts.c.language,
        accounts.c.disabled,
    )
    .join(session_tokens, session_tokens.c.session_id == sessions.c.id)
    .join(accounts, accounts.c.id == sessions.c.account_id)
)


def _by_access(engine: Engine, access: str, now: datetime) -> Visit | None:
    hash_ = digest_of(access)
    if not hash_:
        return None
    query = _JOINED.where(session_tokens.c.hash == hash_, session_tokens.c.kind == "access")
    with reading(engine) as connection:
        row = connection.execute(query).first()
    if row is None or not _is_on(row, now):
        return None
    if now - utc(row.seen) >= SEEN_EVERY:
        # A page can still be read when nothing can be written (a full disk).
        with contextlib.suppress(UserError), writing(engine) as connection:
            connection.execute(update(sessions).where(sessions.c.id == row.id).values(**_seen(row, now)))
    return Visit(_identity(row), row.id)


def _held(connection: Connection, hash_: str) -> Row[Any] | None:
    """The session of a refresh token, held so that two renewals at one moment follow one another."""
    query = select(session_tokens.c.session_id)
    query = query.where(session_tokens.c.hash == hash_, session_tokens.c.kind == "refresh")
    session_id = connection.execute(query).scalar()
    if session_id is None:
        return None
    # Held first, read after: PostgreSQL would otherwise join what was there before the other renewal.
    connection.execute(select(sessions.c.id).where(sessions.c.id == session_id).with_for_update())
    return connection.execute(_JOINED.where(session_tokens.c.hash == hash_)).first()


def _is_on(row: Row[Any], now: datetime) -> bool:
    return row.disabled is None and now < min(utc(row.until), utc(row.ends), utc(row.token_expires))


def _next_generation(row: Row[Any], now: datetime) -> int | None:
    """The generation of the tokens to issue; None when the token has been used before and not just now."""
    if row.token_generation == row.generation:
        return int(row.generation) + 1
    just_now = abs(now - utc(row.renewed)) <= GRACE
    return int(row.generation) if row.token_generation == row.generation - 1 and just_now else None


def _renew(connection: Connection, row: Row[Any], generation: int, now: datetime) -> Tokens:
    values = _seen(row, now)
    if generation != row.generation:
        values |= {"generation": generation, "renewed": now}
    connection.execute(update(sessions).where(sessions.c.id == row.id).values(**values))
    over = (session_tokens.c.session_id == row.id) & (session_tokens.c.expires <= now)
    connection.execute(delete(session_tokens).where(over))
    return _issue(connection, row, generation, now)


def _issue(connection: Connection, row: Row[Any], generation: int, now: datetime) -> Tokens:
    life, ends = lifetime(row.remembered), utc(row.ends)
    tokens = Tokens(new_token(), new_token(), min(now + life.refresh, ends), row.remembered)
    for kind, token, expires in (
        ("access", tokens.access, min(now + life.access, ends)),
        ("refresh", tokens.refresh, tokens.expires),
    ):
        values = {"hash": digest_of(token), "session_id": row.id, "kind": kind, "generation": generation}
        connection.execute(insert(session_tokens).values(**values, expires=expires))
    return tokens


def _seen(row: Row[Any], now: datetime) -> dict[str, Any]:
    until = min(now + lifetime(row.remembered).idle, utc(row.ends))
    return {"seen": max(now, utc(row.seen)), "until": max(until, utc(row.until))}


def _make_room(connection: Connection, account_id: str) -> None:
    query = select(sessions.c.id).where(sessions.c.account_id == account_id)
    kept = query.order_by(desc(sessions.c.seen), sessions.c.id)
    beyond = list(connection.execute(kept.offset(MOST_SESSIONS - 1)).scalars())
    if beyond:
        connection.execute(delete(sessions).where(sessions.c.id.in_(beyond)))


def _identity(row: Row[Any]) -> Identity:
    return Identity("person", row.account_id, row.name, row.role, rights_of(row.role), row.language)
