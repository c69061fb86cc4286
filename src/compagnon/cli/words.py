"""click's own words, in the reader's language.

click asks gettext's default domain, whose language only the environment can set, once for the process. Its modules
are therefore given Compagnon's ``_`` and ``ngettext``, which know the language in use; the words below are marked so
that they enter the catalog. A test compares them with those in click's source.
"""

from __future__ import annotations

import click.core
import click.decorators
import click.exceptions
import click.formatting
import click.parser
import click.termui
import click.types

from compagnon import i18n
from compagnon.i18n import N_

SPOKEN = (
    click.core,
    click.decorators,
    click.exceptions,
    click.formatting,
    click.parser,
    click.termui,
    click.types,
)

WORDS = (
    N_("Aborted!"),
    N_("Options"),
    N_("Commands"),
    N_("Positional arguments"),
    N_("Usage:"),
    N_("required"),
    N_("default: {default}"),
    N_("Show this message and exit."),
    N_("Error: {message}"),
    N_("Try '{command} {option}' for help."),
    N_("Missing command."),
    N_("Missing argument"),
    N_("Missing option"),
    N_("Missing parameter"),
    N_("Missing {param_type}"),
    N_("Missing parameter: {param_name}"),
    N_("No such option {name!r}."),
    N_("No such command {name!r}."),
    N_("Invalid value: {message}"),
    N_("Invalid value for {param_hint}: {message}"),
    N_("Could not open file {filename!r}: {message}"),
    N_("unknown error"),
    N_("Option {name!r} does not take a value."),
    N_("Argument {name!r} takes {nargs} values."),
    N_("Choose from:\n\t{choices}"),
    N_("{value} is not in the range {range}."),
    N_("{value!r} is not a valid {number_type}."),
    N_("{name} {filename!r} does not exist."),
    N_("{name} {filename!r} is a file."),
    N_("{name} {filename!r} is a directory."),
    N_("{name} {filename!r} is not readable."),
    N_("{name} {filename!r} is not writable."),
    N_("file"),
    N_("directory"),
    N_("path"),
)


def plurals(count: int) -> tuple[str, ...]:
    """click's messages with a plural, marked for the catalog."""
    return (
        i18n.ngettext("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})", count),
        i18n.ngettext("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)", count),
        i18n.ngettext("{value!r} is not {choice}.", "{value!r} is not one of {choices}.", count),
        i18n.ngettext("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments.", count),
        i18n.ngettext("Takes {nargs} values but 1 was given.", "Takes {nargs} values but {len} were given.", count),
    )


def speak() -> None:
    """Let click say its words through Compagnon's catalog."""
    for module in SPOKEN:
        for name in ("_", "ngettext"):
            if hasattr(module, name):
                setattr(module, name, getattr(i18n, name))
