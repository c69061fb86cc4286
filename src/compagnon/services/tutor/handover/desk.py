"""The queue of conversations that a person takes over: waiting, taken, closed; and what is written meanwhile.

Owners see the state of theirs, and read what a person answered; operators see every conversation that was handed over,
masked as it is kept, up to when it was closed, and no other one. An open handover stands once for each conversation,
and one person answers it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import conversations, handover_messages, handovers, turns
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.privacy.patterns import mask_text
from compagnon.services.tutor.conversations import messages
from compagnon.services.tutor.conversations.messages import Message
from compagnon.services.tutor.conversations.store import Kept, kept_of
from compagnon.services.tutor.handover.rules import Reason
from compagnon.spec.model import Spec

State = Literal["waiting", "taken", "closed"]
STATES: tuple[State, ...] = get_args(State)
OPEN: tuple[State, ...] = ("waiting", "taken")
KEEP = timedelta(days=90)
"""How long a closed handover is kept, unless ``privacy.keep.handovers`` says otherwise."""
LONGEST_ANSWER = messages.LONGEST


@dataclass(frozen=True)
class Handover:
    """One conversation handed over."""

    id: int
    conversation: str
    title: str
    at: datetime
    reason: Reason
    state: State
    taken: datetime | None = None
    taken_by: str | None = None
    closed: datetime | None = None
    closed_by: str | None = None
    answer: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """What scripts read."""
        return asdict(self)


def hand_over(engine: Engine, owner: str, conversation: str, reason: Reason, now: datetime) -> Handover:
    """Put a conversation of ``owner`` in the queue, once while it is open.

    Raises UserError ``conversation.unknown``.
    """
    with writing(engine) as connection:
        own = select(conversations.c.id).where(conversations.c.id == conversation, conversations.c.owner == owner)
        # PostgreSQL: two requests at once must not both put it there.
        if connection.execute(own.with_for_update()).first() is None:
            raise UserError("conversation.unknown", _("There is no such conversation."))
        found = _open(connection, conversation)
        if found is not None:
            return found
        values = {"conversation_id": conversation, "at": now, "reason": reason, "state": "waiting"}
        made = connection.execute(insert(handovers).values(**values).returning(handovers.c.id)).scalar_one()
        return _find(connection, int(made))


def of_owner(engine: Engine, owner: str, conversation: str) -> Handover | None:
    """The last handover of a conversation of ``owner``, for its own page; None where there is none."""
    query = _query().where(handovers.c.conversation_id == conversation, conversations.c.owner == owner)
    with reading(engine) as connection:
        row = connection.execute(query.order_by(handovers.c.id.desc()).limit(1)).first()
    return _handover(row) if row is not None else None


def open_of(engine: Engine, conversation_ids: Sequence[str]) -> dict[str, State]:
    """The state of those that are not closed, among conversations of one's own."""
    query = select(handovers.c.conversation_id, handovers.c.state)
    query = query.where(handovers.c.conversation_id.in_(conversation_ids), handovers.c.state.in_(OPEN))
    with reading(engine) as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def list_handovers(
    engine: Engine, states: Sequence[State] = OPEN, *, limit: int = 50, offset: int = 0, latest: bool = False
) -> list[Handover]:
    """Those in one of ``states``, the one that waits for longest first; ``latest``: the last closed first."""
    order = (handovers.c.closed.desc(), handovers.c.id.desc()) if latest else (handovers.c.at, handovers.c.id)
    query = _query().where(handovers.c.state.in_(states)).order_by(*order)
    with reading(engine) as connection:
        return [_handover(row) for row in connection.execute(query.limit(limit).offset(offset))]


def count(engine: Engine) -> dict[State, int]:
    """How many there are in each state."""
    query = select(handovers.c.state, func.count()).group_by(handovers.c.state)
    with reading(engine) as connection:
        found = {row[0]: int(row[1]) for row in connection.execute(query)}
    return {state: found.get(state, 0) for state in STATES}


def find(engine: Engine, number: int) -> Handover:
    """One handover; raises UserError ``handover.unknown``."""
    with reading(engine) as connection:
        return _find(connection, number)


def turns_of(engine: Engine, number: int) -> list[Kept]:
    """The conversation of a handover in its order, up to when it was closed: what was asked later is the owner's.

    Raises UserError ``handover.unknown``.
    """
    with reading(engine) as connection:
        found = _find(connection, number)
        query = select(turns).where(turns.c.conversation_id == found.conversation).order_by(turns.c.id)
        if found.closed is not None:
            query = query.where(turns.c.at <= found.closed)
        return [kept_of(row) for row in connection.execute(query)]


def messages_of(engine: Engine, number: int) -> list[Message]:
    """What a person and the owner wrote to each other, as ``turns_of``. Raises UserError ``handover.unknown``."""
    with reading(engine) as connection:
        found = _find(connection, number)
        said = messages.listed(connection, found.conversation)
        return [message for message in said if found.closed is None or message.at <= found.closed]


def messages_of_owner(engine: Engine, owner: str, conversation: str) -> list[Message]:
    """The same for the owner's own page; nothing where the conversation is another's."""
    own = select(conversations.c.id).where(conversations.c.id == conversation, conversations.c.owner == owner)
    with reading(engine) as connection:
        return messages.listed(connection, conversation) if connection.execute(own).first() is not None else []


def mark(engine: Engine, found: Handover | None) -> str:
    """Changes whenever there is something new to show of a conversation that was handed over."""
    if found is None:
        return ""
    query = select(turns.c.id, turns.c.state).where(turns.c.conversation_id == found.conversation)
    with reading(engine) as connection:
        turn = connection.execute(query.order_by(turns.c.id.desc()).limit(1)).first()
        said = messages.last(connection, found.conversation)
    seen = (found.id, found.state, found.taken_by, said, *(turn or ()))
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]  # it tells nothing of who answers


def take(engine: Engine, number: int, by: str, now: datetime, *, over: str = "") -> Handover:
    """``by`` takes a waiting conversation, or the one that ``over`` has; taking one's own again changes nothing.

    Raises UserError ``handover.unknown``, ``handover.taken`` (by somebody else), ``handover.closed``.
    """
    with writing(engine) as connection:
        return _held(connection, number, by, now, over=over)


def release(engine: Engine, number: int, by: str) -> Handover:
    """Give back to the queue what ``by`` has taken; it keeps its place. One that waits already stays as it is.

    Raises UserError ``handover.unknown``, ``handover.taken`` (by somebody else), ``handover.closed``.
    """
    mine = (handovers.c.id == number) & (handovers.c.state == "taken") & (handovers.c.taken_by == by)
    with writing(engine) as connection:
        connection.execute(update(handovers).where(mine).values(state="waiting", taken=None, taken_by=None))
        found = _find(connection, number)
    if found.state == "waiting":
        return found
    raise _taken(found) if found.state == "taken" else _closed()


def answer(
    engine: Engine, number: int, by: str, text: str, now: datetime, *, spared: Container[str] = ()
) -> Message:  # fmt: skip
    """``by`` writes to the owner of the conversation, and takes it where nobody has. It is kept masked but ``spared``.

    Raises UserError ``handover.unknown``, ``handover.taken`` (by somebody else), ``handover.closed``,
    ``handover.no-text``, ``conversation.full``.
    """
    with writing(engine) as connection:
        found = _held(connection, number, by, now)
        return messages.add(connection, found.conversation, found.id, text, now, by=by, spared=spared)


def write(engine: Engine, owner: str, conversation: str, text: str, now: datetime) -> Message:
    """The owner writes to the person who answers, or to the one who will. It is kept masked.

    Raises UserError ``handover.closed`` where nobody has to answer, ``handover.no-text``, ``conversation.full``.
    """
    with writing(engine) as connection:
        own = _query().where(conversations.c.id == conversation, conversations.c.owner == owner)
        row = connection.execute(own.where(handovers.c.state.in_(OPEN)).with_for_update(of=handovers)).first()
        if row is None:
            raise _closed()
        return messages.add(connection, conversation, row.id, text, now)


def close(
    engine: Engine, number: int, by: str, now: datetime, *, answer: str = "", spared: Container[str] = ()
) -> Handover:  # fmt: skip
    """Close a conversation that waits or that ``by`` has taken; ``answer`` is written to its owner first.

    What was answered becomes the draft of an entry of the FAQ where many asked the same: ``answer``, or the longest
    message of the person (the last ones often only say goodbye). Raises UserError ``handover.unknown``,
    ``handover.taken`` (by somebody else), ``handover.closed``, ``conversation.full``.
    """
    with writing(engine) as connection:
        found = _find(connection, number)
        if found.state == "closed":
            raise _closed()
        if found.state == "taken" and found.taken_by != by:
            raise _taken(found)
        kept = mask_text(answer.strip()[:LONGEST_ANSWER], spared)
        if kept:
            messages.add(connection, found.conversation, found.id, answer, now, by=by, spared=spared)
        else:
            query = select(handover_messages.c.text).where(
                handover_messages.c.handover_id == number, handover_messages.c.side == "person"
            )
            kept = max(connection.execute(query).scalars(), key=len, default="")
        # Somebody may have taken or closed it since it was read.
        same = (handovers.c.id == number) & (handovers.c.state == found.state)
        same &= handovers.c.taken_by.is_(None) if found.taken_by is None else handovers.c.taken_by == by
        values = {"state": "closed", "closed": now, "closed_by": by, "answer": kept or None}
        if connection.execute(update(handovers).where(same).values(**values)).rowcount:
            return _find(connection, number)
        found = _find(connection, number)
        # Raised inside the transaction: the answer that was not wanted is not kept either.
        raise _taken(found) if found.state == "taken" else _closed()


def purge(engine: Engine, now: datetime, keep: timedelta = KEEP) -> int:
    """Delete handovers closed for longer than ``keep``; returns how many. Conversations have their own time.

    Messages stay with their conversation, without who answered.
    """
    with writing(engine) as connection:
        old = (handovers.c.state == "closed") & (handovers.c.closed < now - keep)
        theirs = handover_messages.c.handover_id.in_(select(handovers.c.id).where(old))
        connection.execute(update(handover_messages).where(theirs).values(handover_id=None, by=None))
        return connection.execute(delete(handovers).where(old)).rowcount


def kept_for(spec: Spec) -> timedelta:
    """How long closed handovers are kept."""
    return spec.privacy.keep.get("handovers", KEEP) if spec.privacy else KEEP


def _query() -> Any:
    joined = handovers.join(conversations, conversations.c.id == handovers.c.conversation_id)
    return select(handovers, conversations.c.title).select_from(joined)


def _find(connection: Connection, number: int) -> Handover:
    row = connection.execute(_query().where(handovers.c.id == number)).first()
    if row is None:
        raise UserError(
            "handover.unknown",
            _("There is no handover {number}.").format(number=number),
            next=_("See the queue: compagnon handover list"),
        )
    return _handover(row)


def _open(connection: Connection, conversation: str) -> Handover | None:
    query = _query().where(handovers.c.conversation_id == conversation, handovers.c.state.in_(OPEN))
    row = connection.execute(query.limit(1)).first()
    return _handover(row) if row is not None else None


def _held(connection: Connection, number: int, by: str, now: datetime, *, over: str = "") -> Handover:
    """The handover, which ``by`` has from now on."""
    free = handovers.c.state == "waiting"
    if over:
        free |= (handovers.c.state == "taken") & (handovers.c.taken_by == over)
    values = {"state": "taken", "taken": now, "taken_by": by}
    connection.execute(update(handovers).where((handovers.c.id == number) & free).values(**values))
    found = _find(connection, number)
    if found.state == "taken" and found.taken_by == by:
        return found
    raise _taken(found) if found.state == "taken" else _closed()


def _taken(found: Handover) -> UserError:
    return UserError(
        "handover.taken",
        _("Somebody else has already taken this conversation."),
        next=_("Take another one, or this one with `--from {name}`: compagnon handover list").format(
            name=found.taken_by
        ),
    )


def _closed() -> UserError:
    return UserError("handover.closed", _("This conversation is closed."))


def _handover(row: Row[Any]) -> Handover:
    return Handover(
        row.id, row.conversation_id, row.title, utc(row.at), row.reason, row.state,
        utc(row.taken) if row.taken else None, row.taken_by,
        utc(row.closed) if row.closed else None, row.closed_by, row.answer,
    )  # fmt: skip
