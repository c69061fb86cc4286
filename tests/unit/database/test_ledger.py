"""The ledger and the job table on SQLite (PostgreSQL: tests/integration)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from compagnon.chain.job import LEASE
from compagnon.chain.workspace import Workspace
from compagnon.database import engine as engines
from compagnon.database.engine import open_database
from compagnon.database.jobs import SqlJobs
from compagnon.database.tables import metadata

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(Workspace(tmp_path), f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield engine
    engine.dispose()


def test_the_migrations_make_the_tables_that_the_code_expects(engine: Engine) -> None:
    inspector = inspect(engine)
    for table in metadata.sorted_tables:
        found = {column["name"]: column for column in inspector.get_columns(table.name)}
        assert set(found) == {column.name for column in table.columns}, table.name
        for column in table.columns:
            assert bool(found[column.name]["nullable"]) == bool(column.nullable), (table.name, column.name)


def test_head_is_the_newest_migration() -> None:
    newest = max(path.name.split("_")[0] for path in (engines.MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert newest == engines.HEAD


def test_opening_again_loads_no_alembic(engine: Engine, tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from compagnon.chain.workspace import Workspace; "
        "from compagnon.database.engine import open_database; "
        f"open_database(Workspace(Path({str(tmp_path)!r})), 'sqlite:///{tmp_path / 'ledger.sqlite'}'); "
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("table", ["runs", "corrections"])
def test_the_database_refuses_to_change_what_is_append_only(engine: Engine, table: str) -> None:
    values = {
        "runs": "insert into runs (id, version, stage, status, key, key_digest, started, ended, reason, spec, inputs, "
        "outputs, facts, warnings, environment) values "
        "('a', 1, 's', 'done', '{}', 'k', '2026-01-01', '2026-01-01', '', '', '{}', '[]', '[]', '[]', '{}')",
        "corrections": "insert into corrections (at, author, table_name, row_id, kind, because) "
        "values ('2026-01-01', 'a', 't', 'r', 'restore', '')",
    }
    with engine.begin() as connection:
        connection.execute(text(values[table]))
    for statement in (f"delete from {table}", f"update {table} set id = id"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))


def test_every_table_says_whether_it_holds_personal_data() -> None:
    assert all("personal" in table.info for table in metadata.sorted_tables)


def test_a_job_is_taken_once_and_again_when_its_lease_ends(engine: Engine) -> None:
    jobs = SqlJobs(engine)
    job = jobs.add("run", {"to": None}, "someone", NOW)
    first = jobs.claim("one", NOW)
    assert first is not None
    assert first.id == job.id
    assert jobs.claim("two", NOW) is None
    assert jobs.beat(job.id, "one", NOW, {"stage": "train/topic"})
    later = NOW + LEASE + timedelta(seconds=1)
    second = jobs.claim("two", later)
    assert second is not None
    assert second.progress == {"stage": "train/topic"}
    assert not jobs.beat(job.id, "one", later)
    jobs.finish(job.id, "one", later, "done")
    assert jobs.get(job.id).state == "running"
    jobs.finish(job.id, "two", later, "done")
    assert jobs.get(job.id).state == "done"


def test_the_same_work_asked_for_twice_is_one_job_until_it_ends(engine: Engine) -> None:
    jobs = SqlJobs(engine)
    first = jobs.ask("run", {"to": None, "refresh": ["a"]}, "one", NOW)
    assert jobs.ask("run", {"to": None, "refresh": ["a"]}, "two", NOW).id == first.id
    other = jobs.ask("run", {"to": None, "refresh": []}, "two", NOW)
    assert other.id != first.id
    assert jobs.ask("purge", {"to": None, "refresh": []}, "two", NOW).id not in (first.id, other.id)
    jobs.claim("worker", NOW, job_id=first.id)
    assert jobs.ask("run", first.payload, "three", NOW).id == first.id
    jobs.cancel(first.id, NOW)  # it is about to stop: asking again is new work
    again = jobs.ask("run", first.payload, "three", NOW)
    assert again.id != first.id
    jobs.claim("worker", NOW, job_id=again.id)
    jobs.finish(again.id, "worker", NOW, "done")
    assert jobs.ask("run", first.payload, "three", NOW).id != again.id


def test_many_who_ask_at_once_get_one_job(engine: Engine) -> None:
    jobs = SqlJobs(engine)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _n: jobs.ask("run", {"to": None}, "x", NOW).id, range(16)))
    assert len(set(found)) == 1


def test_a_job_that_was_to_stop_ends_when_its_worker_is_gone(engine: Engine) -> None:
    jobs, later = SqlJobs(engine), NOW + LEASE + timedelta(seconds=1)
    job, other = jobs.add("run", {}, "x", NOW), jobs.add("run", {}, "x", NOW)
    for each in (job, other):
        jobs.claim("gone", NOW, job_id=each.id)
    jobs.cancel(job.id, NOW)
    assert jobs.get(job.id).state == "running"  # it may still be at work
    assert jobs.claim("another", later).id == other.id
    assert jobs.get(job.id).state == "cancelled"
    assert jobs.cancel(other.id, later + LEASE + timedelta(seconds=1)).state == "cancelled"


def test_a_job_is_stopped_at_once_when_queued_and_at_its_next_beat_when_running(engine: Engine) -> None:
    jobs = SqlJobs(engine)
    queued, running = jobs.add("run", {}, "someone", NOW), jobs.add("run", {}, "someone", NOW)
    jobs.claim("one", NOW, job_id=running.id)
    assert jobs.cancel(queued.id, NOW).state == "cancelled"
    assert jobs.cancel(running.id, NOW).state == "running"
    assert not jobs.beat(running.id, "one", NOW)


def test_two_writers_wait_for_each_other(engine: Engine) -> None:
    import threading

    jobs = SqlJobs(engine)
    errors: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(20):
                jobs.add("run", {}, "someone", NOW)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(jobs.latest(100)) == 80


def test_a_newer_database_is_refused(engine: Engine, tmp_path: Path) -> None:
    from compagnon.errors import UserError

    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(UserError) as caught:
        open_database(Workspace(tmp_path), f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    assert caught.value.code == "database.newer"
