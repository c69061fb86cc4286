"""A chain of two toy stages that read and write real files, to test plan and runner alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from compagnon.chain import digest
from compagnon.chain.artifact import ArtifactStore, Draft
from compagnon.chain.run import Run
from compagnon.chain.runner import Chain
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Context, Instance, Probe
from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.database.ledger import SqlLedger
from compagnon.spec.model import Spec


class MovableClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)
        self.ticks = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        self.ticks += 0.25
        return self.ticks

    def move(self, **by: float) -> None:
        self.moment += timedelta(**by)


class Read:
    """``read/letters``: copies a file in; fails or warns as a test asks."""

    name: ClassVar[str] = "read"
    version: ClassVar[int] = 1

    def __init__(self) -> None:
        self.calls = 0
        self.before: Callable[[Context], None] = lambda context: None
        self.fresh_for: timedelta | None = None
        self.blind = False
        self.settings: dict[str, Any] = {"upper": False}

    def instances(self, spec: Spec) -> list[Instance]:
        return [Instance("read", "letters", self.version, self.settings, outputs=("rows/letters",))]

    def probe(self, instance: Instance, workspace: Workspace, spec: Spec, secrets: Secrets) -> Probe | None:
        path = workspace.root / "letters.txt"
        token = None if self.blind else digest.of_file(path)
        return Probe(token, self.fresh_for)

    def run(self, instance: Instance, context: Context) -> None:
        self.calls += 1
        self.before(context)
        context.progress("reading", 1, 2)
        target = context.scratch / "letters.txt"
        text = (context.workspace.root / "letters.txt").read_text()
        target.write_text(text.upper() if self.settings["upper"] else text)
        context.fact("rows_collected", len(text))
        context.emit("rows/letters", "rows", "raw", [Draft("letters.txt", target, rows=len(text))])

    def after(self, instance: Instance, workspace: Workspace, artifacts: ArtifactStore, run: Run) -> None:
        (workspace.home / "pointer").write_text(run.outputs[0].digest)


class Count:
    """``count/letters``: counts vowels of what ``read`` made."""

    name: ClassVar[str] = "count"
    version: ClassVar[int] = 1

    def __init__(self) -> None:
        self.calls = 0

    def instances(self, spec: Spec) -> list[Instance]:
        return [Instance("count", "letters", 1, {}, inputs=("rows/letters",), outputs=("table/letters",))]

    def probe(self, instance: Instance, workspace: Workspace, spec: Spec, secrets: Secrets) -> Probe | None:
        return None

    def run(self, instance: Instance, context: Context) -> None:
        self.calls += 1
        rows = context.inputs["rows/letters"]
        text = context.artifacts.path(rows, "letters.txt").read_text()
        target = context.scratch / "count.txt"
        target.write_text(str(sum(text.count(v) for v in "aeiouy")))
        context.fact("rows_prepared", int(target.read_text()))
        context.emit("table/letters", "table", "clean", [Draft("count.txt", target, rows=1)])

    def after(self, instance: Instance, workspace: Workspace, artifacts: ArtifactStore, run: Run) -> None:
        return


class Toy:
    """Everything a test of the chain needs, on a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "letters.txt").write_text("bonjour")
        self.clock = MovableClock()
        self.read, self.count = Read(), Count()
        self.workspace = Workspace(root)
        self.engine = open_database(self.workspace, f"sqlite:///{self.workspace.database_file}")
        self.ledger = SqlLedger(self.engine)

    @property
    def chain(self) -> Chain:
        return Chain(
            spec=Spec(version=1, name="toy"),
            spec_digest="0" * 64,
            spec_text="version: 1\nname: toy\n",
            workspace=self.workspace,
            stages={"count": self.count, "read": self.read},
            ledger=self.ledger,
            clock=self.clock,
            secrets=Secrets(self.workspace, {}),
        )
