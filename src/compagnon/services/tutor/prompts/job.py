"""Playing a set as a job: asked for by a page, done beside the server, its progress read by everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compagnon.chain.heartbeat import Heartbeat
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
    heart = Heartbeat(solution.jobs, job.id, holder, solution.clock)
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
        state: JobState = "cancelled" if heart.cancelled else "done"
        solution.jobs.finish(job.id, holder, solution.clock.now(), state)
    return job


def _play(solution: Solution, job: Job, heart: Heartbeat) -> None:
    variant = scores.find_variant(solution.engine, str(job.payload["prompt"]))
    if variant is None:
        return
    stage = Stage(solution, str(job.payload["provider"]))
    conditions = stage.conditions(read_questions(solution, None, stage.base))

    def tell(step: Step) -> None:
        heart.progress = {"kind": "progress", "done": step.done, "total": step.count, "message": step.question}
        heart.beat()

    play(stage, variant, conditions, person=job.asked_by, on_step=tell, is_cancelled=lambda: heart.cancelled)
