"""Checks of models: their table, inputs, target, split and examples."""

from __future__ import annotations

from compagnon.i18n import _
from compagnon.spec.locator import Path
from compagnon.spec.model import Column, Model, TestTable
from compagnon.spec.scene import Scene

NOT_CLASSES = ("decimal", "float", "date", "timestamp")


def check_models(scene: Scene) -> None:
    """Adds to ``scene`` what is wrong in ``models``."""
    for name, model in scene.spec.models.items():
        path: Path = ("models", name)
        what = _("There is no table `{name}`.").format(name=model.table)
        if scene.known("spec.unknown-table", what, model.table, scene.names("tables"), (*path, "table")):
            _columns(scene, model, path)
            _test(scene, model, path)
        _inputs(scene, model, path)
        _examples(scene, model, path)
        for index, estimator in enumerate(model.estimators):
            if estimator in model.estimators[:index]:
                what = _("`{name}` is listed twice with the same options.").format(name=estimator.kind)
                scene.error("spec.twice", what, *path, "estimators", index)


def _columns(scene: Scene, model: Model, path: Path) -> None:
    named: list[tuple[str, Path]] = [(column, (*path, "input", index)) for index, column in enumerate(model.input)]
    named.append((model.target, (*path, "target")))
    if model.split.group is not None:
        named.append((model.split.group, (*path, "split", "group")))
    for column, place in named:
        what = _("`{column}` is not a column of `{table}`.").format(column=column, table=model.table)
        known = scene.known("spec.unknown-column", what, column, scene.columns(model.table), place)
        described = _described(scene, model.table, column)
        if known and described is not None and described.keep == "drop" and "group" not in place:
            what = _("`{column}` is dropped (`keep: drop`): a model cannot use it.").format(column=column)
            scene.error("spec.dropped", what, *place)
    target = _described(scene, model.table, model.target)
    if target is not None and target.type in NOT_CLASSES:
        what = _("`{column}` is of type {type}: classes cannot be told from it.").format(
            column=model.target, type=target.type
        )
        scene.error("spec.target", what, *path, "target", next=_("Choose a category, text, integer or boolean column."))


def _inputs(scene: Scene, model: Model, path: Path) -> None:
    for index, column in enumerate(model.input):
        if column == model.target:
            what = _("The target `{column}` is among the inputs: the model would only copy it.").format(column=column)
            scene.error("spec.target-in-input", what, *path, "input", index)
        if column in model.input[:index]:
            scene.error("spec.twice", _("`{column}` is named twice.").format(column=column), *path, "input", index)
    if model.split.group == model.target:
        what = _("The target cannot group the rows: each class would be on one side only.")
        scene.error("spec.group", what, *path, "split", "group")
    if model.task != "text-classification":
        return
    hint = _("Keep one text column, or use `task: tabular-classification`.")
    first = _described(scene, model.table, model.input[0])
    if len(model.input) != 1:
        scene.error("spec.one-text", _("This task takes exactly one text input."), *path, "input", next=hint)
    elif first is not None and first.type != "text":
        what = _("`{column}` is of type {type}; this task takes a text.").format(column=model.input[0], type=first.type)
        scene.error("spec.one-text", what, *path, "input", next=hint)


def _test(scene: Scene, model: Model, path: Path) -> None:
    if not isinstance(model.split.test, TestTable):
        return
    test, place = model.split.test.table, (*path, "split", "test", "table")
    what = _("There is no table `{name}`.").format(name=test)
    if not scene.known("spec.unknown-table", what, test, scene.names("tables"), place):
        return
    if test == model.table:
        what = _("A model cannot be tested on the table that it learns from.")
        scene.error("spec.test-table", what, *place, next=_("Name another table, or a share such as `test: 0.2`."))
        return
    for column in dict.fromkeys((*model.input, model.target)):
        ours, theirs = _described(scene, model.table, column), _described(scene, test, column)
        if column in scene.columns(model.table) and column not in scene.columns(test):
            what = _("The test table `{table}` has no column `{column}`.").format(table=test, column=column)
            scene.error("spec.test-table", what, *place)
        elif ours is not None and theirs is not None and ours.type != theirs.type:
            what = _("`{column}` is of type {theirs} in `{table}`, and {ours} where the model learns.").format(
                column=column, theirs=theirs.type, table=test, ours=ours.type
            )
            scene.error("spec.test-table", what, *place)


def _examples(scene: Scene, model: Model, path: Path) -> None:
    for index, example in enumerate(model.serve.examples):
        place = (*path, "serve", "examples", index)
        if isinstance(example, str):
            if len(model.input) > 1:
                what = _("An example of a model with several inputs names each of them.")
                scene.error("spec.example", what, *place, next=_("Write {{column: value, ...}}.").format())
            continue
        for column in example:
            what = _("`{column}` is not an input of this model.").format(column=column)
            scene.known("spec.example", what, column, model.input, (*place, column), key=True)


def _described(scene: Scene, table: str, column: str) -> Column | None:
    found = scene.spec.tables.get(table)
    return found.columns.get(column) if found else None
