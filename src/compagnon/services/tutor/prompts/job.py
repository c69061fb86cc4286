"""Playing a set as a job: asked for by a page, done beside the server, its progress read by everybody."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from compagnon.chain.job import Job, JobState
from compagnon.errors import UserError
from compagnon.services.tutor.prompts import scores
from compagnon.services.tutor.prompts.play import Stage, Step, play
from compagnon.services.tutor.prompts.questions import read_questions
from compagnon.services.tutor.prompts.variant import Variant
from compagnon.solution import worker_name

if TYPE_CHECKING:
    from compagnon.solution import Solution

KIND = "prompt"
BEAT = 5.0
"""Seconds between two signs of life: an answer may take longer than a lease."""


def ask(solution: Solution, variant: Variant, provider: str, by: str) -> Job:
    """Ask for a play of the usual set; a second click gives the same job."""
    now = solution.clock.now()
    scores.keep_variant(solution.engine, variant, now)
    return solution.jobs.ask(KIND, {"prompt": variant.digest, "provider": provider}, by, now)


def last(solution: Solution) -> Job | None:
    """The newest job of this kind, if it is among the latest."""
    return next((job for job in solution.jobs.latest(50) if job.kind == KIND), None)


def work_once(solution: Solution) -> Job | None:
    """Do one waiting play, if there is one; for workers. Its failure is kept with the job."""
    holder = worker_name()
    job = solution.jobs.claim(holder, solution.clock.now(), kinds=(KIND,))
    if job is None:
        return None
    heart = _Heart(solution, job.id, holder)
    try:
        with heart:
            _play(solution, job, heart)
    except UserError as error:
        solution.jobs.finish(job.id, holder, solution.clock.now(), "failed", {"what": str(error)})
    except KeyboardInterrupt:
        solution.jobs.finish(job.id, holder, solution.clock.now(), "cancelled")
        raise
    except BaseException as error:
        solution.jobs.finish(job.id, holder, solution.clock.now(), "failed", {"what": type(error).__name__})
        raise
    else:
        state: JobState = "cancelled" if heart.stopped else "done"
        solution.jobs.finish(job.id, holder, solution.clock.now(), state)
    return job


def _play(solution: Solution, job: Job, heart: _Heart) -> None:
    variant = scores.find_variant(solution.engine, str(job.payload["prompt"]))
    if variant is None:
        return
    stage = Stage(solution, str(job.payload["provider"]))
    conditions = stage.conditions(read_questions(solution, None, stage.base))

    def tell(step: Step) -> None:
        heart.progress = {"kind": "progress", "done": step.done, "total": step.count, "message": step.question}
        heart.beat()

    play(stage, variant, conditions, person=job.asked_by, on_step=tell, is_cancelled=lambda: heart.stopped)


class _Heart:
    """Renews the lease of a job from a thread, and learns whether it was asked to stop."""

    def __init__(self, solution: Solution, job_id: int, holder: str) -> None:
        self.solution, self.job_id, self.holder = solution, job_id, holder
        self.progress: dict[str, Any] | None = None
        self.stopped = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="prompt-lease", daemon=True)

    def beat(self) -> None:
        now = self.solution.clock.now()
        self.stopped |= not self.solution.jobs.beat(self.job_id, self.holder, now, self.progress)

    def _beat_on(self) -> None:
        while not self._end.wait(BEAT):
            try:
                self.beat()
            except UserError:
                continue

    def __enter__(self) -> _Heart:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._thread.join()
