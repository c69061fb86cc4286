"""Running the chain: plan each instance when its turn comes, do what is not valid, append what was done."""

from __future__ import annotations

import contextlib
import os
import platform
import secrets as random
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from compagnon.chain import digest as digests
from compagnon.chain import plan as plans
from compagnon.chain import plugins
from compagnon.chain.artifact import ArtifactStore
from compagnon.chain.clock import Clock
from compagnon.chain.fact import fact
from compagnon.chain.faults import boundary
from compagnon.chain.ledger import Ledger, overlay_digest
from compagnon.chain.plan import Outside, Step
from compagnon.chain.run import Output, Run, Status
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Cancelled, Context, Instance, Probe, Stage
from compagnon.chain.workspace import Workspace, explain_disk
from compagnon.errors import UserError, UserErrors
from compagnon.spec.model import Spec

EventKind = Literal["planned", "cached", "started", "progress", "done", "failed", "blocked"]


@dataclass(frozen=True)
class Place:
    """Which of how many instances."""

    position: int
    count: int


@dataclass(frozen=True)
class Event:
    """Something that a person who waits wants to see."""

    kind: EventKind
    stage: str
    message: str = ""
    done: int | None = None
    total: int | None = None
    run: Run | None = None
    place: Place | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "stage": self.stage,
            "message": self.message,
            "done": self.done,
            "total": self.total,
            "run": self.run.id if self.run else None,
            "position": self.place.position if self.place else None,
            "count": self.place.count if self.place else None,
        }


@dataclass(frozen=True)
class Chain:
    """A solution's stages with everything that they work on."""

    spec: Spec
    spec_digest: str
    spec_text: str
    workspace: Workspace
    stages: Mapping[str, Stage]
    ledger: Ledger
    clock: Clock
    secrets: Secrets
    artifacts: ArtifactStore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "artifacts", ArtifactStore(self.workspace))

    def instances(self) -> list[Instance]:
        """All stage instances of the solution, each after what it reads."""
        return plans.ordered([i for stage in self.stages.values() for i in stage.instances(self.spec)])

    # --- planning

    def probe(self, instance: Instance) -> Probe | None:
        return self.stages[instance.stage].probe(instance, self.workspace, self.spec, self.secrets)

    def outside(self, probes: Mapping[str, Probe], *, looking: bool = True, running: str | None = None) -> Outside:
        """What a plan needs to know besides the spec, as of now."""
        return Outside(
            now=self.clock.now(),
            last=self.ledger.last,
            find=self.ledger.find,
            failed=self._failed_since,
            available=self._available,
            probes=probes,
            overlays=self._overlays(),
            files=self._file_digests(),
            versions=self._version,
            running=running,
            looking=looking,
        )

    def plan(
        self,
        *,
        to: str | None = None,
        refresh: frozenset[str] = frozenset(),
        looking: bool = True,
        running: str | None = None,
    ) -> list[Step]:
        """What would run and why, without running it."""
        instances = plans.needed_for(self.instances(), to) if to else self.instances()
        probes = {i.id: probe for i in instances if (probe := self.probe(i)) is not None}
        return plans.make(instances, self.outside(probes, looking=looking, running=running), refresh)

    def _failed_since(self, stage: str) -> Run | None:
        latest = self.ledger.runs(stage, limit=1)
        return latest[0] if latest and latest[0].status == "failed" else None

    def _available(self, run: Run) -> bool:
        return all(self.artifacts.get(output.zone, output.digest) is not None for output in run.outputs)

    def _overlays(self) -> dict[str, str]:
        return {table: overlay_digest(self.ledger.corrections(table)) for table in self.spec.tables}

    def _file_digests(self) -> dict[str, str]:
        names = {name for instance in self.instances() for name in instance.files}
        found = {}
        for name in names:
            path = self.workspace.root / name
            if path.is_file():
                found[name] = digests.of_file(path)
        return found

    def _version(self, name: str) -> str:
        if name.startswith("stage:"):
            module = type(self.stages[name.removeprefix("stage:")]).__module__
            return plugins.source_identity(module.rpartition(".")[0] or module)
        return plugins.identity(name)

    # --- running

    def run(
        self,
        *,
        to: str | None = None,
        refresh: frozenset[str] = frozenset(),
        on_event: Callable[[Event], None] = lambda event: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Step]:
        """Do what is not valid; the caller holds the lock. Raises UserErrors after doing all that could be done.

        Returns the steps, each with its valid run. What depends on a failed instance is not tried.
        """
        instances = plans.needed_for(self.instances(), to) if to else self.instances()
        self._clean_scratch()
        self.ledger.add_spec(self.spec_digest, self.spec_text)
        steps: dict[str, Step] = {}
        errors: list[UserError] = []
        for position, instance in enumerate(instances, 1):
            if is_cancelled():
                raise Cancelled
            place = Place(position, len(instances))
            probe = self.probe(instance)
            step = plans.decide(instance, self.outside({instance.id: probe} if probe else {}), steps, refresh)
            if step.key is None:
                steps[instance.id] = step
                on_event(Event("blocked", instance.id, step.reason, run=step.run, place=place))
                continue
            if step.valid and step.run is not None:
                current = self._current(step.run, step.reason)
                steps[instance.id] = replace(step, run=current)
                on_event(Event("cached", instance.id, step.reason, run=current, place=place))
                self._after(instance, current)
                continue
            on_event(Event("started", instance.id, step.reason, place=place))
            try:
                run = self._execute(step, probe, steps, refresh, on_event, is_cancelled, place)
            except UserError as error:
                errors.append(error)
                steps[instance.id] = replace(step, state="failed", reason=error.problems[0].what)
                on_event(Event("failed", instance.id, str(error), place=place))
                continue
            steps[instance.id] = Step(instance, "cached", step.reason, run, step.key)
            on_event(Event("done", instance.id, step.reason, run=run, place=place))
            self._after(instance, run)
        if errors:
            raise UserErrors([problem for error in errors for problem in error.problems])
        return list(steps.values())

    def _current(self, run: Run, reason: str) -> Run:
        """``run``, as the latest of its instance: what reads the ledger's last run then finds what is valid.

        After a change that was taken back the valid run is an earlier one: it is appended again, under a new id.
        """
        last = self.ledger.last(run.stage)
        if last is None or last.id == run.id:
            return run
        now = self.clock.now()
        again = replace(run, id=random.token_hex(6), started=now, ended=now, reason=reason, spec=self.spec_digest)
        self.ledger.append(again)
        boundary("ledger")
        return again

    def _after(self, instance: Instance, run: Run) -> None:
        with explain_disk(self.workspace.home):
            self.stages[instance.stage].after(instance, self.workspace, self.artifacts, run)

    def _execute(
        self,
        step: Step,
        probe: Probe | None,
        steps: Mapping[str, Step],
        refresh: frozenset[str],
        on_event: Callable[[Event], None],
        is_cancelled: Callable[[], bool],
        place: Place,
    ) -> Run:
        instance = step.instance
        run_id = random.token_hex(6)
        scratch = self.workspace.scratch / run_id
        started, clock_start = self.clock.now(), self.clock.monotonic()

        def on_progress(message: str, done: int | None, total: int | None) -> None:
            on_event(Event("progress", instance.id, message, done, total, place=place))

        last = self.ledger.last(instance.id)
        context = Context(
            spec=self.spec,
            workspace=self.workspace,
            artifacts=self.artifacts,
            scratch=scratch,
            clock=self.clock,
            secrets=self.secrets,
            run_id=run_id,
            inputs=self._inputs(instance, steps),
            previous=None if instance.id in refresh or instance.stage in refresh else last,
            last=last,
            overlay=tuple(self.ledger.corrections(instance.overlay)) if instance.overlay else (),
            probe=probe,
            on_progress=on_progress,
            is_cancelled=is_cancelled,
            run_journal_name=instance.id.replace("/", "-"),
        )

        def ended(status: Status, error: dict[str, Any] | None = None) -> Run:
            duration = round(self.clock.monotonic() - clock_start, 3)
            return Run(
                id=run_id,
                stage=instance.id,
                status=status,
                key=step.key or {},
                started=started,
                ended=self.clock.now(),
                reason=step.reason,
                spec=self.spec_digest,
                inputs={name: artifact.digest for name, artifact in context.inputs.items()},
                outputs=tuple(
                    Output(name, a.kind, a.zone, a.digest, a.rows) for name, a in sorted(context.emitted.items())
                ),
                facts=(*context.facts, fact("duration", duration)),
                warnings=tuple(context.warnings),
                environment=_environment(),
                error=error,
            )

        try:
            with explain_disk(self.workspace.home):
                scratch.mkdir(mode=0o700, parents=True)
                self.stages[instance.stage].run(instance, context)
                missing = set(instance.outputs) - set(context.emitted)
                if missing:
                    raise RuntimeError(f"{instance.id} did not emit {', '.join(sorted(missing))}")
                run = ended("done")
                boundary("before-ledger")
                self.ledger.append(run)
                boundary("ledger")
                context.journal.unlink(missing_ok=True)
        except UserError as error:
            # A disk that is full may refuse this record too; the message to the user matters more.
            with contextlib.suppress(Exception):
                self.ledger.append(
                    ended("failed", {"problems": [p.as_dict() for p in error.problems], "what": error.problems[0].what})
                )
            raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return run

    def _inputs(self, instance: Instance, steps: Mapping[str, Step]) -> dict[str, Any]:
        found = {}
        for step in steps.values():
            for output in step.run.outputs if step.run else ():
                if output.name in instance.inputs:
                    artifact = self.artifacts.get(output.zone, output.digest)
                    if artifact is not None:
                        found[output.name] = artifact
        return found

    def _clean_scratch(self) -> None:
        """Remove what killed runs left behind; the lock makes sure that nobody is at work there."""
        with explain_disk(self.workspace.scratch):
            for left in self.workspace.scratch.glob("*") if self.workspace.scratch.is_dir() else ():
                shutil.rmtree(left, ignore_errors=True)
        for folder in (self.workspace.home, *self.workspace.home.glob("*/manifests")):
            for part in folder.glob(".*.part"):
                with contextlib.suppress(OSError):
                    part.unlink()


def _environment() -> dict[str, str]:
    names = ("compagnon", "duckdb", "pyarrow", "numpy", "scikit-learn", "onnxruntime")
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(terse=True),
        "cpus": str(os.cpu_count()),
        **{name: plugins.identity(name) for name in names},
    }


def scratch_file(context: Context, name: str) -> Path:
    """A path in scratch for ``name``, with its folder made."""
    path = context.scratch / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
