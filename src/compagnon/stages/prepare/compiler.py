"""The rule compiler: a table of solution.yaml and one of its sources become one DuckDB SELECT.

The SELECT looks at one row at a time, so it gives the same rows wherever it runs. It is built in layers, each a common
table expression over the one before, because a value that is used twice must be worked out once:

    raw      what the source gives, named ``@in.COLUMN``
    clean    ``@text.COLUMN``: text after clean-up, replacement and maps
    typed    ``COLUMN``: the value; then derived columns, one after the other
    (end)    ``row_id``, ``@source``, the columns, ``@bad0..`` (bits of reasons), ``@did0..`` (bits of effects)
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.spec.model import Column, FromColumn, Table
from compagnon.stages.prepare import cast, reasons, text
from compagnon.stages.prepare.expressions import literal, quoted, sql_type
from compagnon.stages.prepare.reasons import Effect, Reason
from compagnon.stages.prepare.unit import conversion

ROW_ID, SOURCE = "_row_id", "_source"
"""Columns that raw rows bring along, and that are not the source's own."""


@dataclass(frozen=True)
class RowLocal:
    """The compiled rules: ``sql`` reads one relation and gives typed rows with their bits."""

    sql: str
    columns: tuple[tuple[str, str], ...]
    """Name and DuckDB type of each declared column."""
    reasons: tuple[Reason, ...]
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Scene:
    """What the rules need besides the file: values of categories, and DuckDB's answers about texts and types."""

    timezone: str
    values: Mapping[str, Sequence[str]]
    """Allowed values by column; a column that allows any is absent."""
    folded: Callable[[Sequence[str]], list[str]]
    """Texts as ``text.fold`` makes them."""
    type_of: Callable[[str, Mapping[str, str]], str]
    """The DuckDB type of an expression over columns with given types."""
    guarded: frozenset[tuple[str, str | int]] = frozenset()
    """Expressions (``("expr", column)``, ``("when", index)``) whose errors count as NULL, to find one that fails."""


@dataclass
class Layers:
    """Common table expressions under construction; ``stage`` opens a new one over the last."""

    ctes: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, new: Sequence[tuple[str, str]], replaced: Sequence[tuple[str, str]] = ()) -> None:
        """One more layer: all columns of the last one, some replaced, some new."""
        if not new and not replaced:
            return
        star = "*"
        if replaced:
            star += " REPLACE (" + ", ".join(f"{sql} AS {quoted(column)}" for column, sql in replaced) + ")"
        columns = [star, *(f"{sql} AS {quoted(column)}" for column, sql in new)]
        self.ctes.append((f"{name}{len(self.ctes)}", f"SELECT {', '.join(columns)} FROM {self.last}"))

    @property
    def last(self) -> str:
        return quoted(self.ctes[-1][0])

    def sql(self, final: str) -> str:
        parts = ",\n".join(f"{quoted(name)} AS ({body})" for name, body in self.ctes)
        return f"WITH {parts}\n{final}"


def compile_source(
    table: Table,
    source: str,
    relation: str,
    raw_types: Mapping[str, str],
    scene: Scene,
    written: frozenset[str] = frozenset(),
) -> RowLocal:
    """The rules of ``table`` for rows of ``source``; ``raw_types`` has the DuckDB type of each column of ``relation``.

    Columns in ``written`` had a type of their own and are now its text: they are also read in its plain form.

    Raises UserError ``prepare.column-missing`` where the source has not the column that the file names.
    """
    origin = table.from_.get(source, {})
    plain = {name: column for name, column in table.columns.items() if column.expr is None}
    layers = Layers()
    given: dict[str, str] = {}
    raw = [f"{quoted(ROW_ID)} AS row_id", f"{quoted(SOURCE)} AS {quoted('@source')}"]
    for name in plain:
        entry = origin.get(name)
        if entry is None:
            given[name] = "VARCHAR"
            raw.append(f"CAST(NULL AS VARCHAR) AS {quoted('@in.' + name)}")
            continue
        if entry.column not in raw_types:
            raise _column_missing(entry.column, source, name, raw_types)
        given[name] = raw_types[entry.column]
        raw.append(f"{quoted(entry.column)} AS {quoted('@in.' + name)}")
    layers.ctes.append(("raw", f"SELECT {', '.join(raw)} FROM {relation}"))
    _values(layers, [_Work(n, c, origin.get(n), given[n], scene, n in written) for n, c in plain.items()])

    known: dict[str, str] = {}
    for name, column in table.columns.items():
        if column.expr is not None:
            given[name] = scene.type_of(column.expr, known)
            sql = _expression(column.expr, ("expr", name), scene)
            layers.add("expr", [("@in." + name, sql)])
            _values(layers, [_Work(name, column, None, given[name], scene)])
        known[name] = sql_type(column)

    works = [_Work(n, c, origin.get(n), given[n], scene, n in written) for n, c in table.columns.items()]
    bad = [condition for work in works for condition in work.failures()]
    bad += [_expression(r.when, ("when", i), scene) for i, r in enumerate(table.reject)]
    did = {(effect.rule, effect.column): condition for work in works for effect, condition in work.effects()}
    effects = reasons.of_effects(table)
    did_conditions = [did.get((effect.rule, effect.column), "false") for effect in effects]
    final = ["row_id", quoted("@source"), *(quoted(name) for name in table.columns)]
    for column_name, sql in [*reasons.packed(bad, "@bad"), *reasons.packed(did_conditions, "@did")]:
        final.append(f"{sql} AS {quoted(column_name)}")
    return RowLocal(
        layers.sql(f"SELECT {', '.join(final)} FROM {layers.last}"),
        tuple((name, sql_type(column)) for name, column in table.columns.items()),
        tuple(reasons.of_table(table)),
        tuple(effects),
    )


@dataclass(frozen=True)
class _Work:
    """One column of one source: the steps that its value goes through, as SQL."""

    name: str
    column: Column
    entry: FromColumn | None
    raw: str
    scene: Scene
    written: bool = False

    @property
    def input(self) -> str:
        return quoted("@in." + self.name)

    @property
    def text(self) -> str:
        return quoted("@text." + self.name)

    @property
    def value(self) -> str:
        return quoted(self.name)

    @property
    def timezone(self) -> str:
        return (self.entry.timezone if self.entry else None) or self.column.timezone or self.scene.timezone

    @property
    def formats(self) -> tuple[str, ...]:
        formats = (self.entry.formats if self.entry else ()) or self.column.formats
        plain = "iso" if self.column.type in ("date", "timestamp") else "plain"
        return (*formats, plain) if self.written and formats else formats

    @cached_property
    def conversion(self) -> tuple[float, float] | None:
        return conversion(self.entry.unit, self.column.unit) if self.entry and self.entry.unit else None

    @cached_property
    def direct(self) -> str | None:
        """SQL for a value that the source gives with a type of its own, where text is not needed."""
        if self.raw == "VARCHAR":
            return None
        kind = "float" if self.conversion and self.column.type in ("integer", "decimal") else self.column.type
        return cast.typed(self.input, self.raw, kind, self.column.scale, self.timezone)

    def steps(self) -> list[str]:
        """Clean-up, each step an expression over ``@text``; the last makes blank texts null."""
        if self.direct is not None:
            return []
        found = [text.STEPS[step](self.text) for step in self.column.clean]
        if self.column.type != "text":
            found.append(text.outer_spaces(self.text))
        return [*found, text.blank_is_null(self.text)]

    def replacements(self) -> list[str]:
        if self.direct is not None:
            return []
        return [text.blank_is_null(text.replaced(self.text, r.pattern, r.with_)) for r in self.column.replace]

    @cached_property
    def mapped(self) -> str | None:
        """SQL for the value that a map or a list of values gives to ``@text``, or None if there is neither."""
        allowed = self.scene.values.get(self.name, ())
        if self.direct is not None or not (allowed or self.column.map):
            return None
        folded = self._folded(allowed)
        exact = [v for v, key in zip(allowed, self.scene.folded(allowed), strict=True) if folded.get(key, v) == v]
        return text.lookup(self.text, exact, folded, "NULL" if allowed else self.text)

    def _folded(self, allowed: Sequence[str]) -> dict[str, str]:
        """Values by their folded form; two values that fold alike are only taken as written; the map wins."""
        found: dict[str, str] = {}
        twice = set()
        for value, key in zip(allowed, self.scene.folded(allowed), strict=True):
            if key in found:
                twice.add(key)
            found[key] = value
        for key in twice:
            del found[key]
        given: dict[str, str] = {}
        for (written, value), key in zip(
            self.column.map.items(), self.scene.folded(list(self.column.map)), strict=True
        ):
            if given.setdefault(key, value) != value:
                raise UserError(
                    "prepare.map-conflict",
                    _("In the map of {column}, two entries read alike ({written}) and give different values.").format(
                        column=self.name, written=written
                    ),
                    next=_("Case, accents and white space do not count: keep one of them."),
                )
        return {**found, **given}

    def typed(self) -> str:
        """SQL for the value, from ``@text`` or from what the source gives."""
        column = self.column
        if self.conversion is not None:
            return self._converted(*self.conversion)
        if self.direct is not None:
            return self.direct
        if column.type in ("text", "category"):
            return self.text
        return self._read(column.type)

    def _read(self, kind: str) -> str:
        if kind == "integer":
            return cast.whole(self.text, self.formats)
        if kind == "decimal":
            return cast.decimal(self.text, self.formats, self.column.scale)
        if kind == "float":
            return cast.real(self.text, self.formats)
        if kind == "boolean":
            return cast.truth(self.text)
        if kind == "date":
            return cast.day(self.text, self.formats, self.timezone)
        return cast.moment(self.text, self.formats, self.timezone)

    def _converted(self, factor: float, offset: float) -> str:
        number = self.direct or cast.real(self.text, self.formats)
        moved = f"({number}) * CAST({factor!r} AS DOUBLE)" + (f" + CAST({offset!r} AS DOUBLE)" if offset else "")
        if self.column.type == "integer":
            # A conversion computes in binary: 2.54 x 100 is whole but for the last digits.
            return f"CASE WHEN abs({moved} - round({moved})) < 1e-6 THEN try_cast(round({moved}) AS BIGINT) END"
        return cast.finite(moved) if self.column.type == "float" else f"try_cast({moved} AS {sql_type(self.column)})"

    def failures(self) -> list[str]:
        """SQL conditions for the reasons of this column, in the order of ``reasons.of_column``."""
        column, found = self.column, []
        given = (
            self.input if self.direct is not None else quoted("@read." + self.name) if self._keeps_read else self.text
        )
        if column.type != "text" or column.values:
            found.append(f"{given} IS NOT NULL AND {self.value} IS NULL")
        if column.required:
            found.append(f"{given} IS NULL")
        measured = f"length({self.value})" if column.type in ("text", "category") else self.value
        if column.at_least is not None:
            found.append(f"{measured} < {number(column.at_least)}")
        if column.at_most is not None:
            found.append(f"{measured} > {number(column.at_most)}")
        if column.pattern is not None:
            found.append(f"NOT regexp_full_match(CAST({self.value} AS VARCHAR), {literal(column.pattern)})")
        return found

    @property
    def _keeps_read(self) -> bool:
        return self.mapped is not None

    def before_map(self) -> list[tuple[str, str]]:
        return [("@read." + self.name, self.text)] if self._keeps_read else []

    def before_replace(self) -> list[tuple[str, str]]:
        return [("@clean." + self.name, self.text)] if self.replacements() and self.column.clean else []

    def effects(self) -> list[tuple[Effect, str]]:
        """SQL conditions for what the rules did to this value."""
        column, found = self.column, []
        found.append((Effect("expr" if column.expr is not None else "given", self.name), f"{self.input} IS NOT NULL"))
        if self.direct is None:
            raw = self.input if self.raw == "VARCHAR" else f"CAST({self.input} AS VARCHAR)"
            read = quoted("@read." + self.name) if self._keeps_read else self.text
            cleaned = quoted("@clean." + self.name) if self.before_replace() else read
            if column.clean:
                found.append((Effect("clean", self.name), f"{cleaned} IS DISTINCT FROM {raw}"))
            if column.replace:
                before = cleaned if column.clean else raw
                found.append((Effect("replace", self.name), f"{read} IS DISTINCT FROM {before}"))
            if self._keeps_read:
                found.append((Effect("map", self.name), f"{self.text} <> {read}"))
        if self.conversion is not None:
            found.append((Effect("unit", self.name), f"{self.value} IS NOT NULL"))
        return found


def _values(layers: Layers, works: Sequence[_Work]) -> None:
    """Layers that bring ``@in`` of each column to its value: all columns take their next step together."""
    texts = [w for w in works if w.direct is None]
    layers.add("text", [("@text." + w.name, _as_text(w)) for w in texts])
    _together(layers, "clean", [(w, w.steps()) for w in texts])
    layers.add("cleaned", [pair for w in texts for pair in w.before_replace()])
    _together(layers, "replace", [(w, w.replacements()) for w in texts])
    layers.add("read", [pair for w in texts for pair in w.before_map()])
    layers.add("map", [], [("@text." + w.name, sql) for w in texts if (sql := w.mapped) is not None])
    layers.add("typed", [(w.name, w.typed()) for w in works])


def _as_text(work: _Work) -> str:
    return work.input if work.raw == "VARCHAR" else f"CAST({work.input} AS VARCHAR)"


def _together(layers: Layers, name: str, steps: Sequence[tuple[_Work, list[str]]]) -> None:
    for turn in range(max((len(s) for _w, s in steps), default=0)):
        layers.add(name, [], [("@text." + w.name, s[turn]) for w, s in steps if turn < len(s)])


def _expression(sql: str, place: tuple[str, str | int], scene: Scene) -> str:
    """The user's SQL, kept apart by brackets and line ends (it may end in a comment)."""
    return f"TRY(\n{sql}\n)" if place in scene.guarded else f"(\n{sql}\n)"


def number(value: float) -> str:
    """A bound as an exact SQL number."""
    return format(Decimal(repr(value)), "f")


def _column_missing(column: str, source: str, name: str, raw_types: Mapping[str, str]) -> UserError:
    present = [c for c in raw_types if c not in (ROW_ID, SOURCE)]
    near = difflib.get_close_matches(column, present, n=1, cutoff=0.5)
    hint = (
        _("Did you mean {near}?").format(near=near[0])
        if near
        else _("It has: {names}.").format(names=", ".join(present))
    )
    return UserError(
        "prepare.column-missing",
        _("The source {source} has no column {column}.").format(source=source, column=column),
        next=hint,
        path=f"tables.*.from.{source}.{name}",
    )
