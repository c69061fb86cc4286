"""Files that solution.yaml mentions: they are inside its folder, and they are read from nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath
from pathlib import PurePosixPath, PureWindowsPath

from pydantic import BaseModel

from compagnon.i18n import _
from compagnon.spec.finding import Finding
from compagnon.spec.locator import Path
from compagnon.spec.model import Column, Spec


def values_file(column: Column) -> str | None:
    """The file that lists the values of ``column``, when ``values`` names one (``.yaml`` or ``.yml``)."""
    if column.values is not None and len(column.values) == 1 and column.values[0].endswith((".yaml", ".yml")):
        return column.values[0]
    return None


def mentioned(spec: Spec) -> Iterator[tuple[Path, str]]:
    """Each place of ``spec`` that names a file of the solution, and the name.

    Adapters mark such an option with ``Field(json_schema_extra={"file": True})``.
    """
    for name, source in spec.sources.items():
        yield from _marked(source, ("sources", name))
    for table_name, table in spec.tables.items():
        for column_name, column in table.columns.items():
            if file := values_file(column):
                yield ("tables", table_name, "columns", column_name, "values"), file
    for name, model in spec.models.items():
        for index, estimator in enumerate(model.estimators):
            yield from _marked(estimator, ("models", name, "estimators", index))
    if spec.tutor is not None:
        yield from _marked(spec.tutor, ("tutor",))


def _marked(options: BaseModel, path: Path) -> Iterator[tuple[Path, str]]:
    for field, info in type(options).model_fields.items():
        extra = info.json_schema_extra
        if not isinstance(extra, dict) or not extra.get("file"):
            continue
        key, value = info.alias or field, getattr(options, field)
        if isinstance(value, str):
            yield (*path, key), value
        elif isinstance(value, (list, tuple)):
            yield from (((*path, key, index), item) for index, item in enumerate(value) if isinstance(item, str))


def outside(root: FilePath, name: str, path: Path) -> Finding | None:
    """The mistake of a ``name`` that leads out of the solution in ``root``; None if it stays inside."""
    parts = PureWindowsPath(name).parts
    absolute = PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or PureWindowsPath(name).root
    try:
        inside = not absolute and ".." not in parts and (root / name).resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):
        return None  # a name that no file can have: it is not found
    if inside:
        return None
    what = _("The file {name} is outside the folder of the solution.").format(name=name)
    next_ = _("Copy it into the folder and name it from there, such as queries/questions.sql.")
    return Finding("spec.file-outside", what, path, next_)


def fault(root: FilePath, name: str, path: Path) -> Finding | None:
    """Why ``name`` cannot be used as a file of the solution in ``root``; None if it can."""
    if (finding := outside(root, name, path)) is not None:
        return finding
    try:
        if (root / name).is_file():
            return None
    except (OSError, ValueError, RuntimeError):
        pass
    what = _("There is no file {name} in the folder of the solution.").format(name=name)
    return Finding("spec.file-not-found", what, path, _("Make the file, or correct its name."))
