"""Answers given again to the same masked request: bounded, for a declared time, without personal data."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, func, insert, select, update

from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import remembered_answers
from compagnon.privacy.patterns import mask_text
from compagnon.providers.port import Finish, Request, Usage
from compagnon.spec.model import Remember

KEY_NAME = "remember_key"
"""Name of the key among the solution's own secrets: without it nobody can look for a question they guess."""


@dataclass(frozen=True)
class Remembered:
    """An answer with its placeholders."""

    text: str
    finish: Finish
    usage: Usage
    model: str


def key_of(secret: bytes, provider: str, model: str, request: Request, defaults: tuple[object, ...]) -> str:
    """Keyed hash (HMAC-SHA256) of all that an answer depends on; ``request`` is masked."""
    parts = [
        provider,
        model,
        [[message.role, message.content] for message in request.messages],
        [list(vars(passage).values()) for passage in request.passages],
        [request.temperature, request.max_tokens, list(request.stop), request.seed],
        list(defaults),
    ]
    return hmac.new(secret, json.dumps(parts, ensure_ascii=False).encode(), hashlib.sha256).hexdigest()


def recall(engine: Engine, key: str, now: datetime) -> Remembered | None:
    """The answer kept under ``key``, unless its time is over; counts that it was used."""
    with reading(engine) as connection:
        row = connection.execute(select(remembered_answers).where(remembered_answers.c.key == key)).first()
    if row is None or utc(row.expires) <= now:
        return None
    with writing(engine) as connection:
        used = update(remembered_answers).where(remembered_answers.c.key == key)
        connection.execute(used.values(used=now, times=remembered_answers.c.times + 1))
    return Remembered(row.text, row.finish, Usage(row.prompt_tokens, row.completion_tokens), row.model)


def keep(engine: Engine, key: str, provider: str, answer: Remembered, limits: Remember, now: datetime) -> bool:
    """Keep an answer; says whether it was. An answer in which personal data are recognized is not kept.

    Over the bound, what was not used for longest goes; what has come to its end goes in any case.
    """
    if not limits.answers or not answer.text or mask_text(answer.text) != answer.text:
        return False
    mine = remembered_answers.c.provider == provider
    with writing(engine) as connection:
        gone = (remembered_answers.c.expires <= now) | (remembered_answers.c.key == key)
        connection.execute(delete(remembered_answers).where(gone))
        count = connection.execute(select(func.count()).select_from(remembered_answers).where(mine)).scalar_one()
        if count >= limits.answers:
            oldest = (
                select(remembered_answers.c.key)
                .where(mine)
                .order_by(remembered_answers.c.used, remembered_answers.c.key)
                .limit(count - limits.answers + 1)
            )
            connection.execute(delete(remembered_answers).where(remembered_answers.c.key.in_(oldest)))
        connection.execute(
            insert(remembered_answers).values(
                key=key,
                provider=provider,
                model=answer.model[:200],
                text=answer.text,
                finish=answer.finish,
                prompt_tokens=answer.usage.prompt_tokens,
                completion_tokens=answer.usage.completion_tokens,
                created=now,
                expires=now + limits.keep,
                used=now,
                times=0,
            )
        )
    return True


def purge(engine: Engine, now: datetime) -> int:
    """Delete the answers whose time is over; returns how many."""
    with writing(engine) as connection:
        return connection.execute(delete(remembered_answers).where(remembered_answers.c.expires <= now)).rowcount
