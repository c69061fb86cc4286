"""What hands a conversation over to a person: they ask for it, nothing is found, or the answer is unsure."""

from __future__ import annotations

from typing import Literal

from compagnon.services.tutor.answer.events import Reply
from compagnon.spec.model import Handover

Reason = Literal["asked", "refused", "unsure"]


def reason_of(reply: Reply, handover: Handover) -> Reason | None:
    """Why the conversation goes to a person after ``reply``; None where it does not. A greeting is no question."""
    found: Reason | None = None
    if reply.reason == "person":
        found = "asked"
    elif reply.refused:
        found = "refused" if reply.reason != "nothing-asked" else None
    elif not reply.sure:
        found = "unsure"
    return found if found in handover.when else None
