"""A small solution whose raw rows are given as Python values: what ``collect`` would have left."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from compagnon.chain.artifact import Artifact, ArtifactStore, Draft
from compagnon.chain.clock import SystemClock
from compagnon.chain.ledger import Correction
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Context
from compagnon.chain.workspace import Workspace
from compagnon.spec.model import Engine, SourceOptions, Spec, Table
from compagnon.stages.prepare import PrepareStage

KEY = "00112233445566778899aabbccddeeff"


@dataclass
class Kitchen:
    """Runs ``prepare`` on given rows."""

    root: Path
    overlay: list[Correction] = field(default_factory=list)
    runs: int = 0

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root)

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.workspace)

    def rows(self, source: str, rows: list[dict[str, Any]] | pa.Table, pieces: int = 1) -> Artifact:
        """``rows/SOURCE`` from dictionaries, named SOURCE:piece:0.. unless they bring ``_row_id``."""
        table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
        if "_row_id" not in table.column_names:
            table = table.add_column(0, "_row_id", pa.array([f"{source}:piece:{i:06}" for i in range(table.num_rows)]))
        if "_source" not in table.column_names:
            table = table.add_column(1, "_source", pa.array([source] * table.num_rows, pa.string()))
        step = -(-table.num_rows // pieces) or 1
        segments = []
        for place in range(pieces):
            path = self.workspace.scratch / f"{source}-{place}.parquet"
            pq.write_table(table.slice(place * step, step), path)
            segments.append(self.store.put_segment("raw", Draft(f"{place}.parquet", path, min(step, table.num_rows))))
        artifact = Artifact("rows", "raw", tuple(segments), {"source": source})
        self.store.put(artifact)
        return artifact

    def correct(self, kind: str, row_id: str, column: str | None = None, value: str | None = None) -> None:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        self.overlay.append(Correction(len(self.overlay) + 1, at, "test", "t", row_id, kind, column, value))  # type: ignore[arg-type]

    def context(self, table: dict[str, Any], inputs: dict[str, Artifact], timezone: str = "Europe/Paris") -> Context:
        spec = Spec(
            version=1,
            name="kitchen",
            timezone=timezone,
            sources={s: SourceOptions(kind="file") for s in table["from"]},
            tables={"t": Table.model_validate(table)},
        )
        self.runs += 1
        scratch = self.workspace.scratch / f"run{self.runs}"
        scratch.mkdir()
        secrets = Secrets(self.workspace, {"COMPAGNON_PSEUDONYM_KEY": KEY})
        return Context(
            spec, self.workspace, self.store, scratch, SystemClock(), secrets, f"run{self.runs}", inputs=inputs
        )

    def prepare(
        self,
        table: dict[str, Any],
        rows: dict[str, Any],
        *,
        threads: int | None = 1,
        timezone: str = "Europe/Paris",
        pieces: int = 1,
        engine: dict[str, Any] | None = None,
    ) -> Prepared:
        inputs = {f"rows/{s}": r if isinstance(r, Artifact) else self.rows(s, r, pieces) for s, r in rows.items()}
        context = self.context(table, inputs, timezone)
        context.overlay = tuple(self.overlay)
        if engine is not None:
            context.spec = context.spec.model_copy(update={"engine": Engine.model_validate(engine)})
        stage = PrepareStage(threads)
        instance = stage.instances(context.spec)[0]
        assert set(context.inputs) <= set(instance.inputs)
        stage.run(instance, context)
        assert set(context.emitted) == set(instance.outputs)
        return Prepared(context)


@dataclass
class Prepared:
    """What a run of ``prepare`` left."""

    context: Context

    def _table(self, name: str) -> pa.Table:
        artifact = self.context.emitted[name]
        return pq.read_table(self.context.artifacts.paths(artifact)[0])

    @property
    def table(self) -> pa.Table:
        return self._table("table/t")

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self.table.to_pylist()

    def column(self, name: str) -> list[Any]:
        return self.table.column(name).to_pylist()

    @property
    def quarantine(self) -> dict[str, dict[str, Any]]:
        return {row["row_id"]: row for row in self._table("quarantine/t").to_pylist()}

    def codes(self) -> dict[str, list[tuple[str, str | None]]]:
        """Reasons by row: (code, column)."""
        return {i: [(r["code"], r["column"]) for r in row["reasons"]] for i, row in self.quarantine.items()}

    @property
    def report(self) -> dict[str, Any]:
        artifact = self.context.emitted["quality/t"]
        return json.loads(self.context.artifacts.path(artifact, "quality.json").read_text(encoding="utf-8"))

    def page(self, language: str) -> str:
        artifact = self.context.emitted["quality/t"]
        return self.context.artifacts.path(artifact, f"quality.{language}.html").read_text(encoding="utf-8")

    @property
    def facts(self) -> dict[str, Any]:
        return {fact.name: fact.value for fact in self.context.facts}

    def digest(self, name: str = "table/t") -> str:
        return self.context.emitted[name].digest
