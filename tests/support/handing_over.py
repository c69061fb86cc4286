"""What holds for the queue of handovers on every database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, insert, select

from compagnon.access.account import create_account
from compagnon.access.personal import erase_account, export_account
from compagnon.database.engine import MIGRATIONS
from compagnon.database.ledger import reading, writing
from compagnon.database.tables import handover_messages, handovers
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
    assert code(lambda: desk.release(engine, first.id, "lea")) == "handover.closed"
    assert desk.count(engine) == {"waiting": 1, "taken": 0, "closed": 1}


def said(engine: Engine, number: int) -> list[tuple[str, str | None, str]]:
    return [(each.side, each.by, each.text) for each in desk.messages_of(engine, number)]


def a_person_and_the_owner_write_to_each_other(engine: Engine) -> None:
    conversation = asked(engine, ZOE, "A ?")
    assert code(lambda: desk.write(engine, ZOE, conversation, "Allô ?", NOW)) == "handover.closed"
    made = desk.hand_over(engine, ZOE, conversation, "asked", NOW)
    before = desk.mark(engine, made)
    desk.answer(engine, made.id, "lea", f"Bonjour, écrivez à {MAIL} ou à aide@example.org.", NOW,
                spared=frozenset({"aide@example.org"}))  # fmt: skip
    taken = desk.find(engine, made.id)
    assert (taken.state, taken.taken_by) == ("taken", "lea")
    assert desk.mark(engine, taken) != before
    desk.write(engine, ZOE, conversation, f"Merci, et moi {MAIL}", NOW)
    desk.answer(engine, made.id, "lea", "Au revoir", NOW)
    assert said(engine, made.id) == [
        ("person", "lea", "Bonjour, écrivez à [courriel] ou à aide@example.org."),
        ("owner", None, "Merci, et moi [courriel]"),
        ("person", "lea", "Au revoir"),
    ]
    assert [each.text for each in desk.messages_of_owner(engine, ZOE, conversation)] == [
        text for _side, _by, text in said(engine, made.id)
    ]
    assert desk.messages_of_owner(engine, SAM, conversation) == []
    assert code(lambda: desk.write(engine, SAM, conversation, "x", NOW)) == "handover.closed"
    assert code(lambda: desk.answer(engine, made.id, "max", "x", NOW)) == "handover.taken"
    assert code(lambda: desk.close(engine, made.id, "max", NOW, answer="x")) == "handover.taken"
    assert code(lambda: desk.answer(engine, made.id, "lea", "  ", NOW)) == "handover.no-text"
    assert len(said(engine, made.id)) == 3
    # Closed without another answer, the longest one is what the FAQ may use.
    assert (desk.close(engine, made.id, "lea", NOW).answer or "").startswith("Bonjour")
    assert code(lambda: desk.answer(engine, made.id, "lea", "x", NOW)) == "handover.closed"
    assert code(lambda: desk.write(engine, ZOE, conversation, "x", NOW)) == "handover.closed"
    exported = store.export(engine, ZOE, conversation)["messages"]
    assert [(each["side"], each["text"]) for each in exported][1] == ("owner", "Merci, et moi [courriel]")
    assert "lea" not in str(exported)


def what_is_answered_when_closing_reaches_the_owner(engine: Engine) -> None:
    conversation = asked(engine, ZOE, "A ?")
    made = desk.hand_over(engine, ZOE, conversation, "asked", NOW)
    desk.close(engine, made.id, "lea", NOW, answer="Oui, en boutique.")
    assert [each.text for each in desk.messages_of_owner(engine, ZOE, conversation)] == ["Oui, en boutique."]


def what_is_asked_after_closing_is_the_owners(engine: Engine) -> None:
    conversation = asked(engine, ZOE, "A ?")
    made = desk.hand_over(engine, ZOE, conversation, "asked", NOW)
    desk.close(engine, made.id, "lea", NOW)
    later = NOW + timedelta(minutes=5)
    store.ask(engine, ZOE, conversation, "Tout autre chose ?", later)
    assert [turn.question for turn in desk.turns_of(engine, made.id)] == ["A ?"]
    again = desk.hand_over(engine, ZOE, conversation, "asked", later)
    assert len(desk.turns_of(engine, again.id)) == 2


def given_back_or_taken_over(engine: Engine) -> None:
    made = desk.hand_over(engine, ZOE, asked(engine, ZOE, "A ?"), "asked", NOW)
    desk.take(engine, made.id, "lea", NOW)
    assert code(lambda: desk.release(engine, made.id, "max")) == "handover.taken"
    assert code(lambda: desk.take(engine, made.id, "max", NOW, over="zed")) == "handover.taken"
    assert desk.take(engine, made.id, "max", NOW, over="lea").taken_by == "max"
    back = desk.release(engine, made.id, "max")
    assert (back.state, back.taken, back.taken_by, back.at) == ("waiting", None, None, NOW)
    assert desk.release(engine, made.id, "max") == back


def _move(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if revision != "head" else command.upgrade)(config, revision)


def answers_of_earlier_versions_reach_the_owner(engine: Engine) -> None:
    conversation = asked(engine, ZOE, "A ?")
    _move(engine, "0005")
    values = {"conversation_id": conversation, "at": NOW, "reason": "asked", "state": "closed", "closed": NOW}
    with writing(engine) as connection:
        connection.execute(insert(handovers).values(**values, closed_by="lea", answer="Oui, en boutique."))
    _move(engine, "head")
    (told,) = desk.messages_of_owner(engine, ZOE, conversation)
    assert (told.side, told.by, told.text, told.at) == ("person", "lea", "Oui, en boutique.", NOW)


def one_of_two_at_once_answers(engine: Engine) -> None:
    made = desk.hand_over(engine, ZOE, asked(engine, ZOE, "A ?"), "asked", NOW)
    lost: list[str] = []

    def answer(by: str) -> None:
        try:
            desk.answer(engine, made.id, by, f"de {by}", NOW)
        except UserError as error:
            lost.append(error.code)

    run = [threading.Thread(target=answer, args=(by,)) for by in ("lea", "max", "noe", "zed")]
    for thread in run:
        thread.start()
    for thread in run:
        thread.join()
    assert lost == ["handover.taken"] * 3
    ((_side, by, text),) = said(engine, made.id)
    assert (desk.find(engine, made.id).taken_by, text) == (by, f"de {by}")


def the_conversation_comes_with_it_masked(engine: Engine) -> None:
    conversation = asked(engine, ZOE, f"Écrivez-moi à {MAIL} svp")
    made = desk.hand_over(engine, ZOE, conversation, "asked", NOW)
    (turn,) = desk.turns_of(engine, made.id)
    assert turn.question.startswith("Écrivez-moi à ")
    assert MAIL not in f"{turn} {made}"


def closed_ones_go_in_their_time(engine: Engine) -> None:
    old = desk.hand_over(engine, ZOE, asked(engine, ZOE, "A ?"), "asked", NOW - timedelta(days=200))
    waiting = desk.hand_over(engine, SAM, asked(engine, SAM, "B ?"), "asked", NOW - timedelta(days=200))
    desk.close(engine, old.id, "lea", NOW - timedelta(days=91), answer="Oui.")
    assert desk.purge(engine, NOW) == 1
    assert [each.id for each in desk.list_handovers(engine, desk.STATES)] == [waiting.id]
    # Its owner still reads the answer, and nothing says who gave it.
    (kept,) = desk.messages_of_owner(engine, ZOE, old.conversation)
    assert (kept.text, kept.by, kept.side) == ("Oui.", None, "person")


def they_go_with_their_conversation(engine: Engine) -> None:
    conversation = asked(engine, ZOE, "A ?")
    made = desk.hand_over(engine, ZOE, conversation, "asked", NOW)
    desk.answer(engine, made.id, "lea", "Oui.", NOW)
    store.remove(engine, ZOE, conversation)
    long_ago = NOW - timedelta(days=400)
    old = desk.hand_over(engine, SAM, asked(engine, SAM, "B ?", long_ago), "asked", long_ago)
    desk.answer(engine, old.id, "lea", "Oui.", long_ago)
    store.purge(engine, NOW)
    with reading(engine) as connection:
        assert connection.execute(select(handovers)).all() == []
        assert connection.execute(select(handover_messages)).all() == []


def a_person_takes_theirs_away_and_is_erased(engine: Engine) -> None:
    account = create_account(engine, "zoe", "Zoé", "reader", now=NOW).id
    owner = f"person:{account}"
    made = desk.hand_over(engine, owner, asked(engine, owner, "A ?"), "asked", NOW)
    desk.answer(engine, made.id, "lea", "Oui.", NOW)
    exported = export_account(engine, account, NOW)
    assert (len(exported["handovers"]), len(exported["handover_messages"])) == (1, 1)
    erased = erase_account(engine, account, NOW)
    assert (erased["handovers"], erased["handover_messages"]) == (1, 1)
    assert desk.list_handovers(engine, desk.STATES) == []


CHECKS: list[Check] = [
    once_while_open, once_for_two_at_once, only_the_owner_hands_over, from_waiting_to_closed,
    the_conversation_comes_with_it_masked, closed_ones_go_in_their_time, they_go_with_their_conversation,
    a_person_takes_theirs_away_and_is_erased, a_person_and_the_owner_write_to_each_other,
    what_is_answered_when_closing_reaches_the_owner, what_is_asked_after_closing_is_the_owners,
    given_back_or_taken_over, one_of_two_at_once_answers, answers_of_earlier_versions_reach_the_owner,
]  # fmt: skip
