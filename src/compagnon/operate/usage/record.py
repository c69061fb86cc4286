"""Usage in the database: reserved before a call so that no ceiling is passed, settled after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Engine, func, insert, select, text, update

from compagnon.database.ledger import writing
from compagnon.database.tables import provider_usage
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.providers.footprint import Footprint
from compagnon.providers.port import Usage
from compagnon.providers.prices import NANO, Price
from compagnon.spec.model import Ceiling

State = Literal["reserved", "done", "stopped", "failed", "cached"]
PSEUDONYMS = timedelta(days=365)
"""How long a row keeps the pseudonym of who asked."""


class CeilingReached(UserError):
    """A request that could go over a ceiling: nothing was sent."""


@dataclass(frozen=True)
class Account:
    """Whose usage it is: provider and model, pseudonym of the person, price."""

    provider: str
    model: str
    person: str | None
    price: Price | None
    currency: str

    def cost(self, usage: Usage) -> int | None:
        return self.price.nano(usage) if self.price else None


@dataclass(frozen=True)
class Receipt:
    """What one answer used. ``cost`` is in ``currency``, None where the price is not known."""

    id: int
    state: State
    provider: str
    model: str
    usage: Usage
    counted: bool
    cost: float | None
    currency: str
    footprint: Footprint | None

    def as_dict(self) -> dict[str, Any]:
        weight = self.footprint
        return {
            "id": self.id,
            "state": self.state,
            "provider": self.provider,
            "model": self.model,
            "tokens": {"prompt": self.usage.prompt_tokens, "completion": self.usage.completion_tokens},
            "counted": self.counted,
            "cost": self.cost,
            "currency": self.currency,
            "energy_wh": list(weight.energy) if weight else None,
            "carbon_g": list(weight.carbon) if weight else None,
        }


def reserve(engine: Engine, account: Account, worst: Usage, ceiling: Ceiling, now: datetime) -> int:
    """Set aside the most that a request can use; returns the number of its row. Raises CeilingReached.

    What is reserved counts at once, so that requests at the same time cannot pass a ceiling together.
    """
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            # SQLite lets one writer in at a time; here one reservation at a time.
            connection.execute(text("select pg_advisory_xact_lock(hashtext('provider_usage'))"))
        _check(connection, account, worst, ceiling, now)
        return _add(connection, account, "reserved", worst, now, cost=account.cost(worst), counted=False)


def settle(
    engine: Engine,
    row: int,
    account: Account,
    state: State,
    usage: Usage,
    *,
    counted: bool,
    footprint: Footprint | None,
    first_ms: int | None,
    whole_ms: int,
    reason: str | None = None,
) -> Receipt:
    """Replace what was reserved by what was used."""
    cost = account.cost(usage)
    with writing(engine) as connection:
        connection.execute(
            update(provider_usage)
            .where(provider_usage.c.id == row)
            .values(
                state=state,
                reason=reason,
                model=account.model[:200],
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                counted=counted,
                cost_nano=cost,
                first_ms=first_ms,
                whole_ms=whole_ms,
                **_weight(footprint),
            )
        )
    return _receipt(row, account, state, usage, counted, cost, footprint)


def add_cached(engine: Engine, account: Account, now: datetime) -> Receipt:
    """An answer that was given again: it used nothing."""
    nothing = Usage(0, 0)
    with writing(engine) as connection:
        row = _add(connection, account, "cached", nothing, now, cost=0, counted=True)
    return _receipt(row, account, "cached", nothing, True, 0, None)


def purge(engine: Engine, now: datetime) -> int:
    """Take the pseudonyms from rows of more than 12 months ago; sums stay. Returns from how many."""
    old = provider_usage.c.day < (now - PSEUDONYMS).date().isoformat()
    with writing(engine) as connection:
        rows = update(provider_usage).where(old, provider_usage.c.person.is_not(None)).values(person=None)
        return connection.execute(rows).rowcount


def forget(engine: Engine, person: str) -> int:
    """Take one pseudonym from all rows; returns from how many."""
    with writing(engine) as connection:
        rows = update(provider_usage).where(provider_usage.c.person == person).values(person=None)
        return connection.execute(rows).rowcount


def _check(connection: Connection, account: Account, worst: Usage, ceiling: Ceiling, now: datetime) -> None:
    mine, day = provider_usage.c.provider == account.provider, provider_usage.c.day == now.date().isoformat()
    person = provider_usage.c.person.is_(None) if account.person is None else provider_usage.c.person == account.person
    worst_cost = account.cost(worst)
    scopes: tuple[tuple[str, int | None, float | None, tuple[Any, ...]], ...] = (
        (_("of this day"), ceiling.tokens_per_day, ceiling.cost_per_day, (mine, day)),
        (_("of this user and day"), ceiling.tokens_per_user, ceiling.cost_per_user, (mine, day, person)),
        (_("of this solution"), ceiling.tokens, ceiling.cost, (mine,)),
    )
    for scope, tokens, cost, where in scopes:
        if tokens is None and cost is None:
            continue
        if cost is not None and worst_cost is None:
            raise UserError(
                "provider.no-price",
                _("The provider {name} has a ceiling of cost, but the price of {model} is not known.").format(
                    name=account.provider, model=account.model
                ),
                next=_("Give its price in solution.yaml: price, with prompt and answer."),
            )
        used, spent = connection.execute(
            select(
                func.coalesce(func.sum(provider_usage.c.prompt_tokens + provider_usage.c.completion_tokens), 0),
                func.coalesce(func.sum(provider_usage.c.cost_nano), 0),
            ).where(*where)
        ).one()
        over_tokens = tokens is not None and int(used) + worst.total > tokens
        over_cost = cost is not None and int(spent) + (worst_cost or 0) > cost * NANO
        if over_tokens or over_cost:
            raise CeilingReached(
                "provider.ceiling",
                _("The ceiling {scope} for the provider {name} could be passed: nothing was sent.").format(
                    scope=scope, name=account.provider
                ),
                next=_("Wait for the next day, ask for a shorter answer, or raise ceiling in solution.yaml."),
            )


def _add(
    connection: Connection,
    account: Account,
    state: State,
    usage: Usage,
    now: datetime,
    *,
    cost: int | None,
    counted: bool,
) -> int:
    row = insert(provider_usage).values(
        at=now,
        day=now.date().isoformat(),
        person=account.person,
        provider=account.provider,
        model=account.model[:200],
        state=state,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        counted=counted,
        cost_nano=cost,
        currency=account.currency if cost is not None else None,
    )
    return int(connection.execute(row.returning(provider_usage.c.id)).scalar_one())


def _weight(footprint: Footprint | None) -> dict[str, float | None]:
    energy, carbon = (footprint.energy, footprint.carbon) if footprint else ((None, None), (None, None))
    return {"energy_min": energy[0], "energy_max": energy[1], "carbon_min": carbon[0], "carbon_max": carbon[1]}


def _receipt(
    row: int,
    account: Account,
    state: State,
    usage: Usage,
    counted: bool,
    cost: int | None,
    footprint: Footprint | None,
) -> Receipt:
    price = None if cost is None else cost / NANO
    return Receipt(row, state, account.provider, account.model, usage, counted, price, account.currency, footprint)
