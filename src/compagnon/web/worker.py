"""Doing queued runs beside the server: another process, so that training never slows an answer."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from compagnon.errors import UserError

if TYPE_CHECKING:
    from compagnon.solution import Solution

_log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
STOP_SECONDS = 10.0
_OPEN = "import sys; from compagnon.solution import Solution; solution = Solution(sys.argv[1]); "
_PROGRAMS = {
    "run": _OPEN + "solution.work_once()",
    "prompt": _OPEN + "from compagnon.services.tutor.prompts.job import work_once; work_once(solution)",
}
"""What does a job, by its kind; one at a time."""


@dataclass
class Worker:
    """Looks for queued jobs every second; for each, starts a process that does it."""

    solution: Solution
    _stop: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> Worker:
        self._thread = threading.Thread(target=self._watch, name="jobs", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        process = self._process
        if process is not None and process.poll() is None:
            # What it finished is kept, and its job goes on with whoever takes it up when its lease has ended.
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                kind = self._next() if self._is_idle() else None
                if kind is not None:
                    environment = dict(self.solution.environ)
                    self._process = subprocess.Popen(
                        [sys.executable, "-c", _PROGRAMS[kind], str(self.solution.root)],
                        stdin=subprocess.DEVNULL,
                        env=environment,
                    )
            except (UserError, OSError) as error:
                _log.warning("jobs cannot be taken: %s", type(error).__name__)

    def _is_idle(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _next(self) -> str | None:
        """The kind of the oldest job that waits."""
        now = self.solution.clock.now()
        waiting = [
            job.kind
            for job in self.solution.jobs.latest(20)
            if job.kind in _PROGRAMS
            and not job.cancel
            and (job.state == "queued" or (job.state == "running" and job.lease_until and job.lease_until < now))
        ]
        return waiting[-1] if waiting else None
