"""The stage ``package``: seals a model so that what is served is what was tested."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from compagnon.chain import digest as digests
from compagnon.chain import plugins
from compagnon.chain.artifact import Artifact, ArtifactStore, Draft
from compagnon.chain.run import Run
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Context, Instance, Probe
from compagnon.chain.workspace import Workspace
from compagnon.features.inputs import Input, feeds_of_table
from compagnon.i18n import _
from compagnon.spec.model import Model, Spec
from compagnon.stages.package import card, seal
from compagnon.stages.package.load import PACKAGE_VERSION, LoadedPackage
from compagnon.stages.package.session import session_of
from compagnon.stages.package.shortcut import FILE

if TYPE_CHECKING:
    import pyarrow as pa

_ENVIRONMENT = ("compagnon", "numpy", "onnx", "onnxruntime", "scikit-learn")


class PackageStage:
    name: ClassVar[str] = "package"
    version: ClassVar[int] = 2

    def instances(self, spec: Spec) -> list[Instance]:
        return [_instance(name, model, spec) for name, model in spec.models.items()]

    def probe(self, instance: Instance, workspace: Workspace, spec: Spec, secrets: Secrets) -> Probe | None:
        return None

    def after(self, instance: Instance, workspace: Workspace, artifacts: ArtifactStore, run: Run) -> None:
        return None

    def run(self, instance: Instance, context: Context) -> None:
        name = instance.target
        model = context.spec.models[name]
        learned, evaluation = context.inputs[f"model/{name}"], context.inputs[f"evaluation/{name}"]
        context.artifacts.verify(learned)
        context.artifacts.verify(evaluation)
        described = _json(context, learned, "model.json")
        report = _json(context, evaluation, "evaluation.json")
        context.progress(_("comparing package and model"))
        graph = context.artifacts.path(learned, "model.onnx").read_bytes()
        draft = _document(name, model, described, learned, evaluation, report)
        package = _loaded(draft, model, described, graph)
        rows, found = _agree(context, learned, package)
        _time(context, package, rows)
        context.progress(_("sealing"))
        shortcut = _shortcut(package, graph, rows, found)
        _emit(context, name, model, draft, report, graph, shortcut, rows, found)


def _instance(name: str, model: Model, spec: Spec) -> Instance:
    settings = model.model_dump(mode="json", include={"title", "decide", "package"})
    settings["limits"] = model.serve.limits.model_dump(mode="json", include={"rows", "body", "text"})
    table = spec.tables[model.table]
    # What the cards quote.
    settings["card"] = {
        "solution": spec.model_dump(mode="json", include={"name", "title", "need"}),
        "meaning": table.model_dump(mode="json", include={"meaning"}),
        "licences": {source: spec.sources[source].licence for source in table.from_ if source in spec.sources},
        "purpose": spec.privacy.model_dump(mode="json", include={"purpose"}) if spec.privacy else None,
    }
    return Instance(
        "package",
        name,
        PackageStage.version,
        settings,
        inputs=(f"model/{name}", f"evaluation/{name}"),
        outputs=(f"package/{name}",),
        adapters=("onnxruntime",),
    )


def _json(context: Context, artifact: Artifact, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(context.artifacts.path(artifact, name).read_text(encoding="utf-8"))
    return document


def _document(
    name: str,
    model: Model,
    described: Mapping[str, Any],
    learned: Artifact,
    evaluation: Artifact,
    report: Mapping[str, Any],
) -> dict[str, Any]:
    limits = model.serve.limits
    return {
        "version": PACKAGE_VERSION,
        "name": name,
        "task": described["task"],
        "target": described["target"],
        "labels": described["labels"],
        "fold": described["fold"],
        "family": described["family"],
        "params": described["params"],
        "temperature": described["temperature"],
        "input": {
            "fields": described["inputs"],
            "limits": {"rows": limits.rows, "body": limits.body, "text": limits.text},
        },
        "output": {
            "label": {"type": "string", "values": described["labels"]},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "decide": {"type": "string", "values": ["model", "person"]},
            "probabilities": {"type": "array", "length": len(described["labels"])},
        },
        "decide": {"person_below": model.decide.person_below},
        "metrics": report["test_part"]["metrics"],
        "from": {"model": learned.digest, "evaluation": evaluation.digest},
        "environment": {name: plugins.identity(name) for name in _ENVIRONMENT},
        "digests": {},
    }


def _loaded(draft: Mapping[str, Any], model: Model, described: Mapping[str, Any], graph: bytes) -> LoadedPackage:
    """The package as it will be read back, before it is sealed."""
    return LoadedPackage(
        draft["name"],
        tuple(draft["labels"]),
        tuple(Input.of(value) for value in described["inputs"]),
        draft["task"],
        model.decide.person_below,
        draft["input"]["limits"],
        draft,
        session_of(graph),
    )


def _agree(context: Context, learned: Artifact, package: LoadedPackage) -> tuple[pa.Table, Any]:
    import numpy as np
    import pyarrow.parquet as pq

    sample = pq.read_table(context.artifacts.path(learned, "sample.parquet"))
    expected = np.array(sample.column("probabilities").to_pylist(), dtype=np.float64)
    rows = sample.drop_columns(["probabilities"])
    found = package.probabilities(feeds_of_table(package.inputs, rows))
    gap = seal.difference(expected, found)
    context.fact("package_difference", float(f"{gap:.3g}"))
    return rows, found


def _time(context: Context, package: LoadedPackage, rows: pa.Table) -> None:
    feeds = feeds_of_table(package.inputs, rows)

    def predict(row: int) -> object:
        return package.probabilities({name: values[row : row + 1] for name, values in feeds.items()})

    found = seal.latency(predict, rows.num_rows, context.clock.monotonic)
    context.fact("latency_p50", round(found.p50, 3))
    context.fact("latency_p95", round(found.p95, 3))


def _shortcut(package: LoadedPackage, graph: bytes, rows: pa.Table, found: Any) -> bytes | None:
    """The file of a shortcut that answers as the graph does on the whole sample; None where there is none."""
    from compagnon.stages.package.shortcut import choose, file

    feeds = feeds_of_table(package.inputs, rows)
    data = file.write(graph, feeds)
    read = file.read(data) if data is not None else None
    if read is None:
        return None
    return data if choose.is_equal(found, replace(package, shortcut=read[0]).probabilities(feeds)) else None


def _emit(
    context: Context,
    name: str,
    model: Model,
    document: dict[str, Any],
    report: Mapping[str, Any],
    graph: bytes,
    shortcut: bytes | None,
    rows: pa.Table,
    found: Any,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sample = rows.append_column("probabilities", pa.array(found.tolist(), type=pa.list_(pa.float32())))
    context.scratch.mkdir(parents=True, exist_ok=True)
    path = context.scratch / "sample.parquet"
    pq.write_table(sample, path, compression="zstd")
    graph_path = _write(context, "model.onnx", graph)
    document["digests"] = {"model.onnx": digests.of_bytes(graph), "sample.parquet": digests.of_file(path)}
    cards = {
        f"card.{language}.md": card.write(context.spec, model, document, report, language) for language in ("fr", "en")
    }
    files = {file: _write(context, file, text.encode()) for file, text in cards.items()}
    if shortcut is not None:
        files[FILE] = _write(context, FILE, shortcut)
    document["digests"].update({file: digests.of_file(place) for file, place in files.items()})
    # The run that made it is stated, and leaves the artifact's name as it is: the same package has the same digest.
    content = digests.of_value(document)
    text = json.dumps({**document, "run": context.run_id}, ensure_ascii=False, indent=1) + "\n"
    drafts = [
        Draft("model.onnx", graph_path),
        Draft("package.json", _write(context, "package.json", text.encode()), content=content),
        Draft("sample.parquet", path, rows.num_rows, content=digests.of_table(sample)),
        *(Draft(file, place) for file, place in files.items()),
    ]
    context.fact("package_size", sum(draft.path.stat().st_size for draft in drafts))
    context.emit(
        f"package/{name}", "package", "clean", drafts, {"labels": document["labels"], "task": document["task"]}
    )


def _write(context: Context, name: str, content: bytes) -> Path:
    path = context.scratch / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
