"""Usage summed up: by day, person, provider or model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Engine, case, func, select

from compagnon.database.ledger import reading
from compagnon.database.tables import provider_usage
from compagnon.providers.prices import NANO

By = Literal["day", "person", "provider", "model"]


@dataclass(frozen=True)
class Line:
    """Sums of one group. ``cost`` leaves out answers without a known price, which ``unpriced`` counts.

    Energy in Wh, carbon in g of CO2 equivalent: lowest and highest estimate over the answers that have one.
    """

    group: str
    answers: int
    cached: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    unpriced: int
    currency: str | None
    energy_wh: tuple[float, float]
    carbon_g: tuple[float, float]
    weighed: int
    """Answers with an estimate of their footprint."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"energy_wh": list(self.energy_wh), "carbon_g": list(self.carbon_g)}


def usage(engine: Engine, by: By = "day", *, since: date | None = None, provider: str | None = None) -> list[Line]:
    """Lines in the order of their groups, from the day ``since`` on (UTC)."""
    table = provider_usage
    group = func.coalesce(table.c[by], "")

    def count(condition: Any) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    def total(column: Any) -> Any:
        return func.coalesce(func.sum(column), 0)

    query = (
        select(
            group,
            count(table.c.state.in_(("done", "stopped", "cached"))),
            count(table.c.state == "cached"),
            count(table.c.state == "failed"),
            total(table.c.prompt_tokens),
            total(table.c.completion_tokens),
            total(table.c.cost_nano),
            count(table.c.cost_nano.is_(None)),
            func.max(table.c.currency),
            total(table.c.energy_min),
            total(table.c.energy_max),
            total(table.c.carbon_min),
            total(table.c.carbon_max),
            count(table.c.energy_min.is_not(None)),
        )
        .group_by(group)
        .order_by(group)
    )
    if since is not None:
        query = query.where(table.c.day >= since.isoformat())
    if provider is not None:
        query = query.where(table.c.provider == provider)
    with reading(engine) as connection:
        return [
            Line(
                *(str(row[0]), int(row[1]), int(row[2]), int(row[3]), int(row[4]), int(row[5])),
                *(int(row[6]) / NANO, int(row[7]), row[8]),
                *((float(row[9]), float(row[10])), (float(row[11]), float(row[12])), int(row[13])),
            )
            for row in connection.execute(query)
        ]
