"""The rows a model learns from: read, checked, typed, ordered by ``row_id``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.errors import UserError
from compagnon.features.inputs import NUMBERS, Input
from compagnon.i18n import _
from compagnon.spec.model import Model, Table
from compagnon.stages.train.graph import OUTPUT

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST_ROWS = 10


@dataclass(frozen=True)
class Rows:
    """Usable rows of one table, ordered by ``row_id``: inputs, labels, groups; and how many were left out."""

    table: pa.Table
    labels: list[str]
    groups: list[Any] | None
    without_target: int
    without_input: int

    def __len__(self) -> int:
        return len(self.labels)


def read(paths: list[Path], name: str, model: Model, described: Table) -> Rows:
    """Rows of a table artifact that have a target and at least one input; raises UserError for what cannot be used."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if OUTPUT in model.input:
        raise UserError(
            "train.reserved-name",
            _("No input can be named {name}: the model's answer has that name.").format(name=OUTPUT),
            next=_("Rename the column under `columns:`."),
        )
    columns = list(dict.fromkeys([*model.input, model.target, *([model.split.group] if model.split.group else [])]))
    parts = []
    for path in paths:
        present = pq.read_schema(path).names
        for column in columns:
            if column not in present and not (column == model.split.group and name != model.table):
                raise UserError(
                    "train.no-column",
                    _("The table {table} has no column {column}.").format(table=name, column=column),
                    next=_("Its columns: {names}.").format(names=", ".join(n for n in present if n != "row_id")),
                )
        parts.append(pq.read_table(path, columns=["row_id", *(c for c in columns if c in present)]))
    table = pa.concat_tables(parts) if parts else None
    if table is None or not table.num_rows:
        raise UserError(
            "train.empty-table",
            _("The table {table} has no rows.").format(table=name),
            next=_("See what was collected and rejected: `compagnon status`, `compagnon quarantine list`."),
        )
    return _usable(table.sort_by("row_id"), name, model, described)


def _usable(table: pa.Table, name: str, model: Model, described: Table) -> Rows:
    import numpy as np
    import pyarrow.compute as pc

    labels = _labels(table.column(model.target))
    has_target = np.array([label is not None for label in labels])
    has_input = np.zeros(table.num_rows, dtype=bool)
    for column in model.input:
        _check_type(table.column(column), name, column, described)
        present = pc.is_valid(table.column(column)).to_numpy(zero_copy_only=False)
        if described.columns[column].type == "text":
            trimmed = pc.utf8_trim_whitespace(pc.fill_null(_text(table.column(column)), ""))
            present = present & pc.not_equal(trimmed, "").to_numpy(zero_copy_only=False)
        if not present.any() and len(model.input) == 1:
            raise UserError(
                "train.empty-column",
                _("The column {column} of table {table} holds nothing.").format(column=column, table=name),
                next=_("Check how the sources name it, under `from:`."),
            )
        has_input |= present
    keep = has_target & has_input
    group = model.split.group
    kept = table.filter(keep)
    return Rows(
        kept.select(list(model.input)),
        [label for label, wanted in zip(labels, keep.tolist(), strict=True) if wanted and label is not None],
        kept.column(group).to_pylist() if group and group in table.column_names else None,
        int((~has_target).sum()),
        int((has_target & ~has_input).sum()),
    )


def check_classes(rows: Rows, model: Model) -> None:
    """Raises UserError where there is nothing to tell apart, or too little to learn from."""
    classes = sorted(set(rows.labels))
    if not classes:
        raise UserError(
            "train.no-target",
            _("No row of table {table} has a value for {column}.").format(table=model.table, column=model.target),
            next=_("Check how the sources name the column, under `from:`."),
        )
    if len(classes) < 2:
        raise UserError(
            "train.one-class",
            _("All rows of {column} are {label}: there is nothing to tell apart.").format(
                column=model.target, label=classes[0]
            ),
            next=_("Collect rows of at least one other class, or choose another target."),
        )
    if len(rows) < FEWEST_ROWS:
        raise UserError(
            "train.too-few-rows",
            _("{count} usable rows are too few to learn from and to test on.").format(count=len(rows)),
            next=_("Collect at least {count} rows with a value for {column}.").format(
                count=FEWEST_ROWS, column=model.target
            ),
        )
    if len(classes) > max(2, len(rows) // 2):
        raise UserError(
            "train.too-many-classes",
            _("{column} has {classes} different values for {rows} rows: it does not name classes.").format(
                column=model.target, classes=len(classes), rows=len(rows)
            ),
            next=_("Choose a target with few values, each on many rows."),
        )


def inputs_of(rows: Rows, model: Model, described: Table) -> tuple[Input, ...]:
    """The model's input fields with what training rows say of them: missing values, typical value, categories."""
    return tuple(_input(rows.table.column(c), c, model, described) for c in model.input)


def _input(column: pa.ChunkedArray, name: str, model: Model, described: Table) -> Input:
    import numpy as np
    import pyarrow.compute as pc

    kind = described.columns[name].type
    nullable = column.null_count > 0 and model.task != "text-classification"
    present = column.drop_null()
    if kind == "text" and model.task == "text-classification":
        return Input(name, "text", nullable, "")
    if kind in ("category", "text"):
        counts = sorted(
            ((str(v["values"]), v["counts"]) for v in pc.value_counts(_text(present)).to_pylist()),
            key=lambda pair: (-pair[1], pair[0]),
        )
        known = tuple(value for value, _count in counts[:50]) if kind == "category" else None
        return Input(name, kind, nullable, counts[0][0] if counts else None, known)
    if kind in NUMBERS:
        values = pc.cast(pc.cast(present, "int8") if kind == "boolean" else present, "float64", safe=False).to_numpy()
        middle: float | bool | None = float(np.median(values)) if len(values) else None
        return Input(name, kind, nullable, middle if kind != "boolean" or middle is None else middle >= 0.5)
    ordered = pc.array_sort_indices(present)
    middle_moment = present[ordered[len(present) // 2].as_py()].as_py() if len(present) else None
    return Input(name, kind, nullable, _iso(middle_moment))


def _iso(moment: Any) -> str | None:
    from datetime import UTC, datetime

    if moment is None:
        return None
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
    return str(moment.isoformat())


def _labels(column: pa.ChunkedArray) -> list[str | None]:
    values = column.to_pylist()
    return [
        None if v is None or v == "" else ("true" if v else "false") if isinstance(v, bool) else str(v) for v in values
    ]


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return pc.cast(column, pa.string())


def _check_type(column: pa.ChunkedArray, table: str, name: str, described: Table) -> None:
    import pyarrow as pa

    kind, found = described.columns[name].type, column.type
    number = pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_decimal(found)
    fits = {
        "text": True,
        "category": True,
        "boolean": pa.types.is_boolean(found) or number,
        "date": pa.types.is_date(found) or pa.types.is_timestamp(found),
        "timestamp": pa.types.is_timestamp(found),
    }.get(kind, number or pa.types.is_boolean(found))
    if not fits and not pa.types.is_null(found):
        raise UserError(
            "train.column-type",
            _("The column {column} of table {table} is declared {declared} but holds {found}.").format(
                column=name, table=table, declared=kind, found=found
            ),
            next=_("Prepare the table again: `compagnon run --refresh prepare`."),
        )
