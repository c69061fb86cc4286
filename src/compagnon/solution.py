"""A solution from Python: its file, its chain, its ledger, its artifacts.

``Solution`` is what the command line, the pages and notebooks work with; a method is a verb of the command line.
"""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.chain import digest as digests
from compagnon.chain import display, lock, plugins
from compagnon.chain.artifact import Artifact, ArtifactStore
from compagnon.chain.clock import Clock, SystemClock
from compagnon.chain.heartbeat import Heartbeat
from compagnon.chain.job import Job, JobTable
from compagnon.chain.ledger import Ledger, Note
from compagnon.chain.plan import Plan, Step
from compagnon.chain.run import Run
from compagnon.chain.runner import Chain, Event
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Cancelled
from compagnon.chain.workspace import Workspace
from compagnon.errors import UserError
from compagnon.i18n import _, current

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from compagnon.spec.load import Loaded
    from compagnon.spec.model import Spec


@dataclass
class Solution:
    """One AI solution: its folder and ``solution.yaml``.

    >>> solution = Solution("work/tutor")
    >>> solution.run()
    >>> solution.facts("train/topic")["macro_f1"].value
    """

    root: Path
    clock: Clock = field(default_factory=SystemClock)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def __init__(
        self, root: str | Path = ".", *, clock: Clock | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self.root = Path(root).resolve()
        self.clock = clock or SystemClock()
        self.environ = os.environ if environ is None else environ

    @display.spoken
    def _repr_html_(self) -> str:
        """What a notebook shows: name, problem, the state of each stage; or what is wrong with the file."""
        from compagnon.spec.model import text_of

        language = current()
        try:
            spec, steps = self.spec, self.status()
        except UserError as error:
            return display.block(*(display.paragraph(str(problem)) for problem in error.problems))
        title = text_of(spec.title, language)
        name = f"{spec.name}: {title}" if title else spec.name
        problem = text_of(spec.need.problem, language) if spec.need else ""
        return display.block(display.paragraph(name), display.paragraph(problem), steps.as_table())

    # --- the file

    @cached_property
    def workspace(self) -> Workspace:
        return Workspace(self.root)

    @cached_property
    def loaded(self) -> Loaded:
        """The checked file; raises UserErrors with every mistake at once."""
        from compagnon.spec.load import load

        return load(self.root, kinds=kinds(), environ=self.environ, known_facts=known_facts(), **hooks())

    @property
    def spec(self) -> Spec:
        return self.loaded.spec

    @property
    def name(self) -> str:
        return self.spec.name

    # --- what was done

    @cached_property
    def secrets(self) -> Secrets:
        return Secrets(self.workspace, self.environ)

    @cached_property
    def engine(self) -> Engine:
        """The operational database, opened (and migrated) at first use."""
        from compagnon.database.engine import open_database

        return open_database(self.workspace, self.environ.get("COMPAGNON_DATABASE"))

    @cached_property
    def ledger(self) -> Ledger:
        from compagnon.database.ledger import SqlLedger

        return SqlLedger(self.engine)

    @cached_property
    def jobs(self) -> JobTable:
        from compagnon.database.jobs import SqlJobs

        return SqlJobs(self.engine)

    @cached_property
    def artifacts(self) -> ArtifactStore:
        return ArtifactStore(self.workspace)

    @cached_property
    def chain(self) -> Chain:
        stages = {name: stage() for name, stage in plugins.load("stages").items()}
        order = ("collect", "prepare", "store", "train", "optimize", "package")
        stages = {name: stages[name] for name in sorted(stages, key=lambda n: order.index(n) if n in order else 99)}
        text = self.loaded.source_text
        return Chain(
            spec=self.spec,
            spec_digest=digests.of_bytes(text.encode()),
            spec_text=text,
            workspace=self.workspace,
            stages=stages,
            ledger=self.ledger,
            clock=self.clock,
            secrets=self.secrets,
        )

    def plan(self, *, to: str | None = None, refresh: frozenset[str] = frozenset()) -> Plan:
        """What ``run`` would do and why, without doing it."""
        return Plan(self.chain.plan(to=to, refresh=refresh))

    def status(self) -> Plan:
        """The state of each stage instance, without going to sources that only collecting can tell about."""
        return Plan(self.chain.plan(looking=False, running=self._running()))

    def running_job(self) -> Job | None:
        """The run that is being done, here or elsewhere: by a page, a worker, another terminal."""
        for job in self.jobs.latest(5):
            if job.state == "running" and job.kind == "run" and lock.is_held(self.workspace):
                return job
        return None

    def _running(self) -> str | None:
        job = self.running_job()
        stage = job.progress.get("stage") if job else None
        return str(stage) if stage else None

    def run(
        self,
        *,
        to: str | None = None,
        refresh: frozenset[str] = frozenset(),
        on_event: Callable[[Event], None] = lambda event: None,
        asked_by: str | None = None,
    ) -> list[Step]:
        """Do what is not valid, in the foreground; progress also goes to the job table, where pages read it."""
        # Everything that can refuse (the file, the lock) does so before a job is written.
        self.chain.instances()
        with lock.hold(self.workspace, self.clock, "run"):
            payload = {"to": to, "refresh": sorted(refresh)}
            job = self.jobs.add("run", payload, asked_by or author(), self.clock.now())
            claimed = self.jobs.claim(worker_name(), self.clock.now(), job_id=job.id)
            return self.work_on(claimed or job, on_event)

    def work_on(self, job: Job, on_event: Callable[[Event], None] = lambda event: None) -> list[Step]:
        """Run the chain for a claimed job, keeping its lease and its progress; the caller holds the lock."""
        holder = job.holder or worker_name()
        beating = Heartbeat(self.jobs, job.id, holder, self.clock)

        def tell(event: Event) -> None:
            beating.progress = event.as_dict()
            if event.kind != "progress":
                beating.beat()
            on_event(event)

        try:
            with beating:
                steps = self.chain.run(
                    to=job.payload.get("to"),
                    refresh=frozenset(job.payload.get("refresh") or ()),
                    on_event=tell,
                    is_cancelled=lambda: beating.cancelled,
                )
        except (Cancelled, KeyboardInterrupt):
            self.jobs.finish(job.id, holder, self.clock.now(), "cancelled")
            raise UserError(
                "run.cancelled",
                _("The run was stopped."),
                next=_("What was finished is kept: run again to go on from there."),
            ) from None
        except UserError as error:
            self.jobs.finish(job.id, holder, self.clock.now(), "failed", {"what": str(error)})
            raise
        except BaseException as error:
            self.jobs.finish(job.id, holder, self.clock.now(), "failed", {"what": type(error).__name__})
            raise
        self.jobs.finish(job.id, holder, self.clock.now(), "done")
        return steps

    def work_once(self, on_event: Callable[[Event], None] = lambda event: None) -> Job | None:
        """Take one queued job and do it, if there is one and the solution is free; for workers."""
        if lock.is_held(self.workspace):
            return None
        try:
            with lock.hold(self.workspace, self.clock, "worker"):
                job = self.jobs.claim(worker_name(), self.clock.now(), kinds=("run",))
                if job is not None:
                    fresh = Solution(self.root, clock=self.clock, environ=self.environ)
                    fresh.work_on(job, on_event)
                return job
        except UserError:
            return None

    def resume(self, job_id: int, asked_by: str | None = None) -> Job:
        """Ask again for what a failed or stopped job did not finish; a second time gives the same new job.

        Stages that it was to do again and did are not done once more. Raises UserError ``run.unknown-job``,
        ``run.nothing-to-resume``.
        """
        job = self.jobs.get(job_id)
        if job is None or job.kind != "run":
            raise UserError("run.unknown-job", _("There is no job {id}.").format(id=job_id))
        if job.state not in ("failed", "cancelled"):
            raise UserError(
                "run.nothing-to-resume",
                _("Job {id} has not failed and was not stopped: there is nothing to resume.").format(id=job_id),
            )
        refresh = job.payload.get("refresh") or []
        again = [i.id for i in self.chain.instances() if i.id in refresh or i.stage in refresh]
        left = [stage for stage in again if not self._was_done_since(stage, job.started)]
        # Unless something was done, the job is asked for in the same words.
        payload = {"to": job.payload.get("to"), "refresh": refresh if left == again else sorted(left)}
        return self.jobs.ask("run", payload, asked_by or author(), self.clock.now())

    def _was_done_since(self, stage: str, moment: datetime | None) -> bool:
        run = self.current(stage)
        return moment is not None and run is not None and run.ended >= moment

    # --- what was found

    def current(self, stage: str) -> Run | None:
        """The last finished run of a stage instance."""
        return self.ledger.last(stage)

    def facts(self, stage: str) -> dict[str, Any]:
        """Facts of the last finished run of a stage instance, by name."""
        run = self.current(stage)
        return {fact.name: fact for fact in run.facts} if run else {}

    def artifact(self, stage: str, output: str) -> Artifact | None:
        """What the last finished run of ``stage`` made under the name ``output``, if its files are there."""
        run = self.current(stage)
        found = run.output(output) if run else None
        return self.artifacts.get(found.zone, found.digest) if found else None

    def note(self, text: str, *, about: str | None = None, by: str | None = None) -> Note:
        """Write in the logbook."""
        if not text.strip():
            raise UserError("note.empty", _("The note is empty."), next=_('Write: compagnon note "what you decided"'))
        return self.ledger.add_note(text.strip(), by or author(), self.clock.now(), about)

    def close(self) -> None:
        """Give the database back."""
        if "engine" in self.__dict__:
            self.engine.dispose()


def worker_name() -> str:
    """Who works: host and process."""
    return f"{platform.node()}:{os.getpid()}"


def author() -> str:
    """Who asks, when nobody is signed in: the account of the operating system."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def kinds() -> type[Spec]:
    """The complete model of solution.yaml, with the options of every installed adapter."""
    from compagnon.spec.kinds import complete_model

    sources, estimators, providers, embedders = (
        {name: adapter.Options for name, adapter in plugins.load(port).items()}
        for port in ("sources", "estimators", "providers", "embedders")
    )
    return complete_model(sources, estimators, providers, embedders)


def known_facts() -> frozenset[str]:
    from compagnon.chain.fact import FACTS

    return frozenset(FACTS)


def hooks() -> dict[str, Any]:
    """Checks that only a stage can make, handed to the loader."""
    from compagnon.stages.prepare.expressions import check_expressions

    return {"check_expressions": check_expressions}
