"""A question asked outside of a conversation, kept as one where a person must take it over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compagnon.services.tutor.conversations import store
from compagnon.services.tutor.handover.desk import Handover, hand_over
from compagnon.services.tutor.handover.hours import message
from compagnon.services.tutor.handover.rules import reason_of
from compagnon.services.tutor.place import tutor_of

if TYPE_CHECKING:
    from compagnon.services.tutor.answer.events import Reply
    from compagnon.solution import Solution


@dataclass(frozen=True)
class Passed:
    """A question that a person will answer, and what is said of it."""

    handover: Handover
    message: str

    def as_dict(self) -> dict[str, Any]:
        """What scripts read."""
        found = self.handover
        return {"id": found.id, "reason": found.reason, "state": found.state, "message": self.message}


def pass_on(solution: Solution, owner: str, question: str, reply: Reply) -> Passed | None:
    """Keep ``question`` and ``reply`` as a conversation of ``owner`` and hand it over, where the settings say so.

    Nothing is kept where nobody takes over.
    """
    settings = tutor_of(solution.spec).handover
    reason = reason_of(reply, settings) if settings else None
    if settings is None or reason is None:
        return None
    now = solution.clock.now()
    made = store.create(solution.engine, owner, now)
    turn = store.ask(solution.engine, owner, made.id, question, now)
    store.answer(solution.engine, owner, turn, reply)
    found = hand_over(solution.engine, owner, made.id, reason, now)
    return Passed(found, message(settings, now, solution.spec.timezone))
