"""Writing the code behind the runs of a solution into a folder, script by script."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.chain import plugins
from compagnon.chain.artifact import Artifact, ArtifactStore
from compagnon.chain.ledger import Ledger
from compagnon.chain.plan import Step
from compagnon.errors import UserError
from compagnon.evidence.code import collect, helpers, notebook, predict, prepare, readme, train
from compagnon.i18n import _, ngettext
from compagnon.spec.model import Spec, TestTable

if TYPE_CHECKING:
    import pyarrow as pa

STAGES = ("collect", "prepare", "train", "package")


@dataclass
class Written:
    """The files of an export by their name in its folder, and what a reader should know of it."""

    files: dict[str, str | bytes] = field(default_factory=dict)
    steps: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The explanation and the code of each script, in the order in which they run."""
    variables: list[str] = field(default_factory=list)
    libraries: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def script(self, name: str, said: str, code: str) -> None:
        self.files[name] = code
        self.steps[name] = (said, code)


@dataclass(frozen=True)
class Source:
    """What an export is made from: a solution's file and folder, and what its runs left."""

    spec: Spec
    root: Path
    artifacts: ArtifactStore
    ledger: Ledger
    steps: Sequence[Step]

    def step(self, name: str) -> Step:
        """The step ``name``; raises UserError ``export.not-run`` where it was never finished."""
        found = next(step for step in self.steps if step.instance.id == name)
        if found.run is None:
            raise UserError(
                "export.not-run",
                _("The stage {stage} was not run: there is no code behind it yet.").format(stage=name),
                next=_("Run it: `compagnon run`."),
            )
        return found

    def output(self, stage: str, name: str) -> Artifact:
        run = self.step(stage).run
        found = run.output(name) if run else None
        artifact = self.artifacts.get(found.zone, found.digest) if found else None
        if artifact is None:
            raise UserError(
                "export.not-there",
                _("What {stage} made is no longer there.").format(stage=stage),
                next=_("Run again: `compagnon run`."),
            )
        return artifact


def write(source: Source, folder: Path, stage: str | None = None, as_notebook: bool = False) -> Written:
    """Write the code of ``stage`` and of what it needs (all by default) into ``folder``; returns what was written.

    Raises UserError: ``export.unknown-stage``, ``export.not-run``, ``export.family``, ``export.source-kind``.
    """
    last, models, tables = _wanted(source.spec, stage)
    names = [name for table in tables for name in source.spec.tables[table].from_]
    if last == "collect":
        names = [stage.partition("/")[2]] if stage and "/" in stage else list(source.spec.sources)
    made = Written()
    made.warnings += _warnings(source, [f"collect/{n}" for n in names], tables, models, last)
    _collect(source, list(dict.fromkeys(names)), folder, made)
    if STAGES.index(last) >= 1:
        _prepare(source, tables, made)
    if STAGES.index(last) >= 2:
        for name in models:
            _train(source, name, last == "train", made)
    if last == "package":
        for name in models:
            _predict(source, name, made)
    versions = _versions(source, made)
    made.files["requirements.txt"] = "".join(f"{name}=={version}\n" for name, version in versions.items())
    if as_notebook:
        made.files[f"{source.spec.name}.ipynb"] = notebook.write(readme.title(source.spec), made.steps)
    made.files["README.md"] = readme.write(source.spec, made.steps, made.variables, made.warnings, as_notebook)
    made.files["helpers/__init__.py"] = ""
    for name, content in made.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return made


def _wanted(spec: Spec, stage: str | None) -> tuple[str, list[str], list[str]]:
    """The last kind of stage, the models and the tables that ``stage`` takes."""
    kind, _slash, name = (stage or "package").partition("/")
    known: dict[str, Mapping[str, object]] = {
        "collect": spec.sources,
        "prepare": spec.tables,
        "train": spec.models,
        "package": spec.models,
    }
    if kind not in known or (name and name not in known[kind]):
        instances = [f"{k}/{n}" for k, named in known.items() for n in named]
        raise UserError(
            "export.unknown-stage",
            _("There is no code for the stage {stage}.").format(stage=stage),
            next=_("Stages: {names}.").format(names=", ".join([*STAGES, *instances])),
        )
    if kind == "collect":
        return kind, [], []
    if kind == "prepare":
        return kind, [], [name] if name else list(spec.tables)
    models = [name] if name else list(spec.models)
    if not stage:
        return kind if models else "prepare", models, list(spec.tables)
    tables = [table for model in models for table in _tables_of(spec, model)]
    return kind, models, list(dict.fromkeys(tables))


def _tables_of(spec: Spec, model: str) -> list[str]:
    test = spec.models[model].split.test
    return [spec.models[model].table, *([test.table] if isinstance(test, TestTable) else [])]


def _warnings(
    source: Source, collected: Sequence[str], tables: Sequence[str], models: Sequence[str], last: str
) -> list[str]:
    """Why the code may give other results than the runs."""
    names = [*collected, *(f"prepare/{t}" for t in tables)]
    names += [f"{kind}/{m}" for kind in STAGES[2:] if STAGES.index(kind) <= STAGES.index(last) for m in models]
    found = []
    old = [s.instance.id for s in source.steps if s.instance.id in names and s.run is not None and not s.valid]
    if old:
        what = _("Not up to date: {stages}. The code follows the file as it is now; run first for the same figures.")
        found.append(what.format(stages=", ".join(old)))
    for table in tables:
        count = sum(c.kind == "correct" for c in source.ledger.corrections(table))
        if count:
            text = ngettext(
                "{count} corrected value of {table} is not in the code: it may be personal.",
                "{count} corrected values of {table} are not in the code: they may be personal.",
                count,
            )
            found.append(text.format(count=count, table=table))
    return found


def _collect(source: Source, names: Sequence[str], folder: Path, made: Written) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        root = os.path.relpath(source.root, folder.resolve())
    except ValueError:  # another drive
        root = str(source.root)
    parts = [collect.HEAD.format(root=Path(root).as_posix())]
    for name in names:
        rows = source.output(f"collect/{name}", f"rows/{name}")
        bad = source.output(f"collect/{name}", f"unreadable/{name}")
        schemas = [_own(pq.read_schema(path)) for path in source.artifacts.paths(rows)]
        whole = pa.unify_schemas(schemas) if schemas else _declared(source.spec, name)
        unreadable: dict[str, list[tuple[int, int | None, str]]] = {}
        for segment, path in zip(bad.segments, source.artifacts.paths(bad), strict=True):
            found = pq.read_table(path, columns=["_row_id", "line", "code"]).to_pylist()
            places = [(int(row["_row_id"].rpartition(":")[2]), row["line"], row["code"]) for row in found]
            unreadable[segment.name.removesuffix(".parquet")] = places
        read = collect.source(name, source.spec, source.root, rows, schemas, whole, unreadable)
        parts.append(read.code)
        made.variables += read.variables
        made.libraries |= {library: plugins.identity(library) for library in read.libraries}
    made.files |= _helpers(helpers.of_collect())
    made.script("1_collect.py", readme.COLLECT, "\n\n".join(part.strip("\n") for part in parts) + "\n")


def _own(schema: pa.Schema) -> pa.Schema:
    """The source's own columns, without what a writer noted beside them."""
    import pyarrow as pa

    return pa.schema([pa.field(f.name, f.type) for f in schema if f.name not in ("_row_id", "_source")])


def _declared(spec: Spec, name: str) -> pa.Schema:
    import pyarrow as pa

    columns = [e.column for table in spec.tables.values() for e in table.from_.get(name, {}).values()]
    return pa.schema([(column, pa.string()) for column in dict.fromkeys(columns)])


def _prepare(source: Source, tables: Sequence[str], made: Written) -> None:
    keyed, found = False, []
    for name in tables:
        table = source.spec.tables[name]
        source.step(f"prepare/{name}")
        raw = {s: source.artifacts.paths(source.output(f"collect/{s}", f"rows/{s}")) for s in table.from_}
        corrections = source.ledger.corrections(name)
        restored = list(dict.fromkeys(c.row_id for c in corrections if c.kind == "restore"))
        ready = prepare.prepared(name, source.spec, source.root, raw, restored)
        made.files[f"prepare_{name}.sql"] = ready.sql
        keyed = keyed or "pseudonym" in ready.keeps.values()
        found.append(ready)
    if keyed:
        made.variables.append("COMPAGNON_PSEUDONYM_KEY")
    made.files |= _helpers(helpers.of_prepare())
    made.script("2_prepare.py", readme.PREPARE, prepare.script(found, keyed))


def _train(source: Source, name: str, asked: bool, made: Written) -> None:
    learned = _json(source, f"train/{name}", f"model/{name}", "model.json")
    run = source.step(f"train/{name}").run
    facts = {fact.name: fact.value for fact in run.facts} if run else {}
    try:
        code = train.script(name, source.spec, learned, facts)
    except UserError as error:
        if asked:
            raise
        made.warnings.append(f"{error.problem.what} {error.problem.next or ''}".strip())
        return
    made.files |= _helpers(helpers.of_train(source.spec.models[name].task != "text-classification"))
    made.script(f"3_train_{name}.py", readme.train(name, learned["family"]), code)


def _predict(source: Source, name: str, made: Written) -> None:
    package = source.output(f"package/{name}", f"package/{name}")
    source.artifacts.verify(package)
    for file in ("model.onnx", "package.json"):
        made.files[f"models/{name}/{file}"] = source.artifacts.path(package, file).read_bytes()
    made.files |= _helpers(helpers.of_predict())
    made.script(f"4_predict_{name}.py", readme.predict(name), predict.script(name, source.spec.models[name]))


def _json(source: Source, stage: str, artifact: str, file: str) -> Mapping[str, Any]:
    path = source.artifacts.path(source.output(stage, artifact), file)
    document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _helpers(files: Mapping[str, str]) -> dict[str, str]:
    return {f"helpers/{name}": text for name, text in files.items()}


def _versions(source: Source, made: Written) -> dict[str, str]:
    """Versions of the libraries that the scripts import, as the latest of their runs recorded them."""
    names = ["duckdb", "pyarrow"]
    kinds = {name.partition("_")[2].partition("_")[0].removesuffix(".py") for name in made.steps}
    names += ["numpy", "scikit-learn", "scipy"] if "train" in kinds else []
    names += ["numpy", "onnxruntime"] if "predict" in kinds else []
    recorded: dict[str, str] = {}
    for step in source.steps:
        if step.run is not None:
            recorded |= step.run.environment
    found = {name: recorded.get(name) or plugins.identity(name) for name in dict.fromkeys(names)}
    return {name: version for name, version in {**found, **made.libraries}.items() if version != "absent"}
