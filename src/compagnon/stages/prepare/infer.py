"""Types of columns guessed from their values, with the same casts that prepare them afterwards.

A column is of a type when (nearly) all its values can be read so; the few others would be rejected with their reason.
Each guess carries why, as a message for the catalog and its values, so that it can be told in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from compagnon.i18n import N_
from compagnon.spec.model import ColumnType
from compagnon.stages.prepare import cast, text
from compagnon.stages.prepare.engine import connect
from compagnon.stages.prepare.expressions import quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

ENOUGH = 0.98
"""Share of the values that must be readable for a type to be believed."""
MOST_VALUES = 200
"""A column with more distinct values is not a category."""
EACH = 5
"""A category has each of its values at least so many times on average."""
LONGEST_VALUE = 80

DATES = ("iso", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%d/%m/%y", "%Y%m%d")
TIMES = ("", " %H:%M", " %H:%M:%S")


@dataclass(frozen=True)
class Because:
    """Why something was guessed: a message of the catalog and its values."""

    message: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Guess:
    """What a column seems to be. ``rows`` is the number of rows looked at; ``filled`` of those that have a value."""

    source: str
    """Name of the column in its source."""
    type: ColumnType
    because: tuple[Because, ...]
    rows: int
    filled: int
    distinct: int
    words: float
    """Mean number of words of a value, for texts."""
    formats: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    """Distinct values of a category, the most frequent first; of a whole number or truth value with few of them."""
    counts: tuple[int, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def unique(self) -> bool:
        """Whether each row has a value of its own."""
        return self.rows > 1 and self.filled == self.rows == self.distinct


def guess_columns(table: pa.Table) -> list[Guess]:
    """One guess for each column of ``table`` (source columns, as collected), in its order."""
    connection = connect(threads=1)
    try:
        connection.register("looked", table)
        return [_guess(connection, field.name, str(kind)) for field, kind in _types(connection, table)]
    finally:
        connection.close()


def _types(connection: duckdb.DuckDBPyConnection, table: pa.Table) -> list[tuple[Any, str]]:
    described = connection.execute("DESCRIBE SELECT * FROM looked").fetchall()
    return [(field, row[1]) for field, row in zip(table.schema, described, strict=True)]


def _guess(connection: duckdb.DuckDBPyConnection, name: str, raw: str) -> Guess:
    column = quoted(name)
    plain = (
        text.blank_is_null(f"trim({text.outer_spaces(column)})") if raw == "VARCHAR" else f"CAST({column} AS VARCHAR)"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE seen AS SELECT {plain} AS x FROM looked")
    rows, filled, distinct, words, longest = _row(
        connection,
        "SELECT count(*), count(x), count(DISTINCT x), coalesce(avg(len(string_split(x, ' '))), 0), "
        "coalesce(max(length(x)), 0) FROM seen",
    )
    shared: dict[str, Any] = {
        "source": name,
        "rows": rows,
        "filled": filled,
        "distinct": distinct,
        "words": float(words),
    }
    top = connection.execute(
        f"SELECT x, count(*) AS n FROM seen WHERE x IS NOT NULL GROUP BY x ORDER BY n DESC, x LIMIT {MOST_VALUES + 1}"
    ).fetchall()
    few = distinct <= MOST_VALUES and filled >= EACH * distinct
    values: dict[str, Any] = {"values": tuple(v for v, _n in top), "counts": tuple(n for _v, n in top)} if few else {}
    examples = tuple(str(value) for value, _n in top[:3])
    if filled == 0:
        return Guess(type="text", because=(Because(N_("no value was seen")),), examples=(), **shared)
    for found in (_typed(raw), _from_text(connection, filled, distinct) if raw == "VARCHAR" else None):
        if found is not None:
            kind, formats, because = found
            listed: dict[str, Any] = values if kind in ("integer", "boolean") else {}
            return Guess(type=kind, formats=formats, because=because, examples=examples, **shared, **listed)
    if few and longest <= LONGEST_VALUE and words < 6:
        why = Because(
            N_("{distinct} distinct values, {each} rows each on average"),
            {"distinct": distinct, "each": round(filled / distinct)},
        )
        return Guess(type="category", because=(why,), examples=examples, **shared, **values)
    why = Because(
        N_("text: {distinct} distinct values in {filled} rows, {words} words on average"),
        {"distinct": distinct, "filled": filled, "words": round(words)},
    )
    return Guess(type="text", because=(why,), examples=examples, **shared)


Found = tuple[ColumnType, tuple[str, ...], tuple[Because, ...]]


def _typed(raw: str) -> Found | None:
    """The type that the source itself gives."""
    kinds: dict[str, ColumnType] = {"BOOLEAN": "boolean", "DATE": "date", "FLOAT": "float", "DOUBLE": "float"}
    kind = kinds.get(raw)
    if raw.startswith("TIMESTAMP"):
        kind = "timestamp"
    elif raw.startswith("DECIMAL"):
        kind = "decimal"
    elif raw.endswith("INT") or raw == "INTEGER" or raw == "UINTEGER":
        kind = "integer"
    return (kind, (), (Because(N_("the source gives it as {raw}"), {"raw": raw}),)) if kind else None


def _from_text(connection: duckdb.DuckDBPyConnection, filled: int, distinct: int) -> Found | None:
    """A type that (nearly) all texts can be read as; None for text."""
    checks = {
        "truth": cast.truth("x"),
        "zero": "CASE WHEN regexp_full_match(x, '0[0-9]+') THEN 1 END",
        "whole": cast.whole("x", ()),
        "real": cast.real("x", ()),
        "cents": "CASE WHEN regexp_full_match(x, '[+-]?[0-9]+[.][0-9]{2}') THEN 1 END",
        "money": "CASE WHEN regexp_matches(x, '[€$£]|EUR') THEN 1 END",
        "fr": cast.real("x", ("fr",)),
        "en": cast.real("x", ("en",)),
        "whole_fr": cast.whole("x", ("fr",)),
        "whole_en": cast.whole("x", ("en",)),
        "thousands": "CASE WHEN regexp_matches(x, ',') AND NOT regexp_matches(x, ',[0-9]{3}([^0-9]|$)') THEN 1 END",
    }
    counted = ", ".join(f"count({sql})" for sql in checks.values())
    n = dict(zip(checks, _row(connection, f"SELECT {counted} FROM seen WHERE x IS NOT NULL"), strict=True))
    enough = ENOUGH * filled
    if n["truth"] == filled and distinct == 2:
        return "boolean", (), (Because(N_("two values that mean yes and no")),)
    if n["zero"] > 0 and n["whole"] == filled:
        return None  # a code such as 01000: the zero in front counts
    if n["whole"] >= enough:
        return "integer", (), _all(N_("whole numbers"), n["whole"], filled)
    if n["real"] >= enough:
        if n["cents"] == n["real"]:
            return "decimal", (), _all(N_("numbers with two decimals"), n["real"], filled)
        return "float", (), _all(N_("numbers"), n["real"], filled)
    best = "fr" if n["fr"] > n["en"] or (n["fr"] == n["en"] and n["thousands"] > 0) else "en"
    if n[best] >= enough:
        message = (
            N_("numbers written as in French (1 234,56)")
            if best == "fr"
            else N_("numbers written as in English (1,234.56)")
        )
        whole = n[f"whole_{best}"] == n[best]
        kind: ColumnType = "integer" if whole and not n["money"] else "decimal" if n["money"] else "float"
        because = _all(message, n[best], filled)
        if n["fr"] == n["en"]:
            because = (*because, Because(N_("they could be read in French as well as in English: check")))
        return kind, (best,), because
    return _date(connection, filled)


def _date(connection: duckdb.DuckDBPyConnection, filled: int) -> Found | None:
    forms = [d if d == "iso" else d + t for d in DATES for t in (TIMES if d not in ("iso", "%Y%m%d") else ("",))]
    sample = "(SELECT x FROM seen WHERE x IS NOT NULL LIMIT 2000)"
    digits, total = _row(connection, f"SELECT count(*) FILTER (regexp_matches(x, '[0-9]')), count(*) FROM {sample}")
    if digits < ENOUGH * total:
        return None
    counted = ", ".join(f"count({cast.moment('x', (form,), 'UTC')})" for form in forms)
    counts = dict(zip(forms, _row(connection, f"SELECT {counted} FROM seen"), strict=True))
    chosen: list[str] = []
    covered = 0
    # The most fitting form first; at equal fit, the order of the list (day before month).
    for form in sorted((f for f in forms if counts[f]), key=lambda f: (-counts[f], forms.index(f))):
        more = _row(connection, f"SELECT count({cast.moment('x', (*chosen, form), 'UTC')}) FROM seen")[0]
        if more > covered:
            chosen.append(form)
            covered = more
        if covered == filled or len(chosen) == 3:
            break
    if not chosen or covered < ENOUGH * filled:
        return None
    clock = _row(connection, "SELECT count(*) FILTER (regexp_matches(x, '[0-9]:[0-9]')) FROM seen")[0]
    because = list(_all(N_("dates written as {forms}"), covered, filled, forms=", ".join(chosen)))
    swapped = {"%d/%m": "%m/%d"}
    for first, second in swapped.items():
        other = chosen[0].replace(first, second)
        if other != chosen[0] and counts.get(other) == counts[chosen[0]]:
            because.append(
                Because(N_("day and month cannot be told apart in these values; the day was taken as first: check"))
            )
    return ("timestamp" if clock else "date"), tuple(chosen), tuple(because)


def _all(message: str, read: int, filled: int, **values: Any) -> tuple[Because, ...]:
    because = (Because(message, values),)
    if read == filled:
        return because
    return (*because, Because(N_("{count} values cannot be read so and would be rejected"), {"count": filled - read}))


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> Sequence[Any]:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row
