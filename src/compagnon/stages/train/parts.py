"""Training and test part of a model, from its tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compagnon.chain.stage import Context
from compagnon.errors import UserError
from compagnon.features.inputs import Input, feeds_of_table
from compagnon.i18n import _, ngettext
from compagnon.spec.model import Model, TestTable
from compagnon.stages.train import data, split
from compagnon.stages.train.choose import Learning

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True)
class Parts:
    """Training and test rows: raw inputs, and class codes; test codes may exceed those the model knows."""

    inputs: tuple[Input, ...]
    labels: tuple[str, ...]
    known: int
    train: pa.Table
    train_codes: np.ndarray[Any, Any]
    train_groups: np.ndarray[Any, Any] | None
    test: pa.Table
    test_codes: np.ndarray[Any, Any]


def _read(name: str, model: Model, context: Context) -> data.Rows:
    artifact = context.inputs[f"table/{name}"]
    rows = data.read(context.artifacts.paths(artifact), name, model, context.spec.tables[name])
    if rows.without_target:
        context.warn(
            ngettext(
                "{count} row of {table} has no value for {column}; it is left out.",
                "{count} rows of {table} have no value for {column}; they are left out.",
                rows.without_target,
            ).format(count=rows.without_target, table=name, column=model.target)
        )
    if rows.without_input:
        context.warn(
            ngettext(
                "{count} row of {table} has nothing in the inputs; it is left out.",
                "{count} rows of {table} have nothing in the inputs; they are left out.",
                rows.without_input,
            ).format(count=rows.without_input, table=name)
        )
    return rows


def parts_of(model: Model, context: Context) -> Parts:
    """Read, check and part the rows of a model; warns of what was left out."""
    import numpy as np

    rows = _read(model.table, model, context)
    data.check_classes(rows, model)
    labels = sorted(set(rows.labels))
    numbers = {label: code for code, label in enumerate(labels)}
    codes = np.array([numbers[label] for label in rows.labels], dtype=np.int64)
    groups = split.group_codes(rows.groups) if rows.groups is not None else None
    test = model.split.test
    if isinstance(test, TestTable):
        return _with_test_table(model, test, rows, codes, groups, labels, context)
    held = split.test_part(codes, groups, test, model.split.seed)
    kept = np.setdiff1d(np.arange(len(codes)), held)
    missing = np.setdiff1d(codes, codes[kept])
    if not len(held) or not len(kept) or len(missing):
        what = _("The split leaves a side without rows, or classes with none to learn from.")
        raise UserError("train.bad-split", what, next=_("Lower `split.test`, or collect more rows (more groups)."))
    table, others = rows.table.take(kept), rows.table.take(held)
    return Parts(
        _inputs(data.Rows(table, [], None, 0, 0), model, context),
        tuple(labels),
        len(labels),
        table,
        codes[kept],
        groups[kept] if groups is not None else None,
        others,
        codes[held],
    )


def _with_test_table(
    model: Model,
    test: TestTable,
    rows: data.Rows,
    codes: np.ndarray[Any, Any],
    groups: np.ndarray[Any, Any] | None,
    labels: list[str],
    context: Context,
) -> Parts:
    import numpy as np

    others = _read(test.table, model, context)
    unknown = sorted(set(others.labels) - set(labels))
    if unknown:
        context.warn(
            _("{table} holds classes that are not in {train}: {labels}; their rows count as errors.").format(
                table=test.table, train=model.table, labels=", ".join(unknown[:10])
            )
        )
    if not len(others):
        raise UserError(
            "train.empty-table",
            _("The table {table} has no usable rows.").format(table=test.table),
            next=_("Check how the sources name its columns, under `from:`."),
        )
    every = [*labels, *unknown]
    numbers = {label: code for code, label in enumerate(every)}
    test_codes = np.array([numbers[label] for label in others.labels], dtype=np.int64)
    return Parts(
        _inputs(rows, model, context), tuple(every), len(labels), rows.table, codes, groups, others.table, test_codes
    )


def _inputs(rows: data.Rows, model: Model, context: Context) -> tuple[Input, ...]:
    return data.inputs_of(rows, model, context.spec.tables[model.table])


def learning_of(model: Model, parts: Parts, context: Context) -> Learning:
    """Training rows as feeds, with their folds; warns of classes too rare and of texts on both sides."""
    import numpy as np

    pairs, rare = split.folds(parts.train_codes, parts.train_groups, _fold_count(model, parts), model.split.seed)
    if len(rare):
        names = ", ".join(parts.labels[code] for code in rare[:10])
        context.warn(
            _("Classes with fewer rows than the {folds} folds are learned but not validated: {labels}.").format(
                folds=model.split.folds, labels=names
            )
        )
    feeds = feeds_of_table(parts.inputs, parts.train)
    if model.task == "text-classification":
        _warn_of_leaks(feeds, feeds_of_table(parts.inputs, parts.test), parts, context)
    target = np.asarray(parts.train_codes)
    return Learning(model.task, parts.inputs, feeds, target, parts.known, pairs, model.split.seed)


def _fold_count(model: Model, parts: Parts) -> int:
    import numpy as np

    codes, groups = parts.train_codes, parts.train_groups
    pairs = codes[:, None] if groups is None else np.unique(np.stack([codes, groups], axis=1), axis=0)
    sizes = np.bincount(pairs[:, 0])
    if int((sizes >= model.split.folds).sum()) < 2:
        best = parts.labels[int(sizes.argmax())]
        raise UserError(
            "train.too-few-per-class",
            _("Fewer than two classes have {folds} rows to learn from (the largest, {label}, has {count}).").format(
                folds=model.split.folds, label=best, count=int(sizes.max())
            ),
            next=_("Collect more rows of each class, or lower `split.folds`."),
        )
    return model.split.folds


def _warn_of_leaks(train: Any, test: Any, parts: Parts, context: Context) -> None:
    name = parts.inputs[0].name
    known = set(train[name].tolist())
    count = sum(text in known for text in test[name].tolist())
    if count:
        context.warn(
            _("{count} test rows have the same text as a training row: the test is easier than real use.").format(
                count=count
            )
        )
