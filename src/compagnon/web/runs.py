"""Runs: what was done, starting one, following it live, stopping and resuming it. The work is done by a worker."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from compagnon.chain.job import Job
from compagnon.chain.plan import needed_for
from compagnon.chain.words import doing_text, place_text
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.model_api.problem import Refused
from compagnon.web import paging, words
from compagnon.web.forms import read_form
from compagnon.web.guard import CONTENT_POLICY
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

LOOK_EVERY = 0.5
STREAM_SECONDS = 10.0
"""A stream ends after this long and the browser opens the next: a server that stops does not wait for it."""
LATEST_JOBS = 10
LIVE_POLICY = CONTENT_POLICY + "; script-src 'self'; connect-src 'self'"
ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Runs:
    """Handlers of ``/runs`` and ``/jobs/{id}``."""

    view: View

    def list(self, request: Request) -> Response:
        return self._list(request)

    async def start(self, request: Request) -> Response:
        form = await read_form(request)
        return await asyncio.to_thread(self._start, request, form)

    async def cancel(self, request: Request) -> Response:
        await read_form(request)
        return await asyncio.to_thread(self._cancel, request)

    async def resume(self, request: Request) -> Response:
        await read_form(request)
        return await asyncio.to_thread(self._resume, request)

    def job(self, request: Request) -> Response:
        job = self._job(request)
        values = {
            "job": job,
            "live": described(job),
            "stoppable": job.state not in ENDED and not job.cancel and visitor_of(request).may("run.cancel"),
            "ended": job.state in ENDED,
            "resumable": job.state != "done" and visitor_of(request).may("run.start"),
            "asked_for": asked_for(job),
        }
        return self.view.page(request, "job.html", values, headers={"content-security-policy": LIVE_POLICY})

    async def events(self, request: Request) -> Response:
        """The job as server-sent events: at once, then whenever it changes, until it ends."""
        job = await asyncio.to_thread(self._job, request)
        return StreamingResponse(
            self._stream(request, job.id), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
        )

    async def _stream(self, request: Request, job_id: int) -> AsyncIterator[str]:
        said, started = "", time.monotonic()
        yield "retry: 1000\n\n"
        while time.monotonic() - started < STREAM_SECONDS and not await request.is_disconnected():
            job = await asyncio.to_thread(self.view.solution.jobs.get, job_id)
            if job is None:
                return
            now = json.dumps(described(job), ensure_ascii=False)
            if now != said:
                said = now
                yield f"data: {now}\n\n"
            if job.state in ENDED:
                return
            await asyncio.sleep(LOOK_EVERY)

    def _start(self, request: Request, form: dict[str, str]) -> Response:
        solution = self.view.solution
        to, again = form.get("to") or None, form.get("refresh") or None
        try:
            instances = solution.chain.instances()
            for wanted in (to, again):
                if wanted is not None and wanted != "all":
                    needed_for(instances, wanted)
        except UserError as error:
            return self._list(request, error.problems[0].what)
        refresh = [i.id for i in instances] if again == "all" else [again] if again else []
        payload = {"to": None if to == "all" else to, "refresh": sorted(refresh)}
        job = solution.jobs.ask("run", payload, visitor_of(request).identity.author, solution.clock.now())
        return RedirectResponse(f"/jobs/{job.id}", 303)

    def _cancel(self, request: Request) -> Response:
        job = self._job(request)
        self.view.solution.jobs.cancel(job.id, self.view.solution.clock.now())
        return RedirectResponse(f"/jobs/{job.id}", 303)

    def _resume(self, request: Request) -> Response:
        job = self._job(request)
        try:
            job = self.view.solution.resume(job.id, visitor_of(request).identity.author)
        except UserError as error:
            # Done meanwhile (another tab, another person): the page of the job says how it stands.
            if error.code != "run.nothing-to-resume":
                return self._list(request, error.problems[0].what)
        return RedirectResponse(f"/jobs/{job.id}", 303)

    def _list(self, request: Request, error: str | None = None) -> Response:
        solution, number = self.view.solution, paging.asked(request)
        runs = solution.ledger.runs(limit=number * paging.SIZE + 1)
        first = (number - 1) * paging.SIZE
        problem, stages = None, []
        try:
            stages = [(instance.id, instance.stage, instance.target) for instance in solution.chain.instances()]
        except UserError as mistake:
            problem = mistake.problems[0]
        values: dict[str, Any] = {
            "runs": runs[first : first + paging.SIZE],
            "number_of_page": number,
            "more": len(runs) > first + paging.SIZE,
            "jobs": [job for job in solution.jobs.latest(LATEST_JOBS) if job.kind == "run"],
            "stages": stages,
            "kinds": list(dict.fromkeys(stage for _id, stage, _target in stages)),
            "problem": problem,
            "error": error,
            "asked_for": asked_for,
            "startable": visitor_of(request).may("run.start"),
        }
        return self.view.page(request, "runs.html", values, status=422 if error else 200)

    def _job(self, request: Request) -> Job:
        text = request.path_params["id"]
        known = text.isascii() and text.isdigit() and len(text) < 16
        job = self.view.solution.jobs.get(int(text)) if known else None
        if job is None or job.kind != "run":
            raise Refused(404, "page.unknown-job", _("There is no job of that number."))
        return job


def described(job: Job) -> dict[str, Any]:
    """A job as the page and its stream say it."""
    progress = job.progress
    position, count = progress.get("position"), progress.get("count")
    ended = job.state in ENDED
    stage = str(progress.get("stage") or "")
    done = (position or 0) - (0 if progress.get("kind") in ("done", "cached") else 1)
    return {
        "state": job.state,
        "word": words.state_word(job.state),
        "sign": words.STATE_SIGNS[job.state],
        "stage": stage if not ended else "",
        "where": place_text(job) if not ended else "",
        "message": doing_text(job) if not ended else "",
        "value": count or 1 if job.state == "done" else max(0, done),
        "most": count or 1,
        "ended": ended,
        "error": str((job.error or {}).get("what", "")) if job.state == "failed" else "",
        "said": _ended(job) if ended else "",
    }


def asked_for(job: Job) -> str:
    """What a job was asked to do."""
    to, refresh = job.payload.get("to"), job.payload.get("refresh") or []
    text = _("everything up to {stage}").format(stage=to) if to else _("everything that is not up to date")
    if not refresh:
        return text
    return text + ", " + _("again: {stages}").format(stages=", ".join(refresh))


def _ended(job: Job) -> str:
    return {
        "done": _("The run is done."),
        "failed": _("The run failed; what was finished is kept."),
        "cancelled": _("The run was stopped; what was finished is kept."),
    }[job.state]
