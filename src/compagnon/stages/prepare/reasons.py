"""Why a row is set aside, in both languages, and the bits that carry reasons and effects through SQL.

A row may have several reasons: each rule has a bit, a row's bits travel as BIGINT columns, and texts are only written
for the rows that end in the quarantine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compagnon.spec.model import Column, FromColumn, Table, text_of

BITS = 62
"""Bits of one BIGINT that are used."""


@dataclass(frozen=True)
class Reason:
    """One rule that can set a row aside: its code, the column it looks at, and its text."""

    code: str
    column: str | None
    fr: str
    en: str


@dataclass(frozen=True)
class Effect:
    """One thing that rules do to values of a column, counted in the quality report."""

    rule: str
    column: str


DUPLICATE = Reason("duplicate", None, "doublon d'une ligne gardée", "duplicate of a row that is kept")

_CASTS = {
    "integer": ("not_integer", "« {c} » n'est pas un nombre entier", "{c} is not a whole number"),
    "decimal": ("not_decimal", "« {c} » n'est pas un nombre décimal", "{c} is not a decimal number"),
    "float": ("not_float", "« {c} » n'est pas un nombre", "{c} is not a number"),
    "boolean": ("not_boolean", "« {c} » n'est ni oui ni non", "{c} is neither yes nor no"),
    "date": ("not_date", "« {c} » n'est pas une date attendue", "{c} is not a date in an expected form"),
    "timestamp": ("not_timestamp", "« {c} » n'est pas un instant attendu", "{c} is not a moment in an expected form"),
    "category": ("unknown_value", "« {c} » n'est pas une valeur prévue", "{c} is not one of the values"),
    "text": ("unknown_value", "« {c} » n'est pas une valeur prévue", "{c} is not one of the values"),
}


def of_column(name: str, column: Column) -> list[Reason]:
    """The reasons that one column can give, in their order."""
    found = []
    if column.type != "text" or column.values:
        code, fr, en = _CASTS[column.type]
        found.append(Reason(code, name, fr.format(c=name), en.format(c=name)))
    if column.required:
        found.append(Reason("missing", name, f"« {name} » est vide", f"{name} is empty"))
    if column.at_least is not None:
        low = f"{column.at_least:g}"
        found.append(Reason("too_small", name, f"« {name} » est inférieur à {low}", f"{name} is below {low}"))
    if column.at_most is not None:
        high = f"{column.at_most:g}"
        found.append(Reason("too_large", name, f"« {name} » est supérieur à {high}", f"{name} is above {high}"))
    if column.pattern is not None:
        found.append(
            Reason("wrong_form", name, f"« {name} » n'a pas la forme voulue", f"{name} has not the form asked for")
        )
    return found


def of_table(table: Table) -> list[Reason]:
    """Every reason that a row of ``table`` can have by itself: the order of their bits."""
    found = [reason for name, column in table.columns.items() for reason in of_column(name, column)]
    for index, reject in enumerate(table.reject, 1):
        fr, en = text_of(reject.because, "fr"), text_of(reject.because, "en")
        found.append(Reason(reject.code or f"reject_{index}", None, fr, en))
    return found


def of_effects(table: Table) -> list[Effect]:
    """What is counted for each column: values given, and values that each kind of rule changed."""
    found = []
    for name, column in table.columns.items():
        found.append(Effect("expr" if column.expr is not None else "given", name))
        if column.clean:
            found.append(Effect("clean", name))
        if column.replace:
            found.append(Effect("replace", name))
        if column.map or column.values:
            found.append(Effect("map", name))
        if any(entry.unit not in (None, column.unit) for entry in _entries(table, name)):
            found.append(Effect("unit", name))
    return found


def _entries(table: Table, name: str) -> list[FromColumn]:
    return [mapping[name] for mapping in table.from_.values() if name in mapping]


def words(count: int) -> int:
    """How many BIGINT columns ``count`` bits need; at least one."""
    return max(1, -(-count // BITS))


def packed(conditions: Sequence[str], name: str) -> list[tuple[str, str]]:
    """SQL conditions as (column, BIGINT expression); a condition that is NULL counts as false."""
    found = []
    for word in range(words(len(conditions))):
        part = conditions[word * BITS : (word + 1) * BITS]
        bits = [f"CASE WHEN {c} THEN {1 << bit} ELSE 0 END" for bit, c in enumerate(part) if c != "false"]
        found.append((f"{name}{word}", "CAST(" + (" + ".join(bits) or "0") + " AS BIGINT)"))
    return found


def bit(name: str, position: int) -> str:
    """SQL: whether bit ``position`` of the packed columns ``name`` is set."""
    return f'"{name}{position // BITS}" & {1 << position % BITS} <> 0'
