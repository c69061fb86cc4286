"""Plan and runner: what is valid is not done again, what changed says why, failures keep what was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from toy import Toy

from compagnon.chain.runner import Event
from compagnon.chain.stage import Cancelled, Context
from compagnon.errors import UserError, UserErrors


def states(toy: Toy, **options: Any) -> dict[str, str]:
    return {step.instance.id: step.state for step in toy.chain.plan(**options)}


def reasons(toy: Toy) -> dict[str, str]:
    return {step.instance.id: step.reason for step in toy.chain.plan()}


def test_first_run_does_everything_in_order_and_the_second_nothing(toy: Toy) -> None:
    assert states(toy) == {"read/letters": "missing", "count/letters": "missing"}
    events: list[Event] = []
    steps = toy.chain.run(on_event=events.append)
    assert [event.kind for event in events] == ["started", "progress", "done", "started", "done"]
    assert [step.run.fact("rows_prepared").value for step in steps[1:]] == [3]
    assert states(toy) == {"read/letters": "cached", "count/letters": "cached"}
    toy.chain.run()
    assert (toy.read.calls, toy.count.calls) == (1, 1)
    assert len(toy.ledger.runs()) == 2


def test_a_changed_source_runs_again_and_says_why(toy: Toy) -> None:
    toy.chain.run()
    (toy.root / "letters.txt").write_text("bonsoir")
    assert reasons(toy) == {
        "read/letters": "stale because the source has changed",
        "count/letters": "waits for read/letters",
    }
    toy.chain.run()
    assert (toy.read.calls, toy.count.calls) == (2, 2)


def test_the_same_content_after_collecting_again_stops_the_wave(toy: Toy) -> None:
    toy.chain.run()
    toy.chain.run(refresh=frozenset({"read"}))
    assert (toy.read.calls, toy.count.calls) == (2, 1)


def test_going_back_to_earlier_settings_finds_the_earlier_run(toy: Toy) -> None:
    toy.chain.run()
    first = toy.ledger.last("read/letters")
    toy.read.settings = {"upper": True}
    assert reasons(toy)["read/letters"] == "stale because settings have changed: upper"
    toy.chain.run()
    toy.read.settings = {"upper": False}
    steps = toy.chain.run()
    assert toy.read.calls == 2
    again = toy.ledger.last("read/letters")
    assert steps[0].run == again
    assert (again.key, again.outputs, again.facts) == (first.key, first.outputs, first.facts)
    assert toy.ledger.last("count/letters").inputs == {"rows/letters": first.outputs[0].digest}
    count = len(toy.ledger.runs())
    toy.chain.run()
    assert len(toy.ledger.runs()) == count


def test_missing_files_are_made_again(toy: Toy) -> None:
    steps = toy.chain.run()
    artifact = toy.chain.artifacts.get("raw", steps[0].run.outputs[0].digest)
    path = toy.chain.artifacts.paths(artifact)[0]
    path.unlink()
    assert reasons(toy)["read/letters"] == "files it made are missing or altered"
    toy.chain.run()
    assert path.read_text() == "bonjour"


def test_an_altered_byte_is_found_by_verify(toy: Toy) -> None:
    steps = toy.chain.run()
    artifacts = toy.chain.artifacts
    artifact = artifacts.get("raw", steps[0].run.outputs[0].digest)
    artifacts.verify(artifact)
    path = artifacts.paths(artifact)[0]
    path.chmod(0o600)
    path.write_text("bonjouR")
    with pytest.raises(UserError) as caught:
        artifacts.verify(artifact)
    assert caught.value.code == "artifact.altered"


def test_freshness_settles_without_looking(toy: Toy) -> None:
    toy.read.fresh_for = timedelta(hours=1)
    toy.chain.run()
    (toy.root / "letters.txt").write_text("bonsoir")
    toy.clock.move(minutes=30)
    assert reasons(toy)["read/letters"] == "still fresh"
    toy.clock.move(hours=1)
    assert states(toy)["read/letters"] == "stale"


def test_a_clock_that_went_back_is_said_and_freshness_not_trusted(toy: Toy) -> None:
    toy.read.fresh_for = timedelta(days=400)
    toy.chain.run()
    toy.clock.move(days=-30)
    assert "dated in the future" in reasons(toy)["read/letters"]
    toy.chain.run()
    assert toy.read.calls == 2
    assert [run.stage for run in toy.ledger.runs(limit=1)] == ["read/letters"]


def test_a_source_without_a_token_is_collected_each_run_but_valid_in_a_status(toy: Toy) -> None:
    toy.read.blind = True
    toy.chain.run()
    assert states(toy, looking=True)["read/letters"] == "stale"
    assert states(toy, looking=False) == {"read/letters": "cached", "count/letters": "cached"}
    toy.chain.run()
    assert (toy.read.calls, toy.count.calls) == (2, 1)


def test_without_a_token_an_earlier_run_with_the_same_settings_says_nothing(toy: Toy) -> None:
    toy.read.blind = True
    toy.chain.run()
    toy.read.settings = {"upper": True}
    toy.chain.run()
    (toy.root / "letters.txt").write_text("bonsoir")
    toy.read.settings = {"upper": False}
    assert reasons(toy)["read/letters"] == "stale because settings have changed: upper"
    toy.chain.run()
    assert toy.ledger.last("read/letters").fact("rows_collected").value == len("bonsoir")


def test_a_failure_is_recorded_and_keeps_what_was(toy: Toy) -> None:
    toy.chain.run()
    (toy.root / "letters.txt").write_text("bonsoir")

    def fail(context: Context) -> None:
        raise UserError("collect.source-down", "The source does not answer.")

    toy.read.before = fail
    with pytest.raises(UserErrors) as caught:
        toy.chain.run()
    assert caught.value.code == "collect.source-down"
    steps = {step.instance.id: step for step in toy.chain.plan()}
    assert steps["read/letters"].state == "failed"
    assert steps["read/letters"].run.status == "done"
    assert steps["count/letters"].state == "stale"
    toy.read.before = lambda context: None
    toy.chain.run()
    assert states(toy) == {"read/letters": "cached", "count/letters": "cached"}


def test_a_stop_keeps_what_is_done(toy: Toy) -> None:
    asked = iter([False, False, True, True, True])
    with pytest.raises(Cancelled):
        toy.chain.run(is_cancelled=lambda: next(asked))
    assert toy.read.calls == 1
    assert toy.count.calls == 0
    toy.chain.run()
    assert (toy.read.calls, toy.count.calls) == (1, 1)


def test_only_what_a_stage_needs_is_run(toy: Toy) -> None:
    toy.chain.run(to="read")
    assert (toy.read.calls, toy.count.calls) == (1, 0)
    with pytest.raises(UserError) as caught:
        toy.chain.run(to="nothing")
    assert caught.value.code == "plan.unknown-stage"
    assert "read/letters" in str(caught.value)


def test_scratch_of_a_killed_run_is_cleaned(toy: Toy) -> None:
    left = toy.workspace.scratch / "dead"
    left.mkdir(parents=True)
    (left / "half.txt").write_text("half")
    toy.chain.run()
    assert list(toy.workspace.scratch.iterdir()) == []


def test_restricted_zones_are_closed_to_others(toy: Toy) -> None:
    toy.chain.run()
    for zone in ("raw", "quarantine"):
        assert toy.workspace.zone(zone).stat().st_mode & 0o777 == 0o700
    assert toy.workspace.database_file.stat().st_mode & 0o777 == 0o600


def test_after_is_called_for_valid_runs_too(toy: Toy) -> None:
    steps = toy.chain.run()
    pointer = toy.workspace.home / "pointer"
    pointer.unlink()
    toy.chain.run()
    assert pointer.read_text() == steps[0].run.outputs[0].digest
