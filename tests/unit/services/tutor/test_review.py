"""Corrections enter the base by an exact difference, with their history, or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from knowledge_base import subtopic, topic, write
from sqlalchemy import Engine, insert

from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.database.ledger import writing
from compagnon.database.tables import answer_corrections
from compagnon.errors import UserError
from compagnon.services.tutor import review
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.passages import passages, resolve

NOW = datetime(2026, 11, 21, 13, tzinfo=UTC)
FIRST = "cnn.convolution/example/0"


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return load(write(tmp_path / "knowledge", topic("cnn", subtopic("cnn.convolution"))))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = open_database(Workspace(tmp_path))
    with writing(made) as connection:
        connection.execute(
            insert(answer_corrections).values(
                at=NOW, author="person:a", question="q", answer="a", text="t", subtopic=None, state="open"
            )
        )
    return made


def accept(engine: Engine, base: Base, proposal: review.Proposal) -> None:
    review.accept(engine, base, 1, proposal, by="person:t", why="Exact.", now=NOW)


def test_a_proposal_writes_nothing_and_shows_one_change(base: Base) -> None:
    before = (base.folder / "cnn.json").read_bytes()
    proposal = review.propose(base, FIRST, "Autre chose.")
    assert (base.folder / "cnn.json").read_bytes() == before
    changed = [line for line in proposal.patch.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert len(changed) == 2
    assert "Autre chose." in changed[1]


def test_an_accepted_one_is_in_the_base_with_its_history(base: Base, engine: Engine) -> None:
    old = resolve(FIRST, base).text
    accept(engine, base, review.propose(base, FIRST, "Autre chose."))
    again = load(base.folder)
    assert resolve(FIRST, again).text == "Autre chose."
    line = review.history(again)[1]
    assert (line["before"], line["after"], line["by"], line["why"]) == (old, "Autre chose.", "person:t", "Exact.")
    decided = review.find(engine, 1)
    assert (decided.state, decided.decided_by, decided.decided) == ("accepted", "person:t", NOW)
    assert not list(base.folder.glob("*.new"))


def test_a_file_that_changed_meanwhile_is_left_alone_and_the_correction_waits(base: Base, engine: Engine) -> None:
    proposal = review.propose(base, FIRST, "Autre chose.")
    path = base.folder / "cnn.json"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(UserError, match="changed meanwhile"):
        accept(engine, base, proposal)
    assert "Autre chose." not in path.read_text(encoding="utf-8")
    assert review.find(engine, 1).state == "open"
    assert review.history(base) == {}


def test_a_correction_is_decided_once(base: Base, engine: Engine) -> None:
    review.refuse(engine, 1, by="person:t", why="Non.", now=NOW)
    with pytest.raises(UserError, match="decided already"):
        accept(engine, base, review.propose(base, FIRST, "Autre chose."))
    assert "Autre chose." not in (base.folder / "cnn.json").read_text(encoding="utf-8")
    assert review.count_waiting(engine) == 0


@pytest.mark.parametrize(("passage", "text"), [(FIRST, "  "), ("cnn.convolution/content/99", "x"), ("../x", "x")])
def test_what_cannot_be_proposed(base: Base, passage: str, text: str) -> None:
    with pytest.raises(UserError):
        review.propose(base, passage, text)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=80), place=st.integers(0, 5))
def test_any_text_changes_that_passage_alone(base: Base, text: str, place: int) -> None:
    found = list(passages(base.subtopic("cnn.convolution")))
    passage = found[place % len(found)]
    try:
        proposal = review.propose(base, passage.id, text)
    except UserError as refused:
        assert refused.code in ("correction.no-change", "correction.by-hand", "correction.not-valid")  # noqa: PT017
        return
    new, old = json.loads(proposal.content), json.loads((base.folder / "cnn.json").read_text(encoding="utf-8"))
    field = {"content": "content", "example": "examples", "misconception": "misconceptions", "glossary": "glossary"}
    for each in (new, old):
        del each["subtopics"][0][field[passage.part]]
    assert new == old
