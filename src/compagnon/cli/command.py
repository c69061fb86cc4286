"""Commands, options and groups as Compagnon writes them: lazy, in the reader's language, with examples in the help."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compagnon.errors import UserError
from compagnon.i18n import LANGUAGES, N_, _

if TYPE_CHECKING:
    from compagnon.solution import Solution

SPEC_FILE = "solution.yaml"
Examples = Sequence[tuple[str, str]]


class _Translated:
    """Gives ``help`` in the language in use when it is read; it is stored in English."""

    _help: str | None = None

    @property
    def help(self) -> str | None:
        return _(self._help) if self._help else self._help

    @help.setter
    def help(self, text: str | None) -> None:
        self._help = text


class Option(_Translated, click.Option):
    """An option whose help is marked with ``N_``."""


class Argument(_Translated, click.Argument):
    """An argument whose help is marked with ``N_``."""


class Command(_Translated, click.Command):
    """A command with examples at the end of its help."""

    def __init__(self, *arguments: Any, examples: Examples = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(self.examples, formatter)


class Group(_Translated, click.Group):
    """A command that only holds others, such as ``key``."""

    def __init__(self, *arguments: Any, examples: Examples = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(self.examples, formatter)


class LazyGroup(Group):
    """A group that imports the module of a command when that command is called, and not to list it."""

    def __init__(self, name: str, lazy: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(name, **options)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return None
        found = importlib.import_module(self.lazy[cmd_name][0]).command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.lazy and not args[0].startswith("-"):
            raise click.exceptions.NoSuchCommand(args[0], possibilities=_near(args[0], self.lazy), ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, _(summary)) for name, (_module, summary) in self.lazy.items()])


def write_examples(examples: Examples, formatter: click.HelpFormatter) -> None:
    """The last section of a help text; commands are never wrapped, so that they can be copied."""
    if not examples:
        return
    with formatter.section(_("Examples")):
        for line, meaning in examples:
            formatter.write(f"{'':>{formatter.current_indent}}# {_(meaning)}\n")
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def _near(name: str, names: Mapping[str, Any]) -> list[str]:
    import difflib

    return difflib.get_close_matches(name, names, n=2)


# --- options that every command takes


def solution_option() -> Option:
    return Option(
        ["--solution", "-C"],
        metavar="DIR",
        type=click.Path(path_type=Path),
        expose_value=False,
        callback=_remember("solution"),
        help=N_("Folder of the solution; the current folder or one above it by default."),
    )


def language_option() -> Option:
    # The language is read before anything else (failure.guarded), so that --help and errors are in it too.
    return Option(
        ["--lang"],
        type=click.Choice(LANGUAGES),
        expose_value=False,
        help=N_("Language of messages; that of the locale by default."),
    )


def version_option() -> Option:
    def show(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
        if wanted and not ctx.resilient_parsing:
            from importlib.metadata import version

            click.echo(f"compagnon {version('compagnon')}")
            ctx.exit()

    return Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=show, help=N_("Show the version.")
    )


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        settings = ctx.ensure_object(dict)
        if value is not None:
            settings[name] = value

    return keep


def command(
    name: str, *parameters: click.Parameter, help: str, examples: Examples = (), solution: bool = True
) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function: ``parameters`` in the order of the help, then the options common to all."""

    def make(function: Callable[..., Any]) -> Command:
        common = [solution_option(), language_option()] if solution else [language_option()]
        return Command(name, callback=function, params=[*parameters, *common], help=help, examples=examples)

    return make


def json_option(help: str = N_("Print JSON, for programs.")) -> Option:
    return Option(["--json", "as_json"], is_flag=True, help=help)


# --- the solution that a command works on


def folder() -> Path:
    """The folder of the solution: as given with ``-C``, else the current one or the first above it with the file."""
    settings = click.get_current_context().ensure_object(dict)
    given: Path | None = settings.get("solution")
    found = find(given or here(), upwards=given is None)
    settings["found"] = found
    return found


def here() -> Path:
    """The current folder; raises UserError ``cli.no-folder`` where it was removed meanwhile."""
    try:
        return Path.cwd()
    except OSError as error:
        raise UserError(
            "cli.no-folder", _("The current folder is not there any more."), next=_("Change to another folder.")
        ) from error


def find(start: Path, *, upwards: bool = True) -> Path:
    """The folder with a ``solution.yaml``: ``start``, or one above it; raises UserError ``cli.no-solution``."""
    start = start.absolute()
    for candidate in (start, *start.parents) if upwards else (start,):
        if (candidate / SPEC_FILE).is_file():
            return candidate
    what = (
        _("There is no {file} in {folder} nor in a folder above it.")
        if upwards
        else _("There is no {file} in {folder}.")
    )
    raise UserError(
        "cli.no-solution",
        what.format(file=SPEC_FILE, folder=start),
        next=_("Make a solution: compagnon new DIR --from tutor; or name its folder: compagnon -C DIR ..."),
    )


@contextlib.contextmanager
def opened() -> Iterator[Solution]:
    """The solution of this command, its database given back at the end."""
    from compagnon.solution import Solution

    solution = Solution(folder())
    try:
        yield solution
    finally:
        solution.close()
