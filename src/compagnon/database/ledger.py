"""The ledger in SQL (SQLite or PostgreSQL). Triggers refuse changing or deleting a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, desc, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from compagnon.chain.fact import Fact
from compagnon.chain.ledger import Correction, Note
from compagnon.chain.run import RUN_VERSION, Output, Run, Status
from compagnon.database import tables
from compagnon.database.engine import explain


def utc(value: datetime) -> datetime:
    """SQLite gives back naive times; all that is stored is UTC."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that takes no write lock."""
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            yield connection
    except DBAPIError as error:
        raise explain(error) from error


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A short transaction, durable when the block ends."""
    try:
        with engine.begin() as connection:
            yield connection
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise explain(error) from error


class SqlLedger:
    """The ledger port on a SQLAlchemy engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def append(self, run: Run) -> None:
        values = {
            "id": run.id,
            "version": RUN_VERSION,
            "stage": run.stage,
            "status": run.status,
            "key": run.key,
            "key_digest": run.key_digest,
            "started": run.started,
            "ended": run.ended,
            "reason": run.reason,
            "spec": run.spec,
            "inputs": run.inputs,
            "outputs": [vars(output) for output in run.outputs],
            "facts": [{"name": fact.name, **fact.as_dict()} for fact in run.facts],
            "warnings": list(run.warnings),
            "environment": run.environment,
            "error": run.error,
        }
        with writing(self.engine) as connection:
            connection.execute(insert(tables.runs).values(**values))

    def run(self, run_id: str) -> Run | None:
        query = select(tables.runs).where(tables.runs.c.id.startswith(run_id, autoescape=True)).limit(2)
        with reading(self.engine) as connection:
            rows = connection.execute(query).all()
        return _run(rows[0]) if len(rows) == 1 else None

    def runs(self, stage: str | None = None, limit: int | None = None) -> list[Run]:
        query = select(tables.runs).order_by(desc(tables.runs.c.seq))
        if stage is not None:
            query = query.where(tables.runs.c.stage == stage)
        if limit is not None:
            query = query.limit(limit)
        with reading(self.engine) as connection:
            return [_run(row) for row in connection.execute(query)]

    def last(self, stage: str, status: Status = "done") -> Run | None:
        where = (tables.runs.c.stage == stage) & (tables.runs.c.status == status)
        return self._first(where)

    def find(self, stage: str, key_digest: str) -> Run | None:
        runs = tables.runs.c
        return self._first((runs.stage == stage) & (runs.key_digest == key_digest) & (runs.status == "done"))

    def _first(self, where: Any) -> Run | None:
        query = select(tables.runs).where(where).order_by(desc(tables.runs.c.seq)).limit(1)
        with reading(self.engine) as connection:
            row = connection.execute(query).first()
        return _run(row) if row else None

    def add_spec(self, digest: str, text: str) -> None:
        if self.spec(digest) is None:
            # Another command may add the same text at the same time: it is the same content, so nothing is lost.
            with contextlib.suppress(IntegrityError), writing(self.engine) as connection:
                connection.execute(insert(tables.specs).values(digest=digest, text=text))

    def spec(self, digest: str) -> str | None:
        with reading(self.engine) as connection:
            return connection.execute(select(tables.specs.c.text).where(tables.specs.c.digest == digest)).scalar()

    def add_note(self, text: str, author: str, at: datetime, about: str | None = None) -> Note:
        values = {"text": text, "author": author, "at": at, "about": about}
        with writing(self.engine) as connection:
            row_id = connection.execute(insert(tables.notes).values(**values).returning(tables.notes.c.id)).scalar_one()
        return Note(row_id, at, author, text, about)

    def notes(self) -> list[Note]:
        with reading(self.engine) as connection:
            rows = connection.execute(select(tables.notes).order_by(desc(tables.notes.c.id)))
            return [Note(r.id, utc(r.at), r.author, r.text, r.about) for r in rows]

    def add_correction(
        self,
        at: datetime,
        author: str,
        table: str,
        row_id: str,
        kind: Literal["restore", "correct"],
        column: str | None = None,
        value: str | None = None,
        because: str = "",
    ) -> Correction:
        columns = tables.corrections
        query = insert(columns).values(
            at=at,
            author=author,
            table_name=table,
            row_id=row_id,
            kind=kind,
            column_name=column,
            value=value,
            because=because,
        )
        with writing(self.engine) as connection:
            number = connection.execute(query.returning(columns.c.id)).scalar_one()
        return Correction(number, at, author, table, row_id, kind, column, value, because)

    def corrections(self, table: str) -> list[Correction]:
        columns = tables.corrections
        query = select(columns).where(columns.c.table_name == table).order_by(columns.c.id)
        with reading(self.engine) as connection:
            return [
                Correction(r.id, utc(r.at), r.author, r.table_name, r.row_id, r.kind, r.column_name, r.value, r.because)
                for r in connection.execute(query)
            ]


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        stage=row.stage,
        status=row.status,
        key=row.key,
        started=utc(row.started),
        ended=utc(row.ended),
        reason=row.reason,
        spec=row.spec,
        inputs=row.inputs,
        outputs=tuple(Output(**output) for output in row.outputs),
        facts=tuple(Fact(**fact) for fact in row.facts),
        warnings=tuple(row.warnings),
        environment=row.environment,
        error=row.error,
    )
