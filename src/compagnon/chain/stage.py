"""Stages as a port: what a step declares, and what it is given to work with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Protocol

from compagnon.chain.artifact import Artifact, ArtifactStore, Draft, Segment
from compagnon.chain.clock import Clock
from compagnon.chain.fact import Fact, Value, fact
from compagnon.chain.ledger import Correction
from compagnon.chain.run import Run
from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace, Zone
from compagnon.spec.model import Spec


@dataclass(frozen=True)
class Instance:
    """One stage at work on one thing: ``train/topic``."""

    stage: str
    target: str
    version: int
    settings: dict[str, Any]
    """The slice of solution.yaml that the result depends on, as JSON values. ``${secret:VAR}`` stays symbolic."""
    inputs: tuple[str, ...] = ()
    """Names of artifacts read, such as ``rows/export``."""
    outputs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Referenced files (SQL, lists of values), relative to the solution's folder."""
    adapters: tuple[str, ...] = ()
    """Distributions whose version changes the result, such as ``duckdb``."""
    overlay: str | None = None
    """The table whose corrections and restores are applied."""

    @property
    def id(self) -> str:
        return f"{self.stage}/{self.target}"


@dataclass(frozen=True)
class Probe:
    """What a look at the source found, without collecting.

    ``token`` changes when the source changed; None means that only collecting can tell. ``fresh_for``: a collection
    younger than this is good whatever the token says. ``error``: the source could not be looked at.
    """

    token: str | None
    fresh_for: timedelta | None = None
    error: str | None = None


class Cancelled(Exception):
    """The run was asked to stop; what was finished is kept."""


@dataclass
class Context:
    """What a stage is given: inputs to read, scratch to write, and where to say what it found."""

    spec: Spec
    workspace: Workspace
    artifacts: ArtifactStore
    scratch: Path
    clock: Clock
    secrets: Secrets
    run_id: str
    inputs: dict[str, Artifact] = field(default_factory=dict)
    previous: Run | None = None
    """The last finished run of this instance, if any: what need not be done again. None with ``--refresh``."""
    last: Run | None = None
    """The last finished run of this instance, if any, with ``--refresh`` too: what stands in when a source is down."""
    overlay: tuple[Correction, ...] = ()
    probe: Probe | None = None
    on_progress: Callable[[str, int | None, int | None], None] = lambda message, done, total: None
    is_cancelled: Callable[[], bool] = lambda: False
    facts: list[Fact] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    emitted: dict[str, Artifact] = field(default_factory=dict)

    def progress(self, message: str, done: int | None = None, total: int | None = None) -> None:
        """Tell how far the work is; also the place where a cancelled run stops (raises Cancelled)."""
        if self.is_cancelled():
            raise Cancelled
        self.on_progress(message, done, total)

    def fact(self, name: str, value: Value) -> None:
        """Record a fact of the list in ``compagnon.chain.fact``."""
        self.facts.append(fact(name, value))

    def warn(self, text: str) -> None:
        """Record something the user should see; it holds no personal data."""
        self.warnings.append(text)

    def keep(self, zone: Zone, draft: Draft) -> Segment:
        """Move one finished file out of scratch now, so that a killed run need not make it again."""
        return self.artifacts.put_segment(zone, draft)

    def emit(
        self,
        name: str,
        kind: str,
        zone: Zone,
        segments: Sequence[Draft | Segment],
        meta: dict[str, Any] | None = None,
    ) -> Artifact:
        """Hand over an output. Files move to their zone, then the manifest is written; returns the artifact."""
        placed = tuple(s if isinstance(s, Segment) else self.artifacts.put_segment(zone, s) for s in segments)
        artifact = Artifact(kind, zone, placed, meta or {})
        self.artifacts.put(artifact)
        self.emitted[name] = artifact
        return artifact

    def previous_output(self, name: str) -> Artifact | None:
        """What the last finished run made under ``name``, if its files are still there; nothing with ``--refresh``."""
        return self._output_of(self.previous, name)

    def last_output(self, name: str) -> Artifact | None:
        """What the last finished run made under ``name``, if its files are still there."""
        return self._output_of(self.last or self.previous, name)

    def _output_of(self, run: Run | None, name: str) -> Artifact | None:
        output = run.output(name) if run else None
        return self.artifacts.get(output.zone, output.digest) if output else None

    @property
    def journal(self) -> Path:
        """A file for what a long collection has finished; it survives a kill and is removed when the run is done."""
        return self.workspace.journal / f"{self.run_journal_name}.jsonl"

    run_journal_name: str = "journal"


class Stage(Protocol):
    """One step of the chain. ``version`` grows when the same inputs would give another result."""

    name: ClassVar[str]
    version: ClassVar[int]

    def instances(self, spec: Spec) -> list[Instance]:
        """What there is to do for this solution, in the order of the file."""

    def probe(self, instance: Instance, workspace: Workspace, spec: Spec, secrets: Secrets) -> Probe | None:
        """Look whether the outside changed; None for stages that depend on artifacts only."""

    def run(self, instance: Instance, context: Context) -> None:
        """Do the work: read ``context.inputs``, write scratch, ``emit`` outputs, record facts."""

    def after(self, instance: Instance, workspace: Workspace, artifacts: ArtifactStore, run: Run) -> None:
        """Called when a run is current (just done, or found valid); publishing by pointer happens here."""
