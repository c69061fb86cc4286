"""The job table in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, desc, insert, or_, select, text, update

from compagnon.chain.job import LEASE, Job, JobState
from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import jobs


class SqlJobs:
    """The job port on a SQLAlchemy engine; each change is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(self, kind: str, payload: dict[str, Any], asked_by: str, at: datetime) -> Job:
        with writing(self.engine) as connection:
            return _add(connection, kind, payload, asked_by, at)

    def ask(self, kind: str, payload: dict[str, Any], asked_by: str, at: datetime) -> Job:
        same = select(jobs).where(jobs.c.kind == kind, jobs.c.state.in_(("queued", "running")), ~jobs.c.cancel)
        with writing(self.engine) as connection:
            if self.engine.dialect.name == "postgresql":
                # As a transaction of SQLite does: two clicks look one after the other. Reading goes on.
                connection.execute(text(f"LOCK TABLE {jobs.fullname} IN SHARE ROW EXCLUSIVE MODE"))
            for row in connection.execute(same.order_by(jobs.c.id)):
                if row.payload == payload:
                    return _job(row)
            return _add(connection, kind, payload, asked_by, at)

    def claim(
        self, holder: str, at: datetime, kinds: tuple[str, ...] | None = None, job_id: int | None = None
    ) -> Job | None:
        free = or_(jobs.c.state == "queued", (jobs.c.state == "running") & (jobs.c.lease_until < at))
        query = select(jobs.c.id, jobs.c.state).where(free, ~jobs.c.cancel).order_by(jobs.c.id).limit(1)
        if kinds is not None:
            query = query.where(jobs.c.kind.in_(kinds))
        if job_id is not None:
            query = query.where(jobs.c.id == job_id)
        with writing(self.engine) as connection:
            _end_abandoned(connection, at)
            found = connection.execute(query.with_for_update(skip_locked=True)).first()
            if found is None:
                return None
            change = update(jobs).where(jobs.c.id == found.id).returning(*jobs.c)
            values = {"state": "running", "holder": holder, "lease_until": at + LEASE, "started": at}
            return _job(connection.execute(change.values(**values)).one())

    def beat(self, job_id: int, holder: str, at: datetime, progress: dict[str, Any] | None = None) -> bool:
        values: dict[str, Any] = {"lease_until": at + LEASE}
        if progress is not None:
            values["progress"] = progress
        mine = (jobs.c.id == job_id) & (jobs.c.holder == holder) & (jobs.c.state == "running")
        with writing(self.engine) as connection:
            row = connection.execute(update(jobs).where(mine).values(**values).returning(jobs.c.cancel)).first()
        return row is not None and not row.cancel

    def finish(
        self, job_id: int, holder: str, at: datetime, state: JobState, error: dict[str, Any] | None = None
    ) -> None:
        mine = (jobs.c.id == job_id) & (jobs.c.holder == holder)
        with writing(self.engine) as connection:
            connection.execute(update(jobs).where(mine).values(state=state, ended=at, lease_until=None, error=error))

    def cancel(self, job_id: int, at: datetime) -> Job | None:
        with writing(self.engine) as connection:
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job_id, jobs.c.state == "queued")
                .values(state="cancelled", ended=at, cancel=True)
            )
            connection.execute(update(jobs).where(jobs.c.id == job_id, jobs.c.state == "running").values(cancel=True))
            _end_abandoned(connection, at)
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
        return _job(row) if row else None

    def get(self, job_id: int) -> Job | None:
        with reading(self.engine) as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
        return _job(row) if row else None

    def latest(self, limit: int = 20) -> list[Job]:
        with reading(self.engine) as connection:
            return [_job(row) for row in connection.execute(select(jobs).order_by(desc(jobs.c.id)).limit(limit))]


def _add(connection: Connection, kind: str, payload: dict[str, Any], asked_by: str, at: datetime) -> Job:
    values = {
        "kind": kind,
        "payload": payload,
        "asked_by": asked_by,
        "asked": at,
        "state": "queued",
        "cancel": False,
        "progress": {},
    }
    return _job(connection.execute(insert(jobs).values(**values).returning(*jobs.c)).one())


def _end_abandoned(connection: Connection, at: datetime) -> None:
    """Jobs that were asked to stop and whose worker is gone: nobody else would end them."""
    gone = (jobs.c.state == "running") & jobs.c.cancel & (jobs.c.lease_until < at)
    connection.execute(update(jobs).where(gone).values(state="cancelled", ended=at, lease_until=None))


def _job(row: Row[Any]) -> Job:
    moments = {
        name: utc(value) if (value := getattr(row, name)) is not None else None
        for name in ("asked", "lease_until", "started", "ended")
    }
    moments.pop("asked")
    return Job(
        id=row.id,
        kind=row.kind,
        payload=row.payload,
        state=row.state,
        asked=utc(row.asked),
        asked_by=row.asked_by,
        holder=row.holder,
        cancel=row.cancel,
        progress=row.progress,
        error=row.error,
        **moments,
    )
