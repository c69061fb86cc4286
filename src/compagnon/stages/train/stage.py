"""The stage ``train``: from a table to a model that proved itself, with its evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from compagnon.chain import digest as digests
from compagnon.chain import plugins
from compagnon.chain.artifact import ArtifactStore, Draft
from compagnon.chain.run import Run
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Context, Instance, Probe
from compagnon.chain.workspace import Workspace
from compagnon.errors import UserError
from compagnon.features.inputs import feeds_of_table
from compagnon.features.text import FOLD_VERSION
from compagnon.i18n import _
from compagnon.spec.model import EstimatorOptions, Model, Spec, TestTable
from compagnon.stages.train import evaluate, sample, temperature
from compagnon.stages.train.choose import Comparison, Trial, refit, take
from compagnon.stages.train.graph import Graph, write
from compagnon.stages.train.parts import Parts, learning_of, parts_of
from compagnon.stages.train.port import Estimator, Fitted, FittedView
from compagnon.stages.train.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    import onnx
    import pyarrow as pa

MODEL_VERSION = 1
_ADAPTERS = ("numpy", "onnx", "scikit-learn", "scipy")


class TrainStage:
    name: ClassVar[str] = "train"
    version: ClassVar[int] = 1

    def instances(self, spec: Spec) -> list[Instance]:
        return [_instance(name, model, spec) for name, model in spec.models.items()]

    def probe(self, instance: Instance, workspace: Workspace, spec: Spec, secrets: Secrets) -> Probe | None:
        return None

    def after(self, instance: Instance, workspace: Workspace, artifacts: ArtifactStore, run: Run) -> None:
        return None

    def run(self, instance: Instance, context: Context) -> None:
        model = context.spec.models[instance.target]
        context.progress(_("reading rows"))
        with one_thread():
            parts = parts_of(model, context)
            learning = learning_of(model, parts, context)
            families = _families(model)
            comparison = Comparison(
                learning,
                model.metric,
                model.budget.total_seconds(),
                context.clock.monotonic,
                lambda message, done, total: context.progress(message, done, total),
            )
            chosen = comparison.run(families)
            context.progress(_("learning from all rows with {family}").format(family=chosen.family))
            estimator = next(e for e, _options in families if e.name == chosen.family)
            view, fitted = refit(estimator, chosen, learning)
            _emit(instance.target, model, parts, comparison, chosen, view, fitted, context)


def _instance(name: str, model: Model, spec: Spec) -> Instance:
    test = model.split.test
    tables = [model.table, *([test.table] if isinstance(test, TestTable) else [])]
    settings = model.model_dump(mode="json", include={"task", "table", "input", "target", "split", "metric", "budget"})
    described = spec.tables[model.table].columns
    settings["types"] = {column: described[column].type for column in model.input}
    # By their own class: the options of an adapter are more than what every estimator states.
    settings["estimators"] = [options.model_dump(mode="json") for options in model.estimators]
    settings["samples"] = model.package.samples
    return Instance(
        "train",
        name,
        TrainStage.version,
        settings,
        inputs=tuple(f"table/{table}" for table in tables),
        outputs=(f"model/{name}", f"evaluation/{name}"),
        adapters=_ADAPTERS,
    )


def _families(model: Model) -> list[tuple[Estimator, EstimatorOptions]]:
    """Estimators asked for, with their options; the dummy is always among them."""
    adapters: dict[str, Any] = plugins.load("estimators")
    found: list[tuple[Estimator, EstimatorOptions]] = []
    for options in model.estimators:
        if options.kind not in adapters:
            raise UserError(
                "train.unknown-estimator",
                _("There is no estimator {name}.").format(name=options.kind),
                next=_("Estimators: {names}.").format(names=", ".join(sorted(adapters))),
            )
        adapter = adapters[options.kind]
        complete = options if isinstance(options, adapter.Options) else adapter.Options(**options.model_dump())
        found.append((adapter(), complete))
    if not any(estimator.name == "dummy" for estimator, _options in found):
        dummy = adapters["dummy"]
        found.append((dummy(), dummy.Options()))
    for estimator, options in found:
        if not estimator.candidates(options, model.task):
            raise UserError(
                "train.wrong-task",
                _("The estimator {name} does not do {task}.").format(name=estimator.name, task=model.task),
                next=_("Remove it from `estimators:`."),
            )
    return found


def _emit(
    name: str,
    model: Model,
    parts: Parts,
    comparison: Comparison,
    chosen: Trial,
    view: FittedView,
    fitted: Fitted,
    context: Context,
) -> None:
    def probabilities(table: pa.Table) -> np.ndarray[Any, Any]:
        feeds = feeds_of_table(parts.inputs, table)
        return _in_blocks(feeds, table.num_rows, view, fitted, chosen.temperature)

    context.progress(_("testing"))
    report = evaluate.test_report(parts.labels, parts.test_codes, probabilities(parts.test), model.split.seed)
    _facts(parts, comparison, chosen, report, context)
    _emit_evaluation(name, model, parts, comparison, chosen, report, context)
    context.progress(_("writing the graph"))
    graph = export(view, fitted, chosen.temperature, parts.known)
    _emit_model(name, model, parts, chosen, graph, probabilities, context)


def _in_blocks(
    feeds: Any, count: int, view: FittedView, fitted: Fitted, heat: float, size: int = 4096
) -> np.ndarray[Any, Any]:
    import numpy as np

    blocks = [take(feeds, np.arange(start, min(start + size, count))) for start in range(0, count, size)]
    return np.concatenate([temperature.softmax(fitted.scores(view.transform(b)), heat) for b in blocks])


def export(view: FittedView, fitted: Fitted, heat: float, classes: int) -> onnx.ModelProto:
    """The whole path from inputs to probabilities as one ONNX graph."""
    graph = Graph()
    scores = fitted.export(graph, view.export(graph))
    scaled = graph.add("Div", [scores, graph.constant(heat)])
    return graph.model(graph.add("Softmax", [scaled], axis=1), classes)


def _facts(parts: Parts, comparison: Comparison, chosen: Trial, report: dict[str, Any], context: Context) -> None:
    values = report["metrics"]
    dummy = next(trial for trial in comparison.trials if trial.family == "dummy")
    context.fact("rows_train", parts.train.num_rows)
    context.fact("rows_test", parts.test.num_rows)
    context.fact("classes", parts.known)
    context.fact("chosen", chosen.family)
    context.fact("macro_f1", values["macro_f1"]["value"])
    context.fact("macro_f1_low", values["macro_f1"]["low"])
    context.fact("macro_f1_high", values["macro_f1"]["high"])
    context.fact("macro_f1_cv", round(chosen.macro_f1, 6))
    context.fact("macro_f1_dummy", round(dummy.macro_f1, 6))
    context.fact("accuracy", values["accuracy"]["value"])
    context.fact("balanced_accuracy", values["balanced_accuracy"]["value"])
    if values["roc_auc"]["value"] is not None:
        context.fact("roc_auc", values["roc_auc"]["value"])
    refused = sorted({refusal.family for refusal in comparison.refused})
    context.fact("families_refused", ", ".join(refused))
    for refusal in comparison.refused:
        context.warn(
            _("{family} was refused: it would have taken {seconds} s, more than what was left of the budget.").format(
                family=refusal.family, seconds=round(refusal.expected)
            )
        )


def _emit_evaluation(
    name: str,
    model: Model,
    parts: Parts,
    comparison: Comparison,
    chosen: Trial,
    report: dict[str, Any],
    context: Context,
) -> None:
    described, files = evaluate.charts(parts.labels, report)
    document = {
        "version": evaluate.EVALUATION_VERSION,
        "model": name,
        "task": model.task,
        "metric": model.metric,
        "folds": len(comparison.learning.folds),
        "seed": model.split.seed,
        "test": model.split.test.table if isinstance(model.split.test, TestTable) else model.split.test,
        "labels": list(parts.labels),
        "rows_train": parts.train.num_rows,
        "families": evaluate.families(comparison, chosen),
        "chosen": {"family": chosen.family, "params": dict(chosen.candidate.params)},
        "test_part": report,
        "charts": described,
    }
    content = digests.of_value(document)
    text = json.dumps({**document, "measured": evaluate.measured(comparison)}, ensure_ascii=False, indent=1) + "\n"
    drafts = [Draft("evaluation.json", _scratch(context, "evaluation.json", text.encode()), content=content)]
    drafts += [Draft(file, _scratch(context, file, svg.encode())) for file, svg in files.items()]
    context.emit(f"evaluation/{name}", "evaluation", "clean", drafts)


def _emit_model(
    name: str, model: Model, parts: Parts, chosen: Trial, graph: onnx.ModelProto, probabilities: Any, context: Context
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    every = pa.concat_tables([parts.test, parts.train], promote_options="permissive")
    rows = sample.draw(every, parts.inputs, model.package.samples, model.split.seed)
    column = pa.array(probabilities(rows).tolist(), type=pa.list_(pa.float64()))
    rows = rows.append_column("probabilities", column)
    path = _scratch(context, "sample.parquet", b"")
    pq.write_table(rows, path, compression="zstd")
    document = {
        "version": MODEL_VERSION,
        "name": name,
        "task": model.task,
        "target": model.target,
        "labels": list(parts.labels[: parts.known]),
        "inputs": [field.as_dict() for field in parts.inputs],
        "fold": FOLD_VERSION,
        "family": chosen.family,
        "params": dict(chosen.candidate.params),
        "temperature": chosen.temperature,
    }
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    context.emit(
        f"model/{name}",
        "model",
        "clean",
        [
            Draft("model.onnx", _scratch(context, "model.onnx", write(graph))),
            Draft("model.json", _scratch(context, "model.json", text.encode())),
            Draft("sample.parquet", path, rows.num_rows, content=digests.of_table(rows)),
        ],
        {"labels": document["labels"], "family": chosen.family},
    )


def _scratch(context: Context, name: str, content: bytes) -> Path:
    path = context.scratch / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
