"""Conversations: only their owner sees them, what is written is masked, and what is deleted is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.database.ledger import reading
from compagnon.database.tables import answer_corrections, conversations, turns
from compagnon.errors import UserError
from compagnon.services.tutor.answer.events import Citation, Line, Reply
from compagnon.services.tutor.conversations import owner, store

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ZOE, SAM = "person:zoe", "anonymous:0f0f"
MAIL = "zoe.lefevre@lycee.fr"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = open_database(Workspace(tmp_path))
    yield found
    found.dispose()


def reply(text: str = "Le dropout annule des neurones. [1]", **more: object) -> Reply:
    values: dict[str, object] = {
        "answer": text, "citations": (Citation(1, "training.dropout/content/0", "Dropout", "Le dropout", 0, 10),),
        "level": "beginner", "provider": "extract", "sure": True, "refused": False, "tokens": 0, "cost": 0.0,
        "question": "C'est quoi le dropout ?", "subtopics": ("training.dropout",), "lines": (Line("text", text, (1,)),),
    }  # fmt: skip
    return Reply(**{**values, **more})  # type: ignore[arg-type]


def answered(engine: Engine, who: str = ZOE, question: str = "C'est quoi le dropout ?") -> tuple[str, int]:
    made = store.create(engine, who, NOW)
    turn = store.ask(engine, who, made.id, question, NOW)
    store.answer(engine, who, turn, reply())
    return made.id, turn


def everything(engine: Engine) -> str:
    with reading(engine) as connection:
        rows = [connection.execute(select(t)).all() for t in (conversations, turns, answer_corrections)]
    return str(rows)


def test_a_question_is_kept_before_its_answer(engine: Engine) -> None:
    made = store.create(engine, ZOE, NOW)
    store.ask(engine, ZOE, made.id, "C'est quoi le dropout ?", NOW)
    (turn,) = store.list_turns(engine, ZOE, made.id)
    assert (turn.state, turn.question, turn.answer) == ("asked", "C'est quoi le dropout ?", None)
    assert store.history([turn]) == ()
    assert store.find(engine, ZOE, made.id).title == "C'est quoi le dropout ?"


def test_an_answer_is_read_back_whole(engine: Engine) -> None:
    conversation, turn = answered(engine)
    (kept,) = store.list_turns(engine, ZOE, conversation)
    assert kept.state == "done"
    assert kept.citations[0]["quote"] == "Le dropout"
    assert kept.lines[0]["citations"] == [1]
    (earlier,) = store.history([kept])
    assert earlier.subtopics == ("training.dropout",)
    assert store.history([kept], before=turn) == ()


def test_personal_data_are_masked_at_rest(engine: Engine) -> None:
    made = store.create(engine, ZOE, NOW)
    turn = store.ask(engine, ZOE, made.id, f"Mon adresse est {MAIL}, c'est quoi un CNN ?", NOW)
    store.answer(engine, ZOE, turn, reply(f"Bonjour {MAIL}.", question=f"{MAIL} CNN"))
    store.correct(engine, ZOE, turn, f"Demandez à {MAIL}", NOW)
    store.rename(engine, ZOE, made.id, f"Pour {MAIL}")
    assert MAIL not in everything(engine)
    assert "[courriel]" in everything(engine)


def test_nobody_sees_or_changes_another_s(engine: Engine) -> None:
    conversation, turn = answered(engine)
    attempts = [
        lambda: store.find(engine, SAM, conversation),
        lambda: store.list_turns(engine, SAM, conversation),
        lambda: store.export(engine, SAM, conversation),
        lambda: store.rename(engine, SAM, conversation, "mine"),
        lambda: store.choose_level(engine, SAM, conversation, "advanced"),
        lambda: store.remove(engine, SAM, conversation),
        lambda: store.ask(engine, SAM, conversation, "et moi ?", NOW),
        lambda: store.answer(engine, SAM, turn, reply()),
        lambda: store.stop(engine, SAM, turn),
        lambda: store.rate(engine, SAM, turn, "bad", NOW),
        lambda: store.correct(engine, SAM, turn, "non", NOW),
    ]
    before = everything(engine)
    for attempt in attempts:
        with pytest.raises(UserError) as refused:
            attempt()
        assert refused.value.code == "conversation.unknown"
    assert everything(engine) == before
    assert store.list_conversations(engine, SAM) == []


def test_renamed_rated_corrected_exported_deleted(engine: Engine) -> None:
    conversation, turn = answered(engine)
    assert store.rename(engine, ZOE, conversation, "  Mes   révisions ").title == "Mes révisions"
    assert store.choose_level(engine, ZOE, conversation, "advanced").level == "advanced"
    assert store.rate(engine, ZOE, turn, "bad", NOW).rating == "bad"
    assert store.rate(engine, ZOE, turn, None, NOW).rating is None
    correction = store.correct(engine, ZOE, turn, "Il manque l'inférence.", NOW)
    assert store.correct(engine, ZOE, turn, "Il manque l'inférence.", NOW) == correction
    taken = json.loads(json.dumps(store.export(engine, ZOE, conversation)))
    assert taken["title"] == "Mes révisions"
    assert taken["turns"][0]["answer"].startswith("Le dropout")
    store.remove(engine, ZOE, conversation)
    with reading(engine) as connection:
        assert connection.execute(select(turns)).all() == []
        (kept,) = connection.execute(select(answer_corrections)).all()
    assert (kept.turn_id, kept.text, kept.state) == (None, "Il manque l'inférence.", "open")


def test_last_used_first_and_empty_ones_are_not_listed(engine: Engine) -> None:
    first, second = store.create(engine, ZOE, NOW), store.create(engine, ZOE, NOW)
    store.create(engine, ZOE, NOW)
    store.ask(engine, ZOE, second.id, "un ?", NOW + timedelta(minutes=1))
    store.ask(engine, ZOE, first.id, "deux ?", NOW + timedelta(minutes=2))
    assert [found.id for found in store.list_conversations(engine, ZOE)] == [first.id, second.id]


def test_unused_ones_go_after_their_time(engine: Engine) -> None:
    old, _turn = answered(engine)
    store.correct(engine, ZOE, _turn, "Autre chose.", NOW)
    later = NOW + store.KEEP + timedelta(days=1)
    recent = store.create(engine, SAM, later)
    assert store.purge(engine, later) == 1
    assert store.find(engine, SAM, recent.id)
    with pytest.raises(UserError):
        store.find(engine, ZOE, old)


def test_a_browser_s_conversations_go_with_its_person(engine: Engine) -> None:
    conversation, _turn = answered(engine, SAM)
    assert store.adopt(engine, ZOE, SAM) == 1
    assert store.find(engine, ZOE, conversation)


def test_bounds(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_TURNS", 1)
    monkeypatch.setattr(store, "MOST_CONVERSATIONS", 2)
    conversation, _turn = answered(engine)
    with pytest.raises(UserError, match="full"):
        store.ask(engine, ZOE, conversation, "encore ?", NOW)
    for minute in (1, 2):
        store.create(engine, ZOE, NOW + timedelta(minutes=minute))
    with pytest.raises(UserError):
        store.find(engine, ZOE, conversation)


@pytest.mark.parametrize("text", ["", "  \n "])
def test_nothing_is_no_question(engine: Engine, text: str) -> None:
    made = store.create(engine, ZOE, NOW)
    with pytest.raises(UserError, match="empty"):
        store.ask(engine, ZOE, made.id, text, NOW)


def test_a_cookie_is_not_kept(tmp_path: Path) -> None:
    secrets = Secrets(Workspace(tmp_path), {})
    token = owner.new_token()
    assert owner.is_token(token)
    assert not owner.is_token("x")
    who = owner.owner_of_token(token, secrets)
    assert token not in who
    assert who == owner.owner_of_token(token, secrets)
    assert len(who) <= 80
    assert who != owner.owner_of_token(owner.new_token(), secrets)
