"""How fast passwords may be guessed: each failure makes the next attempt wait longer; nobody is locked out for good.

Three counts, as one alone is either too weak or a way to shut others out: a sign-in name from one address (strict), an
address (a whole class may sit behind one), a sign-in name from anywhere (loose: strangers must not shut its owner out).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select, update

from compagnon.access.origin import Origin
from compagnon.database.ledger import utc, writing
from compagnon.database.tables import throttles
from compagnon.database.upsert import insert_missing
from compagnon.errors import UserError
from compagnon.i18n import _, format_duration

FORGET = timedelta(days=1)
"""A count starts again after this long without an attempt."""


@dataclass(frozen=True)
class Pace:
    """``free`` failures cost nothing, then the wait doubles from one second up to ``most``."""

    free: int
    most: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long the next attempt must wait after ``failures`` failures."""
        over = failures - self.free
        return timedelta(0) if over <= 0 else min(timedelta(seconds=2 ** min(over - 1, 30)), self.most)


PAIR = Pace(free=4, most=timedelta(minutes=15))
ADDRESS = Pace(free=100, most=timedelta(minutes=5))
NAME = Pace(free=20, most=timedelta(minutes=1))


@dataclass(frozen=True)
class Subject:
    """What is counted, under a keyed hash; ``personal`` counts end with a success, those of an address do not."""

    name: str
    pace: Pace
    personal: bool


class TooSoon(UserError):
    """Too many attempts failed; ``wait`` says how long until the next may be made."""

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        super().__init__(
            "sign-in.too-soon",
            _("Too many attempts have failed."),
            next=_("Try again in {wait}.").format(wait=format_duration(max(1, round(wait.total_seconds())))),
        )


def subjects(key: bytes, sign_in: str, origin: Origin) -> tuple[Subject, ...]:
    """What an attempt counts against; ``key`` is ``secrets.own("throttle_key")``, ``sign_in`` is normalized."""
    pair = Subject(_hash(key, "pair", sign_in, origin.source), PAIR, True)
    name = Subject(_hash(key, "name", sign_in), NAME, True)
    address = Subject(_hash(key, "address", origin.source), ADDRESS, False)
    return (pair, name, address)


def attempt(engine: Engine, who: tuple[Subject, ...], now: datetime) -> None:
    """Count an attempt as failed before it is made, so that many at once gain nothing. Raises TooSoon."""
    paces = {subject.name: subject.pace for subject in who}
    with writing(engine) as connection:
        for name in sorted(paces):
            insert_missing(connection, throttles, subject=name, failures=0, last=now, until=now)
        rows = _locked(connection, who)
        # A wait longer than the longest there is comes from a clock that was set back: it must not lock anybody out.
        waits = [utc(row.until) - now for row in rows if utc(row.until) - now <= paces[row.subject].most]
        wait = max(waits, default=timedelta(0))
        if wait <= timedelta(0):
            for row in rows:
                failures = 1 if now - utc(row.last) >= FORGET else row.failures + 1
                values = {"failures": failures, "last": now, "until": now + paces[row.subject].wait(failures)}
                connection.execute(update(throttles).where(throttles.c.subject == row.subject).values(**values))
    if wait > timedelta(0):
        raise TooSoon(wait)


def succeed(connection: Connection, who: tuple[Subject, ...], now: datetime) -> None:
    """Take back what ``attempt`` counted, as the attempt was right; in the caller's transaction."""
    personal = {subject.name for subject in who if subject.personal}
    for row in _locked(connection, who):
        mine = throttles.c.subject == row.subject
        if row.subject in personal:
            connection.execute(delete(throttles).where(mine))
        else:
            # Others' failures from there stay counted, or an account of one's own would be a way to go on guessing.
            values = {"failures": max(0, row.failures - 1), "until": now}
            connection.execute(update(throttles).where(mine).values(**values))


def _locked(connection: Connection, who: tuple[Subject, ...]) -> Sequence[Row[Any]]:
    """The counts of ``who``, always in one order: two attempts wait for each other and never block each other."""
    chosen = throttles.c.subject.in_([subject.name for subject in who])
    return connection.execute(select(throttles).where(chosen).order_by(throttles.c.subject).with_for_update()).all()


def purge(engine: Engine, now: datetime) -> int:
    """Delete counts that have come to their end; returns how many."""
    with writing(engine) as connection:
        return connection.execute(delete(throttles).where(throttles.c.last <= now - FORGET)).rowcount


def _hash(key: bytes, *parts: str) -> str:
    return hmac.digest(key, "\x00".join(parts).encode("utf-8", "surrogatepass"), hashlib.sha256).hex()
