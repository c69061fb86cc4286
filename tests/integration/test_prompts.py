"""Prompts played over HTTP against the emulated service: kept, resumed, within ceilings, shipped or refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prompting import ANSWERABLE, prompting, variant
from sqlalchemy import Engine

from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.errors import GateRefused, UserError
from compagnon.sandbox.mistral import Emulator
from compagnon.services.tutor.prompts import job as plays
from compagnon.services.tutor.prompts import scores, ship
from compagnon.services.tutor.prompts.play import Conditions, Stage, Step, hear_all, play
from compagnon.services.tutor.prompts.questions import Asked, QuestionSet, read_questions
from compagnon.services.tutor.prompts.variant import Variant, found, read_variant, shipped
from compagnon.solution import Solution

Here = tuple[Solution, Emulator]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with prompting(tmp_path) as made:
        yield made


def staged(solution: Solution) -> tuple[Stage, Conditions]:
    stage = Stage(solution)
    return stage, stage.conditions(read_questions(solution, None, stage.base))


def played(solution: Solution, variant: Variant, **more: Any) -> Conditions:
    stage, conditions = staged(solution)
    play(stage, variant, conditions, **more)
    return conditions


def test_a_play_is_kept_and_goes_on_where_it_was_stopped(here: Here) -> None:
    solution, service = here
    now = shipped(solution)
    steps: list[Step] = []
    conditions = played(solution, now, on_step=steps.append, is_cancelled=lambda: len(steps) == 1)
    assert [answer.number for answer in scores.answers(solution.engine, now.digest, conditions.digest)] == [1]
    asked = len(service.seen)
    assert played(solution, now, on_step=steps.append) == conditions
    assert [step.done for step in steps] == [1, 2, 3, 4]
    # The refused question asks nothing, and no question is asked twice.
    assert (asked, len(service.seen)) == (1, ANSWERABLE)
    (score,) = scores.latest(solution.engine)
    assert score.whole
    assert score.means["decided"] == score.means["kept"] == score.means["resolved"] == 1
    assert (score.means["tokens"] or 0) > 100
    played(solution, now)
    assert len(service.seen) == ANSWERABLE
    played(solution, now, again=True)
    assert len(service.seen) == 2 * ANSWERABLE


def test_two_answers_side_by_side(here: Here) -> None:
    solution, _service = here
    stage = Stage(solution)
    variants = [read_variant(solution, name) for name in ("prompts/answer.md", "prompts/bad.md")]
    asked = Asked(question="C'est quoi une convolution sur une image ?", expected=("cnn.convolution",))
    good, bad = hear_all(stage, variants, asked)
    assert good.reply.provider == "school"
    assert len(good.lines) >= 2
    assert (bad.reply.provider, bad.lines, bad.reply.dropped) == ("extract", (), 1)
    assert "Mars" in bad.raw
    assert "Mars" not in bad.reply.answer


def test_a_ceiling_stops_a_play(tmp_path: Path) -> None:
    with prompting(tmp_path, ceiling="tokens: 6000") as (solution, service):
        stage, conditions = staged(solution)
        with pytest.raises(UserError) as error:
            play(stage, shipped(solution), conditions)
        assert error.value.code == "provider.ceiling"
        kept = scores.answers(solution.engine, shipped(solution).digest, conditions.digest)
        assert 1 <= len(kept) == len(service.seen) < ANSWERABLE


def test_failures_are_not_scores(here: Here) -> None:
    solution, service = here
    service.always = "unauthorized"
    stage, conditions = staged(solution)
    with pytest.raises(UserError) as error:
        play(stage, shipped(solution), conditions)
    assert error.value.code == "provider.unauthorized"
    assert scores.answers(solution.engine, shipped(solution).digest, conditions.digest) == []


def test_without_a_model_a_prompt_changes_nothing(here: Here) -> None:
    with pytest.raises(UserError) as error:
        Stage(here[0], "extract")
    assert error.value.code == "prompt.no-model"


def test_a_prompt_ships_once_it_was_played_and_nothing_got_worse(here: Here) -> None:
    solution, _service = here
    before, b = shipped(solution), read_variant(solution, "prompts/b.md")
    _stage, conditions = staged(solution)
    with pytest.raises(GateRefused) as unplayed:
        ship.prepare(solution, b, conditions)
    assert unplayed.value.code == "prompt.not-played"
    for each in (before, b):
        played(solution, each)
    file = solution.root / "prompts" / "answer.md"
    text = file.read_text(encoding="utf-8")
    made = ship.prepare(solution, b, conditions)
    assert file.read_text(encoding="utf-8") == text
    assert "+6. Restez bref." in made.patch
    ship.write(solution, made, "zoe")
    assert file.read_text(encoding="utf-8") == made.content
    assert (solution.root / "prompts" / "versions" / "answer-1.md").read_text(encoding="utf-8") == text
    now = shipped(solution)
    assert (now.version, now.digest) == ("2", b.digest)
    assert [each.name for each in found(solution)] == [
        "prompts/answer.md", "prompts/b.md", "prompts/bad.md", "prompts/versions/answer-1.md",
    ]  # fmt: skip
    (note,) = solution.ledger.notes()
    assert note.author == "zoe"
    with pytest.raises(UserError) as same:
        ship.prepare(solution, b, conditions)
    assert same.value.code == "prompt.same"
    # The difference that was shown is not that of the file any more.
    with pytest.raises(UserError) as changed:
        ship.write(solution, made, "zoe")
    assert changed.value.code == "prompt.file-changed"


def test_a_worse_prompt_is_refused(here: Here) -> None:
    solution, _service = here
    bad = read_variant(solution, "prompts/bad.md")
    for each in (shipped(solution), bad):
        conditions = played(solution, each)
    with pytest.raises(GateRefused) as error:
        ship.prepare(solution, bad, conditions)
    assert error.value.code == "prompt.worse"
    assert error.value.exit_code == 3
    assert "1.00 → 0.00" in str(error.value)


def test_another_base_or_model_is_another_condition(here: Here) -> None:
    solution, _service = here
    _stage, conditions = staged(solution)
    file = solution.root / "knowledge" / "cnn.json"
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert staged(solution)[1].digest != conditions.digest


def test_a_play_as_a_job(here: Here) -> None:
    solution, service = here
    b = Variant("b", "", variant("6. Restez bref.").partition("---\n")[2].partition("---\n")[2])
    job = plays.ask(solution, b, "school", "zoe")
    assert plays.ask(solution, b, "school", "sam").id == job.id
    assert plays.work_once(solution)
    done = plays.last(solution)
    assert done is not None
    assert (done.state, done.progress["done"], done.progress["total"]) == ("done", 4, 4)
    assert plays.work_once(solution) is None
    assert len(service.seen) == ANSWERABLE
    service.always = "unauthorized"
    other = plays.ask(solution, read_variant(solution, "prompts/bad.md"), "school", "zoe")
    plays.work_once(solution)
    failed = solution.jobs.get(other.id)
    assert failed is not None
    assert (failed.state, bool(failed.error)) == ("failed", True)


@pytest.mark.postgresql
def test_scores_on_postgresql(postgresql: str, tmp_path: Path) -> None:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS prompts")
        connection.execute("CREATE DATABASE prompts")
    engine: Engine = open_database(Workspace(tmp_path), postgresql.rpartition("/")[0] + "/prompts")
    try:
        prompt, asked = Variant("b.md", "1", "Bonjour"), (Asked(question="a", refuse=True),) * 2
        conditions = Conditions(QuestionSet("set", asked, "0"), "school", "m", "c" * 64)
        at = Solution(tmp_path).clock.now()
        for _time in range(2):
            scores.keep_variant(engine, prompt, at)
            for number in (2, 1):
                answer = scores.Answer(number, "a", at, "", "m", {"decided": float(number - 1), "cost": None})
                scores.keep(engine, prompt.digest, conditions, answer)
        assert [one.number for one in scores.answers(engine, prompt.digest, conditions.digest)] == [1, 2]
        (score,) = scores.latest(engine)
        assert (score.whole, score.means["decided"], score.means["cost"]) == (True, 0.5, None)
        assert scores.find_variant(engine, prompt.digest) == prompt
        scores.forget(engine, prompt.digest, conditions.digest)
        assert scores.latest(engine) == []
    finally:
        engine.dispose()
