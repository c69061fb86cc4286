"""A solution with one table and one model, as the stages train and package are given it; and small data."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from compagnon.chain import plugins
from compagnon.chain.artifact import Artifact, ArtifactStore, Draft
from compagnon.chain.clock import Clock, SystemClock
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Context, Stage
from compagnon.chain.workspace import Workspace
from compagnon.spec.kinds import complete_model
from compagnon.spec.model import Spec
from compagnon.stages.package import PackageStage
from compagnon.stages.package.load import LoadedPackage, load_package
from compagnon.stages.train import TrainStage

WORDS = {
    "réseau": ["convolution", "filtre", "noyau", "pooling", "image", "canal"],
    "texte": ["jeton", "attention", "phrase", "traduction", "vocabulaire", "invite"],
    "droit": ["RGPD", "consentement", "registre", "CNIL", "auteur", "licence"],
}
FILLERS = ["c'est", "quoi", "comment", "pourquoi", "la", "le", "une", "mon", "svp", "?", "2", "Élève"]


def questions(count: int = 120, seed: int = 0) -> list[dict[str, Any]]:
    """Short texts of three topics, with fillers that say nothing."""
    generator = random.Random(seed)
    rows = []
    for index in range(count):
        topic = list(WORDS)[index % 3]
        words = generator.sample(WORDS[topic], 2) + generator.sample(FILLERS, 3)
        if generator.random() < 0.15:
            words.append(generator.choice(WORDS[list(WORDS)[(index + 1) % 3]]))
        generator.shuffle(words)
        rows.append({"text": " ".join(words), "topic": topic})
    return rows


QUESTION_TYPES = {"text": {"type": "text"}, "topic": {"type": "category"}}


def machines(count: int = 160, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of mixed types with missing values; heat and age decide mostly whether a machine fails."""
    from datetime import UTC, date, datetime, timedelta

    generator = random.Random(seed)
    rows = []
    for _index in range(count):
        heat, age = generator.gauss(50, 20), generator.randrange(0, 20)
        failed = heat + 4 * age + generator.gauss(0, 10) > 95
        built = date(2010, 1, 1) + timedelta(days=generator.randrange(4000))
        rows.append(
            {
                "heat": None if generator.random() < 0.1 else round(heat, 2),
                "age": age,
                "kind": None if generator.random() < 0.1 else generator.choice(["press", "lathe", "saw"]),
                "guarded": None if generator.random() < 0.05 else generator.random() < 0.5,
                "built": built,
                "seen": datetime(2024, 5, 1, tzinfo=UTC) + timedelta(hours=generator.randrange(5000)),
                "state": "failed" if failed else "sound",
            }
        )
    return rows


MACHINE_TYPES = {
    "heat": {"type": "float"},
    "age": {"type": "integer"},
    "kind": {"type": "category"},
    "guarded": {"type": "boolean"},
    "built": {"type": "date"},
    "seen": {"type": "timestamp"},
    "state": {"type": "category"},
}
MACHINE_INPUTS = ["heat", "age", "kind", "guarded", "built", "seen"]


@dataclass
class Bench:
    """A solution's folder with its tables in place; ``train`` and ``package`` run the stages one after the other."""

    spec: Spec
    context: Context

    def train(self, name: str = "it") -> dict[str, Artifact]:
        return self._run(TrainStage(), name)

    def package(self, name: str = "it") -> LoadedPackage:
        made = self._run(PackageStage(), name)[f"package/{name}"]
        return load_package(
            lambda file: self.context.artifacts.path(made, file), {s.name: s.digest for s in made.segments}
        )

    def _run(self, stage: Stage, name: str) -> dict[str, Artifact]:
        instance = next(i for i in stage.instances(self.spec) if i.target == name)
        stage.run(instance, self.context)
        self.context.inputs.update(self.context.emitted)
        return self.context.emitted

    def fact(self, name: str) -> Any:
        return next(fact.value for fact in self.context.facts if fact.name == name)

    def read(self, artifact: str, file: str) -> str:
        made = self.context.emitted[artifact]
        return self.context.artifacts.path(made, file).read_text(encoding="utf-8")


def bench(
    root: Path,
    rows: list[dict[str, Any]] | dict[str, pa.Table],
    types: dict[str, Any],
    clock: Clock | None = None,
    **model: Any,
) -> Bench:
    """A bench for one model called ``it``; ``rows`` are the table ``main``, or tables by name."""
    tables = rows if isinstance(rows, dict) else {"main": pa.Table.from_pylist(rows)}
    declared = {
        "table": "main",
        "input": ["text"],
        "target": "topic",
        "task": "text-classification",
        "estimators": ["dummy", "naive_bayes"],
        **model,
    }
    options = {name: adapter.Options for name, adapter in plugins.load("estimators").items()}
    spec = complete_model({}, options).model_validate(
        {
            "version": 1,
            "name": "test",
            "tables": {name: {"from": {"src": {}}, "columns": types} for name in tables},
            "models": {"it": declared},
        }
    )
    workspace = Workspace(root)
    workspace.prepare()
    context = Context(
        spec=spec,
        workspace=workspace,
        artifacts=ArtifactStore(workspace),
        scratch=workspace.scratch / "run",
        clock=clock or SystemClock(),
        secrets=Secrets(workspace, {}),
        run_id="0123456789ab",
    )
    context.scratch.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        if "row_id" not in table.column_names:
            table = table.append_column(
                "row_id", pa.array([f"src:{i:07d}" for i in range(table.num_rows)], pa.string())
            )
        path = context.scratch / f"{name}.parquet"
        pq.write_table(table, path)
        context.inputs[f"table/{name}"] = context.emit(
            f"table/{name}", "table", "clean", [Draft(path.name, path, table.num_rows)]
        )
    return Bench(spec, context)
