"""A solution on a temporary folder whose sources are collected run after run, without the rest of the chain."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from compagnon.chain import plugins
from compagnon.chain.artifact import Artifact, ArtifactStore
from compagnon.chain.clock import SystemClock
from compagnon.chain.run import Output, Run
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Context, Instance, Probe
from compagnon.chain.workspace import Workspace
from compagnon.spec.model import Spec
from compagnon.stages.collect import CollectStage


class Collecting:
    """``run`` collects the source ``s`` and keeps the run as the previous one of the next."""

    def __init__(self, root: Path, secrets: dict[str, str] | None = None) -> None:
        self.workspace = Workspace(root)
        self.workspace.prepare()
        self.root = root
        self.store = ArtifactStore(self.workspace)
        self.secrets = Secrets(self.workspace, secrets or {})
        self.stage = CollectStage()
        self.previous: Run | None = None
        self.context: Context | None = None
        self.count = 0

    def spec(self, tables: dict[str, Any] | None = None, others: dict[str, Any] | None = None, **options: Any) -> Spec:
        sources = {"s": options, **(others or {})}
        return Spec(
            version=1,
            name="test",
            sources={name: plugins.load("sources")[given["kind"]].Options(**given) for name, given in sources.items()},
            tables=tables or {},
        )

    def instance(self, spec: Spec) -> Instance:
        return self.stage.instances(spec)[0]

    def probe(self, **options: Any) -> Probe:
        spec = self.spec(**options)
        found = self.stage.probe(self.instance(spec), self.workspace, spec, self.secrets)
        assert found is not None
        return found

    def run(
        self,
        refresh: bool = False,
        finish: bool = True,
        stop: Callable[[], bool] = lambda: False,
        **options: Any,
    ) -> Artifact:
        """Collect; ``finish=False`` stops before the run counts as done, ``stop`` cancels it when it says so."""
        spec = self.spec(**options)
        self.count += 1
        scratch = self.workspace.scratch / str(self.count)
        scratch.mkdir(parents=True)
        self.context = context = Context(
            spec=spec,
            workspace=self.workspace,
            artifacts=self.store,
            scratch=scratch,
            clock=SystemClock(),
            secrets=self.secrets,
            run_id=str(self.count),
            previous=None if refresh else self.previous,
            last=self.previous,
            is_cancelled=stop,
        )
        self.stage.run(self.instance(spec), context)
        shutil.rmtree(scratch)
        if finish:
            context.journal.unlink(missing_ok=True)
            now = datetime.now(UTC)
            outputs = tuple(
                Output(name, a.kind, a.zone, a.digest, a.rows) for name, a in sorted(context.emitted.items())
            )
            self.previous = Run(
                str(self.count), "collect/s", "done", {}, now, now, "", "", outputs=outputs, facts=tuple(context.facts)
            )
            self.stage.after(self.instance(spec), self.workspace, self.store, self.previous)
        return context.emitted["rows/s"]

    def rows(self, artifact: Artifact | None = None) -> list[dict[str, Any]]:
        return self.table(artifact).to_pylist()

    def table(self, artifact: Artifact | None = None) -> pa.Table:
        assert self.context is not None
        artifact = artifact or self.context.emitted["rows/s"]
        tables = [pq.read_table(path) for path in self.store.paths(artifact)]
        return pa.concat_tables(tables, promote_options="default")

    def unreadable(self) -> list[dict[str, Any]]:
        assert self.context is not None
        return self.table(self.context.emitted["unreadable/s"]).to_pylist()

    def facts(self) -> dict[str, Any]:
        assert self.context is not None
        return {fact.name: fact.value for fact in self.context.facts}

    def cells(self) -> list[tuple[Any, ...]]:
        """Source values of each row, in order."""
        return [tuple(v for k, v in row.items() if k not in ("_row_id", "_source")) for row in self.rows()]

    def ids(self) -> list[str]:
        return [row["_row_id"] for row in self.rows()]

    @property
    def warnings(self) -> str:
        assert self.context is not None
        return "\n".join(self.context.warnings)
