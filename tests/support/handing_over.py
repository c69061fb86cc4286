"""What holds for the queue of handovers on every database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from compagnon.access.account import create_account
from compagnon.access.personal import erase_account, export_account
from compagnon.database.ledger import reading
from compagnon.database.tables import handovers
from compagnon.errors import UserError
from compagnon.services.tutor.answer.events import Reply
from compagnon.services.tutor.conversations import store
from compagnon.services.tutor.handover import desk

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ZOE, SAM = "anonymous:zoe", "anonymous:sam"
Check = Callable[[Engine], None]
MAIL = "zoe.lefevre@exemple.fr"


def reply(**more: object) -> Reply:
    values: dict[str, object] = {
        "answer": "Je ne trouve pas.", "citations": (), "level": "beginner", "provider": "extract", "sure": False,
        "refused": True, "tokens": 0, "cost": 0.0, "question": "Vendez-vous des imprimantes ?",
    }  # fmt: skip
    return Reply(**{**values, **more})  # type: ignore[arg-type]


def asked(engine: Engine, owner: str, question: str, now: datetime = NOW, **more: object) -> str:
    """A conversation of ``owner`` with one question and its answer; returns its id."""
    made = store.create(engine, owner, now)
    store.answer(engine, owner, store.ask(engine, owner, made.id, question, now), reply(question=question, **more))
    return made.id


def code(action: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        action()
    return caught.value.code


def once_while_open(engine: Engine) -> None:
    conversation = asked(engine, ZOE, "Vendez-vous des imprimantes ?")
    first = desk.hand_over(engine, ZOE, conversation, "refused", NOW)
    again = desk.hand_over(engine, ZOE, conversation, "asked", NOW + timedelta(minutes=1))
    assert again == first
    assert (first.state, first.reason, first.title) == ("waiting", "refused", "Vendez-vous des imprimantes ?")
    desk.close(engine, first.id, "lea", NOW)
    assert desk.hand_over(engine, ZOE, conversation, "asked", NOW).id != first.id


def once_for_two_at_once(engine: Engine) -> None:
    conversation = asked(engine, ZOE, "Q ?")
    found: list[int] = []
    run = [
        threading.Thread(target=lambda: found.append(desk.hand_over(engine, ZOE, conversation, "asked", NOW).id))
        for _each in range(4)
    ]
    for thread in run:
        thread.start()
    for thread in run:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def only_the_owner_hands_over(engine: Engine) -> None:
    conversation = asked(engine, ZOE, "Q ?")
    assert code(lambda: desk.hand_over(engine, SAM, conversation, "asked", NOW)) == "conversation.unknown"
    made = desk.hand_over(engine, ZOE, conversation, "asked", NOW)
    assert desk.of_owner(engine, ZOE, conversation) == made
    assert desk.of_owner(engine, SAM, conversation) is None


def from_waiting_to_closed(engine: Engine) -> None:
    first = desk.hand_over(engine, ZOE, asked(engine, ZOE, "A ?"), "asked", NOW + timedelta(minutes=1))
    second = desk.hand_over(engine, SAM, asked(engine, SAM, "B ?"), "unsure", NOW)
    assert [each.id for each in desk.list_handovers(engine)] == [second.id, first.id]
    taken = desk.take(engine, first.id, "lea", NOW)
    assert (taken.state, taken.taken_by, taken.taken) == ("taken", "lea", NOW)
    assert desk.take(engine, first.id, "lea", NOW + timedelta(hours=1)) == taken
    assert code(lambda: desk.take(engine, first.id, "max", NOW)) == "handover.taken"
    closed = desk.close(engine, first.id, "lea", NOW, answer=f"Oui, écrivez à {MAIL}.")
    assert closed.state == "closed"
    assert MAIL not in str(closed)
    assert code(lambda: desk.take(engine, first.id, "lea", NOW)) == "handover.closed"
    assert code(lambda: desk.close(engine, first.id, "lea", NOW)) == "handover.closed"
    assert code(lambda: desk.take(engine, 10**6, "lea", NOW)) == "handover.unknown"
    assert desk.count(engine) == {"waiting": 1, "taken": 0, "closed": 1}


def the_conversation_comes_with_it_masked(engine: Engine) -> None:
    conversation = asked(engine, ZOE, f"Écrivez-moi à {MAIL} svp")
    made = desk.hand_over(engine, ZOE, conversation, "asked", NOW)
    (turn,) = desk.turns_of(engine, made.id)
    assert turn.question.startswith("Écrivez-moi à ")
    assert MAIL not in f"{turn} {made}"


def closed_ones_go_in_their_time(engine: Engine) -> None:
    old = desk.hand_over(engine, ZOE, asked(engine, ZOE, "A ?"), "asked", NOW - timedelta(days=200))
    waiting = desk.hand_over(engine, SAM, asked(engine, SAM, "B ?"), "asked", NOW - timedelta(days=200))
    desk.close(engine, old.id, "lea", NOW - timedelta(days=91))
    assert desk.purge(engine, NOW) == 1
    assert [each.id for each in desk.list_handovers(engine, desk.STATES)] == [waiting.id]


def they_go_with_their_conversation(engine: Engine) -> None:
    conversation = asked(engine, ZOE, "A ?")
    desk.hand_over(engine, ZOE, conversation, "asked", NOW)
    store.remove(engine, ZOE, conversation)
    desk.hand_over(engine, SAM, asked(engine, SAM, "B ?", NOW - timedelta(days=400)), "asked", NOW)
    store.purge(engine, NOW)
    with reading(engine) as connection:
        assert connection.execute(select(handovers)).all() == []


def a_person_takes_theirs_away_and_is_erased(engine: Engine) -> None:
    account = create_account(engine, "zoe", "Zoé", "reader", now=NOW).id
    owner = f"person:{account}"
    desk.hand_over(engine, owner, asked(engine, owner, "A ?"), "asked", NOW)
    assert len(export_account(engine, account, NOW)["handovers"]) == 1
    assert erase_account(engine, account, NOW)["handovers"] == 1
    assert desk.list_handovers(engine, desk.STATES) == []


CHECKS: list[Check] = [
    once_while_open, once_for_two_at_once, only_the_owner_hands_over, from_waiting_to_closed,
    the_conversation_comes_with_it_masked, closed_ones_go_in_their_time, they_go_with_their_conversation,
    a_person_takes_theirs_away_and_is_erased,
]  # fmt: skip
