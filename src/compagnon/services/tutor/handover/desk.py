"""The queue of conversations that a person takes over: waiting, taken, closed.

Owners see the state of theirs; operators see every conversation that was handed over, masked as it is kept, and no
other one. An open handover stands once for each conversation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import conversations, handovers, turns
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.privacy.patterns import mask_text
from compagnon.services.tutor.conversations.store import Kept, kept_of
from compagnon.services.tutor.handover.rules import Reason
from compagnon.spec.model import Spec

State = Literal["waiting", "taken", "closed"]
STATES: tuple[State, ...] = get_args(State)
OPEN: tuple[State, ...] = ("waiting", "taken")
KEEP = timedelta(days=90)
"""How long a closed handover is kept, unless ``privacy.keep.handovers`` says otherwise."""
LONGEST_ANSWER = 4000


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


def list_handovers(
    engine: Engine, states: Sequence[State] = OPEN, *, limit: int = 50, offset: int = 0
) -> list[Handover]:
    """Those in one of ``states``, the one that waits for longest first."""
    query = _query().where(handovers.c.state.in_(states)).order_by(handovers.c.at, handovers.c.id)
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
    """The whole conversation of a handover, in its order; raises UserError ``handover.unknown``."""
    with reading(engine) as connection:
        found = _find(connection, number)
        query = select(turns).where(turns.c.conversation_id == found.conversation).order_by(turns.c.id)
        return [kept_of(row) for row in connection.execute(query)]


def take(engine: Engine, number: int, by: str, now: datetime) -> Handover:
    """``by`` takes a waiting conversation; taking one's own again changes nothing.

    Raises UserError ``handover.unknown``, ``handover.taken`` (by somebody else), ``handover.closed``.
    """
    waiting = (handovers.c.id == number) & (handovers.c.state == "waiting")
    with writing(engine) as connection:
        values = {"state": "taken", "taken": now, "taken_by": by}
        if connection.execute(update(handovers).where(waiting).values(**values)).rowcount:
            return _find(connection, number)
        found = _find(connection, number)
    if found.state == "taken" and found.taken_by == by:
        return found
    if found.state == "taken":
        raise UserError(
            "handover.taken",
            _("Somebody else has already taken this conversation."),
            next=_("Take another one: compagnon handover list"),
        )
    raise _closed()


def close(engine: Engine, number: int, by: str, now: datetime, *, answer: str = "") -> Handover:
    """Close a waiting or taken conversation; ``answer`` is what the person answered, kept masked.

    An answer kept here becomes the draft of an entry of the FAQ where many asked the same. Raises UserError
    ``handover.unknown``, ``handover.closed``.
    """
    still = (handovers.c.id == number) & handovers.c.state.in_(OPEN)
    masked = mask_text(answer.strip()[:LONGEST_ANSWER])
    with writing(engine) as connection:
        values = {"state": "closed", "closed": now, "closed_by": by, "answer": masked or None}
        if connection.execute(update(handovers).where(still).values(**values)).rowcount:
            return _find(connection, number)
        _find(connection, number)
    raise _closed()


def purge(engine: Engine, now: datetime, keep: timedelta = KEEP) -> int:
    """Delete handovers closed for longer than ``keep``; returns how many. Conversations have their own time."""
    with writing(engine) as connection:
        old = (handovers.c.state == "closed") & (handovers.c.closed < now - keep)
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


def _closed() -> UserError:
    return UserError("handover.closed", _("This conversation is closed."))


def _handover(row: Row[Any]) -> Handover:
    return Handover(
        row.id, row.conversation_id, row.title, utc(row.at), row.reason, row.state,
        utc(row.taken) if row.taken else None, row.taken_by,
        utc(row.closed) if row.closed else None, row.closed_by, row.answer,
    )  # fmt: skip
