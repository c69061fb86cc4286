"""The stage ``store``: one instance, from every ``table/NAME`` to ``store/data``."""

from __future__ import annotations

from typing import Any, ClassVar

from compagnon.chain.artifact import ArtifactStore
from compagnon.chain.run import Run
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Context, Instance, Probe
from compagnon.chain.workspace import Workspace
from compagnon.spec.files import values_file
from compagnon.spec.model import Spec, Table
from compagnon.stages.store import pointer

OUTPUT = "store/data"


class StoreStage:
    """Writes ``data.duckdb`` anew for each version; ``after`` flips the pointer to it."""

    name: ClassVar[str] = "store"
    version: ClassVar[int] = 1

    def instances(self, spec: Spec) -> list[Instance]:
        if not spec.tables:
            return []
        files = dict.fromkeys(
            file for table in spec.tables.values() for column in table.columns.values() if (file := values_file(column))
        )
        return [
            Instance(
                stage=self.name,
                target="data",
                version=self.version,
                settings={"tables": {name: settings(table) for name, table in spec.tables.items()}},
                inputs=tuple(f"table/{name}" for name in spec.tables),
                outputs=(OUTPUT,),
                files=tuple(files),
                adapters=("duckdb",),
            )
        ]

    def probe(self, instance: Instance, workspace: Workspace, spec: Spec, secrets: Secrets) -> Probe | None:
        return None

    def run(self, instance: Instance, context: Context) -> None:
        from compagnon.stages.store import work

        work.store(context)

    def after(self, instance: Instance, workspace: Workspace, artifacts: ArtifactStore, run: Run) -> None:
        output = run.output(OUTPUT)
        artifact = artifacts.get(output.zone, output.digest) if output else None
        if artifact is not None:
            pointer.publish(workspace, artifact, artifacts)


def settings(table: Table) -> dict[str, Any]:
    """What of a table the file depends on besides its rows: keys, meanings, units, values."""
    wanted = {"type", "meaning", "unit", "values", "scale", "personal"}
    columns = {
        name: column.model_dump(mode="json", by_alias=True, exclude_defaults=True, include=wanted)
        for name, column in table.columns.items()
    }
    meaning = table.model_dump(mode="json", include={"meaning"})["meaning"]
    return {"key": list(table.key), "meaning": meaning, "columns": columns}
