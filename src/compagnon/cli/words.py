"""click's own words, in the reader's language.

click asks gettext's default domain, whose language only the environment can set, once for the process. Its modules
are therefore given Compagnon's ``_`` and ``ngettext``, which know the language in use. The messages enter our catalog
from click's source (scripts/messages.py).
"""

from __future__ import annotations

import click.core
import click.decorators
import click.exceptions
import click.formatting
import click.parser
import click.termui
import click.types
import click.utils

from compagnon import i18n
from compagnon.i18n import N_, _

SPOKEN = (
    click.core,
    click.decorators,
    click.exceptions,
    click.formatting,
    click.parser,
    click.termui,
    click.types,
    click.utils,
)


NUMBERS = (
    (click.types.IntParamType, N_("integer")),
    (click.types.FloatParamType, N_("float")),
    (click.IntRange, N_("integer range")),
    (click.FloatRange, N_("float range")),
)
"""Names that click writes in English inside a message of its own."""


class _Spoken:
    """A name that is translated when it is read."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> str:
        return _(self.name)


class Formatter(click.HelpFormatter):
    """Help with headings as the language writes them: French puts a space before the colon."""

    def write_heading(self, heading: str) -> None:
        self.write(" " * self.current_indent + _("{heading}:").format(heading=heading) + "\n")


def speak() -> None:
    """Let click say its words through Compagnon's catalog."""
    click.Context.formatter_class = Formatter
    for kind, name in NUMBERS:
        kind.name = _Spoken(name)  # type: ignore[assignment]
    for module in SPOKEN:
        for name in ("_", "ngettext"):
            if hasattr(module, name):
                setattr(module, name, getattr(i18n, name))
