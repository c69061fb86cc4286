"""The stage ``prepare``: from ``rows/SOURCE`` to ``table/NAME``, ``quarantine/NAME`` and ``quality/NAME``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from compagnon.chain.artifact import ArtifactStore
from compagnon.chain.run import Run
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Context, Instance, Probe
from compagnon.chain.workspace import Workspace
from compagnon.spec.files import values_file
from compagnon.spec.model import Spec, Table
from compagnon.stages.prepare.exits import named_by_persons


@dataclass(frozen=True)
class PrepareStage:
    """Applies the rules of each table. ``threads`` bounds DuckDB; the rows are the same for any number."""

    threads: int | None = None
    name: ClassVar[str] = "prepare"
    version: ClassVar[int] = 1

    def instances(self, spec: Spec) -> list[Instance]:
        return [self._instance(name, table, spec) for name, table in spec.tables.items()]

    def _instance(self, name: str, table: Table, spec: Spec) -> Instance:
        inputs = [f"{kind}/{source}" for source in table.from_ for kind in ("rows", "unreadable")]
        files = dict.fromkeys(file for column in table.columns.values() if (file := values_file(column)))
        units = any(entry.unit for mapping in table.from_.values() for entry in mapping.values())
        return Instance(
            stage=self.name,
            target=name,
            version=self.version,
            settings={"table": settings(table), "timezone": spec.timezone, **_persons(table, spec), **_engine(spec)},
            inputs=tuple(inputs),
            outputs=(f"table/{name}", f"quarantine/{name}", f"quality/{name}"),
            files=tuple(files),
            adapters=("duckdb", "pyarrow", *(("pint",) if units else ()), *(("pyspark",) if _engine(spec) else ())),
            overlay=name,
        )

    def probe(self, instance: Instance, workspace: Workspace, spec: Spec, secrets: Secrets) -> Probe | None:
        return None

    def run(self, instance: Instance, context: Context) -> None:
        from compagnon.stages.prepare import work

        work.prepare(instance.target, context, self.threads)

    def after(self, instance: Instance, workspace: Workspace, artifacts: ArtifactStore, run: Run) -> None:
        """Nothing: tables are published by ``store``."""


def _persons(table: Table, spec: Spec) -> dict[str, Any]:
    """The sources whose row ids are hidden, if any: another table may be what says that their key is personal."""
    named = sorted(named_by_persons(spec) & set(table.from_))
    return {"hidden_ids": named} if named else {}


def _engine(spec: Spec) -> dict[str, Any]:
    """The engine where it is not DuckDB; where it runs does not change the rows."""
    return {"engine": spec.engine.kind} if spec.engine.kind != "duckdb" else {}


def settings(table: Table) -> dict[str, Any]:
    """What of a table the rows depend on: everything but what its columns mean."""
    document = table.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    document.pop("meaning", None)
    for column in document["columns"].values():
        column.pop("meaning", None)
    return document
