"""Conversations in the database: each call names the owner, and nobody sees another's.

What is written is masked first: forms of personal data (e-mail, telephone, numbers) do not stay. A question is kept
before it is answered, so that nothing is lost with a connection.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, delete, desc, func, insert, select, update

from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import answer_corrections, conversations, handover_messages, handovers, turns
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.privacy.patterns import mask_text
from compagnon.services.tutor.answer.events import Mode, Reply
from compagnon.services.tutor.answer.history import Turn
from compagnon.services.tutor.conversations import messages
from compagnon.services.tutor.knowledge.model import Difficulty
from compagnon.spec.model import Spec

KEEP = timedelta(days=180)
"""How long a conversation is kept after its last use, unless ``privacy.keep.conversations`` says otherwise."""
MOST_CONVERSATIONS = 500
"""Conversations of one owner; the one unused for longest goes for a new one."""
MOST_TURNS = 200
LONGEST_TITLE = 120
LONGEST_QUESTION = 4000
LONGEST_CORRECTION = 4000

Rating = Literal["good", "bad"]
State = Literal["asked", "done", "stopped"]


@dataclass(frozen=True)
class Conversation:
    """One conversation, without its turns."""

    id: str
    title: str
    level: Difficulty | None
    created: datetime
    used: datetime


@dataclass(frozen=True)
class Kept:
    """One turn as it is kept; what an answer holds is None until there is one."""

    id: int
    at: datetime
    state: State
    question: str
    understood: str | None = None
    answer: str | None = None
    lines: tuple[Mapping[str, Any], ...] = ()
    """``kind``, ``text`` and ``citations`` of each line."""
    citations: tuple[Mapping[str, Any], ...] = ()
    """``number``, ``id``, ``title``, ``quote``, ``start`` and ``end`` of each citation."""
    level: Difficulty | None = None
    how: str | None = None
    mode: Mode | None = None
    provider: str | None = None
    sure: bool | None = None
    refused: bool | None = None
    failure: str | None = None
    tokens: int | None = None
    cost: float | None = None
    subtopics: tuple[str, ...] = ()
    rating: Rating | None = None


def create(engine: Engine, owner: str, now: datetime, *, level: Difficulty | None = None) -> Conversation:
    """A new conversation; it takes its title from the first question."""
    made = Conversation(secrets.token_hex(16), "", level, now, now)
    own = conversations.c.owner == owner
    with writing(engine) as connection:
        count = connection.execute(select(func.count()).select_from(conversations).where(own)).scalar_one()
        if count >= MOST_CONVERSATIONS:
            oldest = select(conversations.c.id).where(own).order_by(conversations.c.used).limit(1)
            _delete(connection, str(connection.execute(oldest).scalar_one()))
        connection.execute(insert(conversations).values(**asdict(made), owner=owner))
    return made


def find(engine: Engine, owner: str, conversation: str) -> Conversation:
    """A conversation of ``owner``; raises UserError ``conversation.unknown``, also where it is another's."""
    with reading(engine) as connection:
        return _conversation(_own(connection, owner, conversation))


def list_conversations(engine: Engine, owner: str, *, limit: int = 50, offset: int = 0) -> list[Conversation]:
    """Those of ``owner`` that have a question, the last used first."""
    query = (
        select(conversations)
        .where(conversations.c.owner == owner, conversations.c.title != "")
        .order_by(desc(conversations.c.used), conversations.c.id)
        .limit(limit)
        .offset(offset)
    )
    with reading(engine) as connection:
        return [_conversation(row) for row in connection.execute(query)]


def rename(engine: Engine, owner: str, conversation: str, title: str) -> Conversation:
    """Give a conversation another title; raises UserError ``conversation.no-title``."""
    shown = _title(title)
    if not shown:
        raise UserError("conversation.no-title", _("A conversation needs a title."))
    return _change(engine, owner, conversation, title=shown)


def choose_level(engine: Engine, owner: str, conversation: str, level: Difficulty | None) -> Conversation:
    """Remember the level that the learner chose; None infers it again from each question."""
    return _change(engine, owner, conversation, level=level)


def remove(engine: Engine, owner: str, conversation: str) -> None:
    """Delete a conversation with its turns; corrections made of them stay, without the link."""
    with writing(engine) as connection:
        _delete(connection, _own(connection, owner, conversation).id)


def adopt(engine: Engine, owner: str, other: str) -> int:
    """Give the conversations of ``other`` (a browser) to ``owner`` (an account); returns how many."""
    with writing(engine) as connection:
        moved = update(conversations).where(conversations.c.owner == other).values(owner=owner)
        return connection.execute(moved).rowcount


def ask(engine: Engine, owner: str, conversation: str, question: str, now: datetime) -> int:
    """Keep a question before it is answered; returns the number of its turn. Raises UserError ``conversation.full``."""
    masked = mask_text(question.strip()[:LONGEST_QUESTION])
    if not masked:
        raise UserError("conversation.no-question", _("The question is empty."))
    with writing(engine) as connection:
        row = _own(connection, owner, conversation)
        query = select(func.count()).select_from(turns).where(turns.c.conversation_id == row.id)
        if connection.execute(query).scalar_one() >= MOST_TURNS:
            raise UserError(
                "conversation.full",
                _("This conversation is full."),
                next=_("Begin a new one; this one stays in the list."),
            )
        connection.execute(
            update(conversations)
            .where(conversations.c.id == row.id)
            .values(used=now, title=row.title or _title(masked) or "…")
        )
        values = {"conversation_id": row.id, "at": now, "state": "asked", "question": masked}
        return int(connection.execute(insert(turns).values(**values).returning(turns.c.id)).scalar_one())


def answer(engine: Engine, owner: str, turn: int, reply: Reply, *, state: State = "done") -> Kept:
    """Keep the answer of a turn, in place of an earlier one (a retry). ``state``: whether it was stopped on the way."""
    values = {
        "state": state,
        "understood": mask_text(reply.question),
        "answer": mask_text(reply.answer),
        "lines": [{**asdict(line), "text": mask_text(line.text)} for line in reply.lines],
        "citations": [asdict(citation) for citation in reply.citations],
        "level": reply.level,
        "how": reply.how,
        "mode": reply.mode,
        "provider": reply.provider[:63],
        "sure": reply.sure,
        "refused": reply.refused,
        "failure": reply.failure,
        "tokens": reply.tokens,
        "cost": reply.cost,
        "subtopics": list(reply.subtopics),
        "rating": None,
        "rated": None,
    }
    return _write(engine, owner, turn, values)


def stop(engine: Engine, owner: str, turn: int) -> Kept:
    """Note that a turn was left without an answer."""
    return _write(engine, owner, turn, {"state": "stopped"})


def rate(engine: Engine, owner: str, turn: int, rating: Rating | None, now: datetime) -> Kept:
    """Say whether an answer was good; None takes it back."""
    return _write(engine, owner, turn, {"rating": rating, "rated": now if rating else None})


def correct(engine: Engine, owner: str, turn: int, text: str, now: datetime) -> int:
    """Propose what an answer should have said; returns the number of the correction, open until it is reviewed."""
    masked = mask_text(text.strip()[:LONGEST_CORRECTION])
    if not masked:
        raise UserError("conversation.no-correction", _("The correction is empty."))
    with writing(engine) as connection:
        row = _own_turn(connection, owner, turn)
        values = {
            "turn_id": row.id,
            "at": now,
            "author": owner,
            "question": row.question,
            "answer": row.answer or "",
            "text": masked,
            "subtopic": (row.subtopics or [None])[0],
            "state": "open",
        }
        known = select(answer_corrections.c.id).where(
            answer_corrections.c.turn_id == row.id, answer_corrections.c.text == masked
        )
        found = connection.execute(known).scalar()
        if found is not None:
            return int(found)
        adding = insert(answer_corrections).values(**values).returning(answer_corrections.c.id)
        return int(connection.execute(adding).scalar_one())


def list_turns(engine: Engine, owner: str, conversation: str) -> list[Kept]:
    """The turns of a conversation in their order."""
    with reading(engine) as connection:
        row = _own(connection, owner, conversation)
        query = select(turns).where(turns.c.conversation_id == row.id).order_by(turns.c.id)
        return [kept_of(found) for found in connection.execute(query)]


def history(kept: list[Kept], *, before: int | None = None) -> tuple[Turn, ...]:
    """What the tutor reads of earlier turns: those that were answered, before the turn ``before``."""
    return tuple(
        Turn(turn.understood or turn.question, turn.answer, turn.mode or "answer", turn.subtopics)
        for turn in kept
        if turn.answer is not None and (before is None or turn.id < before)
    )


def export(engine: Engine, owner: str, conversation: str) -> dict[str, Any]:
    """A whole conversation as JSON values, to take away."""
    found = find(engine, owner, conversation)
    with reading(engine) as connection:
        written = [message.told() for message in messages.listed(connection, found.id)]
    return {
        "title": found.title,
        "level": found.level,
        "created": found.created.isoformat(),
        "used": found.used.isoformat(),
        "turns": [{**asdict(turn), "at": turn.at.isoformat()} for turn in list_turns(engine, owner, conversation)],
        "messages": written,
    }


def purge(engine: Engine, now: datetime, keep: timedelta = KEEP) -> int:
    """Delete conversations unused for longer than ``keep``; returns how many."""
    old = conversations.c.used < now - keep
    with writing(engine) as connection:
        inside = select(conversations.c.id).where(old)
        _forget(connection, select(turns.c.id).where(turns.c.conversation_id.in_(inside)))
        connection.execute(delete(handover_messages).where(handover_messages.c.conversation_id.in_(inside)))
        connection.execute(delete(handovers).where(handovers.c.conversation_id.in_(inside)))
        connection.execute(delete(turns).where(turns.c.conversation_id.in_(inside)))
        return connection.execute(delete(conversations).where(old)).rowcount


def kept_for(spec: Spec) -> timedelta:
    """How long conversations are kept after their last use."""
    return spec.privacy.keep.get("conversations", KEEP) if spec.privacy else KEEP


def _own(connection: Connection, owner: str, conversation: str) -> Row[Any]:
    query = select(conversations).where(conversations.c.id == conversation, conversations.c.owner == owner)
    row = connection.execute(query).first()
    if row is None:
        raise UserError("conversation.unknown", _("There is no such conversation."))
    return row


def _own_turn(connection: Connection, owner: str, turn: int) -> Row[Any]:
    query = (
        select(turns)
        .join(conversations, conversations.c.id == turns.c.conversation_id)
        .where(turns.c.id == turn, conversations.c.owner == owner)
    )
    row = connection.execute(query).first()
    if row is None:
        raise UserError("conversation.unknown", _("There is no such conversation."))
    return row


def _change(engine: Engine, owner: str, conversation: str, **values: Any) -> Conversation:
    with writing(engine) as connection:
        row = _own(connection, owner, conversation)
        connection.execute(update(conversations).where(conversations.c.id == row.id).values(**values))
        return _conversation(_own(connection, owner, conversation))


def _write(engine: Engine, owner: str, turn: int, values: Mapping[str, Any]) -> Kept:
    with writing(engine) as connection:
        row = _own_turn(connection, owner, turn)
        connection.execute(update(turns).where(turns.c.id == row.id).values(**values))
        return kept_of(_own_turn(connection, owner, turn))


def _delete(connection: Connection, conversation: str) -> None:
    mine = turns.c.conversation_id == conversation
    _forget(connection, select(turns.c.id).where(mine))
    connection.execute(delete(handover_messages).where(handover_messages.c.conversation_id == conversation))
    connection.execute(delete(handovers).where(handovers.c.conversation_id == conversation))
    connection.execute(delete(turns).where(mine))
    connection.execute(delete(conversations).where(conversations.c.id == conversation))


def _forget(connection: Connection, gone: Any) -> None:
    """Corrections outlive the turns that they were made of."""
    connection.execute(update(answer_corrections).where(answer_corrections.c.turn_id.in_(gone)).values(turn_id=None))


def _title(text: str) -> str:
    line = " ".join(mask_text(text).split())
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1].rstrip() + "…"


def _conversation(row: Row[Any]) -> Conversation:
    return Conversation(row.id, row.title, row.level, utc(row.created), utc(row.used))


def kept_of(row: Row[Any]) -> Kept:
    """A row of ``turns`` as it is read."""
    values = {name: getattr(row, name) for name in Kept.__dataclass_fields__}
    for name in ("lines", "citations", "subtopics"):
        values[name] = tuple(values[name] or ())
    return Kept(**{**values, "at": utc(row.at)})
