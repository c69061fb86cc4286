"""Feedback in the operational database; what people wrote is masked before it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from compagnon.operate.monitor.masking import mask_row
from compagnon.privacy.patterns import mask_text

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from compagnon.spec.model import Spec

Kind = Literal["wrong", "right", "decided"]
LONGEST_COMMENT = 2000


@dataclass(frozen=True)
class Feedback:
    """What a person said of one prediction. ``prediction`` is its request id and row: ``ab12...:0``."""

    at: datetime
    author: str
    model: str
    version: str
    prediction: str
    kind: Kind
    input: Mapping[str, Any]
    predicted: str
    confidence: float
    expected: str | None = None
    comment: str | None = None
    id: int | None = None


def add_feedback(engine: Engine, spec: Spec, said: Feedback) -> int:
    """Keep ``said``, its input and comment masked; returns its number. Saying the same twice is saying it once."""
    from sqlalchemy import insert, select

    from compagnon.database.ledger import writing
    from compagnon.database.tables import feedback

    comment = mask_text((said.comment or "").strip()[:LONGEST_COMMENT]) or None
    values = {
        "at": said.at,
        "author": said.author[:200],
        "model": said.model,
        "model_version": said.version[:64],
        "prediction": said.prediction[:64],
        "kind": said.kind,
        "input": mask_row(spec, said.model, said.input),
        "predicted": said.predicted,
        "confidence": said.confidence,
        "expected": said.expected,
        "comment": comment,
    }
    same = [
        feedback.c[name].is_(None) if values[name] is None else feedback.c[name] == values[name]
        for name in ("model", "prediction", "kind", "expected", "comment")
    ]
    with writing(engine) as connection:
        known = connection.execute(select(feedback.c.id).where(*same).limit(1)).scalar()
        if known is not None:
            return int(known)
        return int(connection.execute(insert(feedback).values(**values).returning(feedback.c.id)).scalar_one())


def list_feedback(engine: Engine, model: str | None = None, limit: int = 100) -> list[Feedback]:
    """The latest first."""
    from sqlalchemy import desc, select

    from compagnon.database.ledger import reading, utc
    from compagnon.database.tables import feedback

    query = select(feedback).order_by(desc(feedback.c.id)).limit(limit)
    if model is not None:
        query = query.where(feedback.c.model == model)
    with reading(engine) as connection:
        return [
            Feedback(
                at=utc(row.at),
                author=row.author,
                model=row.model,
                version=row.model_version,
                prediction=row.prediction or "",
                kind=row.kind,
                input=row.input or {},
                predicted=row.predicted or "",
                confidence=row.confidence or 0.0,
                expected=row.expected,
                comment=row.comment,
                id=row.id,
            )
            for row in connection.execute(query)
        ]


def count_feedback(engine: Engine, model: str) -> dict[str, int]:
    """How many of each kind."""
    from sqlalchemy import func, select

    from compagnon.database.ledger import reading
    from compagnon.database.tables import feedback

    query = select(feedback.c.kind, func.count()).where(feedback.c.model == model).group_by(feedback.c.kind)
    with reading(engine) as connection:
        return {kind: int(count) for kind, count in connection.execute(query)}
