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


def speak() -> None:
    """Let click say its words through Compagnon's catalog."""
    for module in SPOKEN:
        for name in ("_", "ngettext"):
            if hasattr(module, name):
                setattr(module, name, getattr(i18n, name))
