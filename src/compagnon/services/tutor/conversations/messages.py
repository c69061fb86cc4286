"""What a person and the owner of a conversation write to each other, beside what the assistant answered."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, insert, select, update

from compagnon.database.ledger import utc
from compagnon.database.tables import conversations, handover_messages
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.privacy.patterns import mask_text

MOST = 200
"""Messages of one conversation."""
LONGEST = 4000

Side = Literal["person", "owner"]


@dataclass(frozen=True)
class Message:
    """One message; ``by`` is who answered, None for the owner."""

    id: int
    at: datetime
    side: Side
    text: str
    by: str | None = None

    def told(self) -> dict[str, Any]:
        """What the owner takes away: not the name of who answered."""
        return {"at": self.at.isoformat(), "side": self.side, "text": self.text}


def add(
    connection: Connection, conversation: str, handover: int, text: str, now: datetime, *, by: str | None = None,
    spared: Container[str] = (),
) -> Message:  # fmt: skip
    """Keep a message masked, of the owner where ``by`` is None; ``spared`` stays, as ``mask_text`` says.

    Raises UserError ``handover.no-text``, ``conversation.full``.
    """
    masked = mask_text(text.strip()[:LONGEST], spared)
    if not masked:
        raise UserError("handover.no-text", _("Write the message first."))
    query = select(handover_messages).where(handover_messages.c.handover_id == handover)
    before = connection.execute(query.order_by(handover_messages.c.id.desc()).limit(1)).first()
    if before is not None and (before.by, before.text) == (by, masked):
        return _message(before)  # a second click
    count = select(func.count()).where(handover_messages.c.conversation_id == conversation)
    if connection.execute(count).scalar_one() >= MOST:
        raise UserError(
            "conversation.full",
            _("This conversation is full."),
            next=_("Begin a new one; this one stays in the list."),
        )
    side: Side = "owner" if by is None else "person"
    values = {"at": now, "side": side, "text": masked, "by": by}
    adding = insert(handover_messages).values(conversation_id=conversation, handover_id=handover, **values)
    number = connection.execute(adding.returning(handover_messages.c.id)).scalar_one()
    # Both sides use the conversation: it does not end while they do.
    connection.execute(update(conversations).where(conversations.c.id == conversation).values(used=now))
    return Message(int(number), now, side, masked, by)


def listed(connection: Connection, conversation: str) -> list[Message]:
    """The messages of a conversation in their order."""
    table = handover_messages
    query = select(table).where(table.c.conversation_id == conversation).order_by(table.c.id)
    return [_message(row) for row in connection.execute(query)]


def last(connection: Connection, conversation: str) -> int:
    """The number of the last message; 0 where there is none."""
    query = select(func.max(handover_messages.c.id)).where(handover_messages.c.conversation_id == conversation)
    return int(connection.execute(query).scalar() or 0)


def _message(row: Row[Any]) -> Message:
    return Message(row.id, utc(row.at), row.side, row.text, row.by)
