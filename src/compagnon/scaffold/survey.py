"""What is known of the data of a new solution: sources, the tables that they fill, and what is guessed of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.i18n import N_
from compagnon.scaffold import personal as personal_data
from compagnon.scaffold.folder import slug
from compagnon.scaffold.personal import Personal
from compagnon.scaffold.target import Goal, goal_of, key_of
from compagnon.stages.collect.infer import Look
from compagnon.stages.prepare.infer import Because, Guess, guess_columns

if TYPE_CHECKING:
    import pyarrow as pa

_TEST = re.compile(r"(^|[^a-z])(test|eval|evaluation|holdout)([^a-z]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class SourceDraft:
    """A source as it will stand in the file, and what was seen of it."""

    name: str
    options: Mapping[str, Any]
    look: Look


@dataclass(frozen=True)
class Shape:
    """Sources with the same columns: one table, or one to learn from and one set apart for the test."""

    tables: Mapping[str, tuple[SourceDraft, ...]]
    test: str | None
    guesses: tuple[Guess, ...]
    names: Mapping[str, str]
    """Name of each column in the table, by its name in the source."""
    key: tuple[str, Because] | None
    personal: Mapping[str, Personal] = field(default_factory=dict)
    goal: Goal | None = None

    @property
    def main(self) -> str:
        return next(name for name in self.tables if name != self.test)


def survey(sources: Sequence[SourceDraft]) -> list[Shape]:
    """Group sources by their columns and guess what each group is, the one with the most rows first."""
    groups: dict[tuple[str, ...], list[SourceDraft]] = {}
    for source in sources:
        groups.setdefault(tuple(source.look.table.column_names), []).append(source)
    shapes = [_shape(group) for group in groups.values()]
    return sorted(
        shapes, key=lambda s: (s.goal is None, -sum(d.look.table.num_rows for t in s.tables.values() for d in t))
    )


def _shape(sources: list[SourceDraft]) -> Shape:
    tests = [s for s in sources if _TEST.search(s.name.replace("_", " "))]
    apart = tests if len(tests) < len(sources) else []
    learn = [s for s in sources if s not in apart]
    tables = {learn[0].name: tuple(learn)}
    if apart:
        tables[apart[0].name] = tuple(apart)
    together = _together([source.look.table for source in sources])
    guesses = guess_columns(together)
    unique = {
        guess.source: all(
            _is_unique(_together([s.look.table for s in group]), guess.source) for group in tables.values()
        )
        for guess in guesses
    }
    key = key_of(guesses, unique)
    personal = _personal(together, guesses)
    goal = goal_of(guesses, key[0] if key else None, {name: found.kind for name, found in personal.items()})
    return Shape(tables, apart[0].name if apart else None, tuple(guesses), _names(guesses), key, personal, goal)


def _personal(table: pa.Table, guesses: Sequence[Guess]) -> dict[str, Personal]:
    found = {}
    for guess in guesses:
        if guess.type in ("integer", "decimal", "float", "boolean"):
            said = personal_data.of_name(guess.source) if guess.type == "integer" else None
        else:
            said = personal_data.of_name(guess.source)
            if said is None and guess.type in ("text", "category"):
                values = [str(v) for v in table.column(guess.source).slice(0, personal_data.LOOKED_AT).to_pylist() if v]
                said = personal_data.of_values(values, guess.words)
            elif said is not None and said.kind == "name" and (guess.words > 4 or guess.type == "category"):
                said = None
        if said is not None:
            found[guess.source] = said
    return found


def _names(guesses: Sequence[Guess]) -> dict[str, str]:
    names: dict[str, str] = {}
    taken: set[str] = {"row_id"}
    for guess in guesses:
        wanted = candidate = slug(guess.source, between="_", fallback="column")
        number = 2
        while candidate in taken:
            candidate, number = f"{wanted}_{number}", number + 1
        taken.add(candidate)
        names[guess.source] = candidate
    return names


def _together(tables: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.concat_tables([t.cast(pa.schema([(n, pa.string()) for n in t.column_names])) for t in tables])


def _is_unique(table: pa.Table, name: str) -> bool:
    import pyarrow.compute as pc

    column = table.column(name)
    return len(column) > 1 and column.null_count == 0 and pc.count_distinct(column).as_py() == len(column)


def describe_file(look: Look) -> list[Because]:
    """What was detected of a file, for its comment."""
    found: list[Because] = []
    for detail in look.details:
        if detail.get("format") == "csv":
            delimiter = {"\t": "TAB"}.get(str(detail.get("delimiter")), str(detail.get("delimiter")))
            values = {
                "name": Path(str(detail["name"])).name,
                "delimiter": delimiter,
                "encoding": detail.get("encoding"),
            }
            found.append(Because(N_("{name}: CSV, cells parted by `{delimiter}`, encoding {encoding}"), values))
        else:
            name = Path(str(detail["name"])).name
            found.append(Because("{name}: {format}", {"name": name, "format": detail.get("format", "")}))
        if detail.get("unnamed") == "_index":
            found.append(
                Because(
                    N_(
                        "the rows have one value more than the header has names: the first column has no name (row "
                        "numbers, as written by a data frame) and is called _index"
                    )
                )
            )
        elif detail.get("unnamed"):
            found.append(
                Because(
                    N_("the rows end with one value more than the header has names; that column is called {name}"),
                    {"name": detail["unnamed"]},
                )
            )
    if look.unreadable:
        found.append(
            Because(
                N_("{count} rows could not be read; they will be kept in the quarantine"), {"count": look.unreadable}
            )
        )
    if not look.complete:
        found.append(Because(N_("only the first {count} rows were looked at"), {"count": look.table.num_rows}))
    return found
