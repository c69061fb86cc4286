"""The sign of life of a job at work: its lease renewed from a thread, which also hears that the job is to stop."""

from __future__ import annotations

import threading
from typing import Any

from compagnon.chain.clock import Clock
from compagnon.chain.job import JobTable
from compagnon.errors import UserError

EVERY, EVERY_WITH_PROGRESS = 5.0, 1.0
"""Seconds between two signs of life; and once there is progress to tell."""


class Heartbeat:
    """Renews a job's lease while its block lasts; ``cancelled`` once the job was asked to stop."""

    def __init__(self, jobs: JobTable, job_id: int, holder: str, clock: Clock) -> None:
        self.jobs, self.job_id, self.holder, self.clock = jobs, job_id, holder, clock
        self.progress: dict[str, Any] | None = None
        self.cancelled = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="job-lease", daemon=True)

    def beat(self) -> None:
        """Give a sign of life now."""
        if not self.jobs.beat(self.job_id, self.holder, self.clock.now(), self.progress):
            self.cancelled = True

    def _beat_on(self) -> None:
        while not self._stop.wait(EVERY if self.progress is None else EVERY_WITH_PROGRESS):
            try:
                self.beat()
            except UserError:
                # A busy or full disk: the work itself will meet it and say so.
                continue

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()
