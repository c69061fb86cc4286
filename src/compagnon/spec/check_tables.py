"""Checks of tables: where each column comes from, and rules that do not go with its type."""

from __future__ import annotations

import re

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.spec.finding import nearest
from compagnon.spec.locator import Path
from compagnon.spec.model import Column, Table
from compagnon.spec.scene import Scene
from compagnon.spec.values import category_values

NUMBERS = ("integer", "decimal", "float")
DATES = ("date", "timestamp")
TEXTS = ("text", "category")
NUMBER_FORMATS = ("fr", "en", "plain")

_GOES_WITH = {
    "at_least": NUMBERS,
    "at_most": NUMBERS,
    "unit": NUMBERS,
    "scale": ("decimal",),
    "pattern": TEXTS,
    "values": TEXTS,
    "timezone": DATES,
}

_DIRECTIVE = re.compile(r"%(-?.?)", re.DOTALL)
_DIRECTIVES = frozenset("aAbBcdfgGHIjmMnpSuUVwWxXyYzZ%")
_PREFER = re.compile(r"\s*(\S+)(?:\s+(?:asc|desc))?\s*", re.IGNORECASE)


def check_tables(scene: Scene) -> None:
    """Adds to ``scene`` what is wrong in ``tables``."""
    for name, table in scene.spec.tables.items():
        _origins(scene, name, table)
        _key(scene, name, table)
        _unique(scene, name, table)
        for column_name, column in table.columns.items():
            _column(scene, name, column_name, column)
        for source, columns in table.from_.items():
            for column_name, entry in columns.items():
                if (described := table.columns.get(column_name)) is None:
                    continue
                path = ("tables", name, "from", source, column_name)
                _formats(scene, described, entry.formats, path)
                if entry.unit is not None and described.unit is None:
                    what = _("`{column}` has no unit to convert to.").format(column=column_name)
                    scene.error("spec.unit", what, *path, "unit", next=_("Give the column its `unit`."))
        _timezones(scene, name, table)


def _origins(scene: Scene, name: str, table: Table) -> None:
    path = ("tables", name)
    sources, columns = scene.names("sources"), scene.columns(name)
    given: dict[str, list[str]] = {source: scene.names(*path, "from", source) for source in scene.names(*path, "from")}
    for source, named in given.items():
        what = _("There is no source `{name}`.").format(name=source)
        scene.known("spec.unknown-source", what, source, sources, (*path, "from", source), key=True)
        for column in named:
            what = _("`{column}` is not a column of this table.").format(column=column)
            scene.known("spec.unknown-column", what, column, columns, (*path, "from", source, column), key=True)
    for column, described in table.columns.items():
        here = (*path, "columns", column)
        absent = [source for source, named in given.items() if column not in named]
        if scene.written(*here, "expr"):
            for source in given.keys() - set(absent):
                what = _("`{column}` is computed by `expr`: it cannot also come from a source.").format(column=column)
                scene.error("spec.two-origins", what, *path, "from", source, column, key=True)
        elif len(absent) == len(given):
            what = _("No source gives `{column}`, and it has no `expr`.").format(column=column)
            hint = _("Name it under `from`, by source, or compute it with `expr`.")
            scene.error("spec.no-origin", what, *here, next=hint, key=True)
        elif absent and described.required:
            what = _("`{column}` is required, but these sources do not give it: {names}.").format(
                column=column, names=", ".join(absent)
            )
            scene.error("spec.required-absent", what, *here, "required", next=_("Name it there, or drop `required`."))


def _key(scene: Scene, name: str, table: Table) -> None:
    _existing(scene, name, table.key, ("tables", name, "key"))
    for column in table.key:
        described = table.columns.get(column)
        if described is not None and described.expr is not None:
            what = _("The key `{column}` is computed; a key comes from the source.").format(column=column)
            scene.error("spec.key", what, "tables", name, "key")


def _unique(scene: Scene, name: str, table: Table) -> None:
    if table.unique is None:
        return
    path = ("tables", name, "unique")
    _existing(scene, name, table.unique.by, (*path, "by"))
    for index, order in enumerate(table.unique.prefer):
        match = _PREFER.fullmatch(order)
        what = _("`{order}` does not begin with a column of this table.").format(order=order)
        if not match:
            scene.error("spec.order", what, *path, "prefer", index, next=_("Write for example `asked_at desc`."))
        else:
            scene.known("spec.unknown-column", what, match[1], scene.columns(name), (*path, "prefer", index))


def _existing(scene: Scene, table: str, columns: tuple[str, ...], path: Path) -> None:
    for index, column in enumerate(columns):
        what = _("`{column}` is not a column of `{table}`.").format(column=column, table=table)
        scene.known("spec.unknown-column", what, column, scene.columns(table), (*path, index))
        if column in columns[:index]:
            scene.error("spec.twice", _("`{column}` is named twice.").format(column=column), *path, index)


def _column(scene: Scene, table: str, name: str, column: Column) -> None:
    path = ("tables", table, "columns", name)
    if column.type == "category" and not column.values and scene.raw_at(*path, "values") in (None, []):
        what = _("The category `{column}` does not list its values.").format(column=name)
        hint = _("Add `values: [a, b]`, or a YAML file that lists them; or use `type: text`.")
        scene.error("spec.no-values", what, *path, next=hint, key=True)
    _values(scene, column, path)
    _formats(scene, column, column.formats, path)
    for key, types in _GOES_WITH.items():
        if scene.written(*path, key) and getattr(column, key) is not None and column.type not in types:
            what = _("`{key}` does not go with the type {type}.").format(key=key, type=column.type)
            hint = _("It goes with: {types}.").format(types=", ".join(types))
            scene.error("spec.not-for-type", what, *path, key, next=hint, key=True)
    if column.at_least is not None and column.at_most is not None and column.at_least > column.at_most:
        what = _("`at_least` is above `at_most`: no value could pass.")
        scene.error("spec.bounds", what, *path, "at_least")


def _values(scene: Scene, column: Column, path: Path) -> None:
    for index, value in enumerate(column.values or ()):
        if value in (column.values or ())[:index]:
            scene.error("spec.twice", _("`{value}` is listed twice.").format(value=value), *path, "values", index)
    if not column.map or column.values is None:
        return
    try:
        values = category_values(scene.root, column)
    except UserError:
        return  # reported with the file
    for written, value in column.map.items():
        what = _("`{value}` is not one of the values.").format(value=value)
        scene.known("spec.unknown-value", what, value, values, (*path, "map", written))


def _formats(scene: Scene, column: Column, formats: tuple[str, ...], path: Path) -> None:
    for index, text in enumerate(formats):
        here = (*path, "formats", index)
        if column.type in DATES:
            wrong = _date_format_fault(text)
        elif column.type in NUMBERS:
            what = _("`{format}` is not a way of writing numbers.").format(format=text)
            wrong = None if text in NUMBER_FORMATS else (what, nearest("", NUMBER_FORMATS))
        else:
            wrong = (
                _("`formats` does not go with the type {type}.").format(type=column.type),
                _("It goes with: {types}.").format(types=", ".join((*DATES, *NUMBERS))),
            )
        if wrong:
            scene.error("spec.format", wrong[0], *here, next=wrong[1])


def _date_format_fault(text: str) -> tuple[str, str | None] | None:
    if text == "iso":
        return None
    hint = _("Write `iso`, or a strptime format such as %d/%m/%Y %H:%M.")
    directives = [match[1].lstrip("-") for match in _DIRECTIVE.finditer(text)]
    if not [directive for directive in directives if directive != "%"]:
        return _("`{format}` is not a date format.").format(format=text), hint
    unknown = next((directive for directive in directives if directive not in _DIRECTIVES), None)
    if unknown is not None:
        return _("`%{directive}` means nothing in a date format.").format(directive=unknown), hint
    return None


def _timezones(scene: Scene, name: str, table: Table) -> None:
    """Timestamps written without a zone need one declared: by source, by column, or for the solution."""
    if scene.written("timezone"):
        return
    for column_name, column in table.columns.items():
        path = ("tables", name, "columns", column_name)
        if column.type != "timestamp" or column.expr is not None or scene.written(*path, "timezone"):
            continue
        entries = [columns[column_name] for columns in table.from_.values() if column_name in columns]
        formats = {
            text
            for entry in entries
            if entry.timezone is None
            for text in (entry.formats or column.formats or ("iso",))
        }
        naive = sorted(text for text in formats if text != "iso" and "%z" not in text and "%Z" not in text)
        hint = _("Add `timezone: Europe/Paris` to the solution, to the column or under `from`.")
        if naive:
            what = _("Dates written as {formats} have no time zone, and none is declared.").format(
                formats=", ".join(f"`{text}`" for text in naive)
            )
            scene.error("spec.timezone", what, *path, next=hint, key=True)
        elif formats:
            what = _("Dates of `{column}` that state no time zone are read as UTC.").format(column=column_name)
            scene.warn("spec.timezone", what, *path, next=hint, key=True)
