"""Jobs: durable pieces of work with a lease, a progress that everybody can read, and a way to stop them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
LEASE = timedelta(seconds=30)
"""How long a running job may be silent before another worker may take it up."""


@dataclass(frozen=True)
class Job:
    """One piece of work. ``progress`` is the latest event, as pages and the command line show it."""

    id: int
    kind: str
    payload: dict[str, Any]
    state: JobState
    asked: datetime
    asked_by: str = ""
    holder: str | None = None
    lease_until: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    cancel: bool = False
    progress: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        moments = {name: getattr(self, name) for name in ("asked", "started", "ended", "lease_until")}
        return {
            "id": self.id,
            "kind": self.kind,
            "payload": self.payload,
            "state": self.state,
            "asked_by": self.asked_by,
            "holder": self.holder,
            "cancel": self.cancel,
            "progress": self.progress,
            "error": self.error,
            **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
        }


class JobTable(Protocol):
    """Where jobs are kept. Implementation: ``compagnon.database.jobs``."""

    def add(self, kind: str, payload: dict[str, Any], asked_by: str, at: datetime) -> Job: ...

    def ask(self, kind: str, payload: dict[str, Any], asked_by: str, at: datetime) -> Job:
        """As ``add``, unless the same work waits or is being done: then that job, for a second click or person."""

    def claim(
        self, holder: str, at: datetime, kinds: tuple[str, ...] | None = None, job_id: int | None = None
    ) -> Job | None:
        """Take the oldest queued job, or a running one whose lease has ended; None if there is none."""

    def beat(self, job_id: int, holder: str, at: datetime, progress: dict[str, Any] | None = None) -> bool:
        """Renew the lease and say how far the work is; False when the job was asked to stop or taken by another."""

    def finish(
        self, job_id: int, holder: str, at: datetime, state: JobState, error: dict[str, Any] | None = None
    ) -> None: ...

    def cancel(self, job_id: int, at: datetime) -> Job | None:
        """Ask a job to stop: at once if it is queued or its worker is gone, at its next progress if it runs."""

    def get(self, job_id: int) -> Job | None: ...

    def latest(self, limit: int = 20) -> list[Job]: ...
