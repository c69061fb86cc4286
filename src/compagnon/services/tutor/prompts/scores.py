"""Scores in the database: the answer of a prompt to each question of a set, under the conditions of its play.

A table and not runs of the ledger: a play is resumed question by question and its rows are asked in pairs, while a run
is written once, whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, delete, select

from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import prompt_answers, prompt_variants
from compagnon.database.upsert import insert_missing
from compagnon.services.tutor.prompts.measure import MEASURES, Values
from compagnon.services.tutor.prompts.variant import Variant

if TYPE_CHECKING:
    from compagnon.services.tutor.prompts.play import Conditions


@dataclass(frozen=True)
class Answer:
    """One answer and its measures; ``text`` is what the model wrote, before the checks."""

    number: int
    question: str
    at: datetime
    text: str
    model: str
    values: Values


@dataclass(frozen=True)
class Score:
    """What a prompt reached on a set, as far as it was played."""

    variant: Variant
    conditions: str
    provider: str
    model: str
    questions: str
    played: int
    count: int
    at: datetime
    means: Mapping[str, float | None]

    @property
    def whole(self) -> bool:
        return self.played == self.count

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.variant.as_dict(), "conditions": self.conditions, "provider": self.provider, "model": self.model,
            "questions": self.questions, "played": self.played, "count": self.count, "at": self.at,
            "measures": dict(self.means),
        }  # fmt: skip


def keep_variant(engine: Engine, variant: Variant, now: datetime) -> None:
    """Keep the text of a prompt that is played."""
    with writing(engine) as connection:
        insert_missing(
            connection, prompt_variants, digest=variant.digest, name=variant.name, version=variant.version,
            text=variant.text, at=now,
        )  # fmt: skip


def find_variant(engine: Engine, digest: str) -> Variant | None:
    """The prompt of a play, by its digest."""
    with reading(engine) as connection:
        row = connection.execute(select(prompt_variants).where(prompt_variants.c.digest == digest)).first()
    return Variant(row.name, row.version, row.text) if row else None


def keep(engine: Engine, digest: str, conditions: Conditions, answer: Answer) -> None:
    """Keep one answer; what another play kept meanwhile stays."""
    values = {name: value for name, value in answer.values.items() if value is not None}
    with writing(engine) as connection:
        insert_missing(
            connection, prompt_answers, prompt=digest, conditions=conditions.digest, number=answer.number,
            questions=conditions.questions.name, count=len(conditions.questions), question=answer.question,
            at=answer.at, provider=conditions.provider, model=answer.model, text=answer.text, measures=values,
        )  # fmt: skip


def forget(engine: Engine, digest: str, conditions: str) -> None:
    """Forget the answers of a prompt under these conditions, to play it again."""
    mine = (prompt_answers.c.prompt == digest) & (prompt_answers.c.conditions == conditions)
    with writing(engine) as connection:
        connection.execute(delete(prompt_answers).where(mine))


def answers(engine: Engine, digest: str, conditions: str) -> list[Answer]:
    """The answers of a prompt that were kept under these conditions, in the order of the questions."""
    mine = (prompt_answers.c.prompt == digest) & (prompt_answers.c.conditions == conditions)
    query = select(prompt_answers).where(mine).order_by(prompt_answers.c.number)
    with reading(engine) as connection:
        return [_answer(row) for row in connection.execute(query)]


def latest(engine: Engine, limit: int = 20) -> list[Score]:
    """The last scores, the newest first."""
    table = prompt_answers
    query = select(table, prompt_variants.c.name, prompt_variants.c.version, prompt_variants.c.text.label("body"))
    query = query.join(prompt_variants, prompt_variants.c.digest == table.c.prompt).order_by(table.c.number)
    groups: dict[tuple[str, str], list[Any]] = {}
    with reading(engine) as connection:
        for row in connection.execute(query):
            groups.setdefault((row.prompt, row.conditions), []).append(row)
    found = []
    for (_digest, conditions), rows in groups.items():
        last = max(rows, key=lambda row: utc(row.at))
        found.append(
            Score(
                Variant(last.name, last.version, last.body),
                conditions,
                last.provider,
                last.model,
                last.questions,
                len(rows),
                last.count,
                utc(last.at),
                means([row.measures for row in rows]),
            )
        )
    return sorted(found, key=lambda score: score.at, reverse=True)[:limit]


def means(values: Sequence[Values]) -> dict[str, float | None]:
    """The mean of each measure over the answers of which it says something."""
    found: dict[str, float | None] = {}
    for name in MEASURES:
        said = [value for one in values if (value := one.get(name)) is not None]
        found[name] = fmean(said) if said else None
    return found


def _answer(row: Any) -> Answer:
    return Answer(row.number, row.question, utc(row.at), row.text, row.model, row.measures)
