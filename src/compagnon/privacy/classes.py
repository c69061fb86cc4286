"""Classes of personal data, and what of each leaves the raw zone.

The default is the least that still serves: what tells persons apart becomes a pseudonym (rows of one person can still
be grouped), what names, places or describes them is dropped, what they wrote is masked. A column's own ``keep`` wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compagnon.spec.model import Column, Keep, PersonalClass

DEFAULT_KEEP: dict[PersonalClass, Keep] = {
    "email": "pseudonym",
    "phone": "pseudonym",
    "bank": "pseudonym",
    "identifier": "pseudonym",
    "online": "pseudonym",
    "name": "drop",
    "address": "drop",
    "birth": "drop",
    "health": "drop",
    "location": "drop",
    "opinion": "drop",
    "other": "drop",
    "free_text": "mask",
    "none": "plain",
}

_STRICTNESS: tuple[Keep, ...] = ("plain", "mask", "pseudonym", "drop")


def keep_of(column: Column) -> Keep:
    """What leaves the raw zone of one column: its own ``keep``, else the default of its class, else all of it."""
    if column.keep is not None:
        return column.keep
    return DEFAULT_KEEP[column.personal] if column.personal is not None else "plain"


def strictest(keeps: Iterable[Keep]) -> Keep:
    """The one that lets the least out; ``plain`` if there is none."""
    return max(keeps, key=_STRICTNESS.index, default="plain")


def exits(columns: dict[str, Column], reads: Mapping[str, Iterable[str]]) -> dict[str, Keep]:
    """What leaves of each column, in order; ``reads`` names the columns that a derived column is made from.

    A derived text says what its sources say: unless it declares ``personal`` or ``keep``, it takes the strictest of
    theirs. Derived numbers, dates and categories stay plain.
    """
    found: dict[str, Keep] = {}
    for name, column in columns.items():
        own = keep_of(column)
        if column.expr is not None and column.type == "text" and column.personal is None and column.keep is None:
            own = strictest(found.get(source, "plain") for source in reads.get(name, ()))
        found[name] = own
    return found
