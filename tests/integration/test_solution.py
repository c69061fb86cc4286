"""``Solution``: what each command and page stands on, on a small solution that really runs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from compagnon import Solution, UserError
from compagnon.chain.clock import SystemClock
from compagnon.chain.runner import Event
from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.database.jobs import SqlJobs


def test_a_run_leaves_a_job_and_pages_can_read_its_progress(small_solution: Path) -> None:
    solution = Solution(small_solution)
    events: list[Event] = []
    steps = solution.run(on_event=events.append, asked_by="a test")
    assert {step.state for step in steps} == {"cached"}
    [job] = solution.jobs.latest()
    assert (job.kind, job.state, job.asked_by) == ("run", "done", "a test")
    assert job.progress["stage"] == steps[-1].instance.id
    assert {step.state for step in solution.status()} == {"cached"}
    solution.close()


def test_a_run_stops_when_its_job_is_cancelled_and_goes_on_afterwards(small_solution: Path) -> None:
    solution = Solution(small_solution)

    def stop(event: Event) -> None:
        if event.kind == "done" and event.stage == "prepare/messages":
            [job] = solution.jobs.latest(1)
            solution.jobs.cancel(job.id, solution.clock.now())

    with pytest.raises(UserError) as caught:
        solution.run(on_event=stop)
    assert caught.value.code == "run.cancelled"
    assert solution.jobs.latest(1)[0].state == "cancelled"
    assert solution.current("prepare/messages") is not None
    assert solution.current("package/theme") is None
    kinds = [event.kind for event in run_again(solution) if event.stage == "prepare/messages"]
    assert kinds == ["cached"]
    solution.close()


def run_again(solution: Solution) -> list[Event]:
    events: list[Event] = []
    solution.run(on_event=events.append)
    return events


def test_a_worker_does_what_was_asked_for_elsewhere(small_solution: Path) -> None:
    solution = Solution(small_solution)
    assert solution.work_once() is None
    solution.jobs.add("run", {"to": "collect", "refresh": []}, "a page", solution.clock.now())
    job = solution.work_once()
    assert job is not None
    assert solution.jobs.get(job.id).state == "done"
    assert solution.current("collect/shop") is not None
    assert solution.current("prepare/messages") is None
    solution.close()


def test_a_failed_run_is_a_failed_job_with_its_reason(small_solution: Path) -> None:
    for path in (small_solution / "data").iterdir():
        path.unlink()
    solution = Solution(small_solution)
    with pytest.raises(UserError):
        solution.run()
    [job] = solution.jobs.latest()
    assert job.state == "failed"
    assert "messages" in job.error["what"]
    solution.close()


def test_facts_and_artifacts_from_python(small_solution_run: Path) -> None:
    solution = Solution(small_solution_run)
    facts = solution.facts("prepare/messages")
    assert facts["rows_read"].value == facts["rows_prepared"].value + facts["rows_rejected"].value
    table = solution.artifact("prepare/messages", "table/messages")
    assert table is not None
    assert table.rows == facts["rows_prepared"].value
    assert solution.facts("train/nothing") == {}
    solution.close()


def test_a_note_is_kept_and_an_empty_one_refused(small_solution: Path) -> None:
    solution = Solution(small_solution)
    solution.note("  Le seuil reste à 0,4.  ", about="train/theme", by="prof")
    assert [(n.text, n.author, n.about) for n in solution.ledger.notes()] == [
        ("Le seuil reste à 0,4.", "prof", "train/theme")
    ]
    with pytest.raises(UserError):
        solution.note("  ")
    solution.close()


def test_the_ledger_of_a_solution_may_be_in_postgresql(small_solution: Path, postgresql: str) -> None:
    """The same chain with ledger and operations in PostgreSQL, by one setting; runs stay append-only there too."""
    code = textwrap.dedent(
        """
        import sys
        from sqlalchemy import text
        from sqlalchemy.exc import DBAPIError
        from compagnon import Solution
        solution = Solution(sys.argv[1])
        solution.run()
        assert {step.state for step in solution.status()} == {"cached"}
        assert solution.engine.dialect.name == "postgresql"
        solution.note("gardé ailleurs")
        try:
            with solution.engine.begin() as connection:
                connection.execute(text("delete from runs"))
        except DBAPIError as error:
            assert "append-only" in str(error)
        else:
            raise AssertionError("a run could be deleted")
        print(len(solution.ledger.runs()))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(small_solution)],
        env={**os.environ, "COMPAGNON_DATABASE": postgresql},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 5
    assert not (small_solution / ".compagnon" / "compagnon.sqlite").exists()


def test_resuming_does_what_was_left_and_not_what_was_done(small_solution_run: Path) -> None:
    solution = Solution(small_solution_run)
    stages = [instance.id for instance in solution.chain.instances()]
    job = solution.jobs.add("run", {"to": None, "refresh": stages}, "a page", solution.clock.now())

    def stop(event: Event) -> None:
        if event.kind == "done" and event.stage == "prepare/messages":
            solution.jobs.cancel(job.id, solution.clock.now())

    solution.work_once(stop)
    assert solution.jobs.get(job.id).state == "cancelled"
    resumed = solution.resume(job.id)
    assert set(resumed.payload["refresh"]) == set(stages) - {"collect/shop", "prepare/messages"}
    assert solution.resume(job.id).id == resumed.id
    kinds: dict[str, str] = {}
    solution.work_once(lambda event: kinds.update({event.stage: event.kind}))
    assert (kinds["prepare/messages"], kinds["train/theme"]) == ("cached", "done")
    for asked, code in ((resumed.id, "run.nothing-to-resume"), (999, "run.unknown-job")):
        with pytest.raises(UserError) as caught:
            solution.resume(asked)
        assert caught.value.code == code
    solution.close()


def test_two_clicks_at_once_are_one_job_on_postgresql(postgresql: str, tmp_path: Path) -> None:
    engine = open_database(Workspace(tmp_path), postgresql)
    jobs, now = SqlJobs(engine), SystemClock().now()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _n: jobs.ask("run", {"to": "clicks"}, "x", now).id, range(16)))
    assert len(set(found)) == 1
    engine.dispose()
