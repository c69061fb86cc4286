"""Every command has help, examples and documented options; click's own words are in the catalog."""

from __future__ import annotations

import ast
import shlex
import sys
from pathlib import Path

import click
import pytest

from compagnon import i18n
from compagnon.cli import program, words
from compagnon.cli.command import Option
from compagnon.cli.reference import commands, markdown

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "commands.md"
ROOT_CONTEXT = click.Context(program(), info_name="compagnon")
ALL = list(commands(ROOT_CONTEXT.command, ROOT_CONTEXT))  # type: ignore[arg-type]
LEAVES = [entry for entry in ALL if not isinstance(entry[1], click.Group)]


@pytest.mark.parametrize(("path", "command", "context"), ALL, ids=[entry[0] for entry in ALL])
def test_help_has_examples_that_the_command_understands(
    path: str, command: click.Command, context: click.Context
) -> None:
    text = command.get_help(context)
    examples = command.examples  # type: ignore[attr-defined]
    assert examples
    for line, _meaning in examples:
        assert line in text
        words_ = shlex.split(line.partition(" > ")[0])
        assert words_[0] == "compagnon"
        # Parsing alone: options and arguments that do not exist are refused here.
        with ROOT_CONTEXT.command.make_context("compagnon", words_[1:]) as root:
            group, rest = root.command, [*root._protected_args, *root.args]
            while isinstance(group, click.Group):
                _name, found, rest = group.resolve_command(root, rest)
                assert found is not None
                group = found
                if isinstance(group, click.Group):
                    continue
                group.make_context(found.name, list(rest), parent=root).close()


@pytest.mark.parametrize(("path", "command", "context"), ALL, ids=[entry[0] for entry in ALL])
def test_every_option_has_help(path: str, command: click.Command, context: click.Context) -> None:
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{path} {parameter.name}"


@pytest.mark.parametrize(("path", "command", "context"), LEAVES, ids=[entry[0] for entry in LEAVES])
def test_commands_take_the_language(path: str, command: click.Command, context: click.Context) -> None:
    options = {name for parameter in command.params if isinstance(parameter, Option) for name in parameter.opts}
    assert "--lang" in options
    if path not in ("compagnon new", "compagnon restore", "compagnon doctor"):
        assert {"--solution", "-C"} <= options


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), "make reference"


def test_the_reference_page_names_every_option() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for path, command, _context in ALL:
        part = page.partition(f"\n## {path}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            for name in parameter.opts if isinstance(parameter, Option) else ():
                assert name in part, f"{path} {name}"


def test_every_module_of_click_that_speaks_speaks_our_language() -> None:
    """A module of a later click that says something of its own would stay in English without anybody noticing."""
    words.speak()
    folder = Path(str(click.__file__)).parent
    # Consoles of Windows and progress bars, pagers and editors, which Compagnon does not use.
    left = {"_winconsole", "_termui_impl", "shell_completion"}
    for path in folder.glob("*.py"):
        imported = {alias.asname or alias.name for alias in _gettext_imports(path)}
        if imported and path.stem not in left:
            module = sys.modules[f"click.{path.stem}"]
            assert module in words.SPOKEN, path.stem
            assert all(getattr(module, name) is getattr(i18n, name) for name in imported)


def _gettext_imports(path: Path) -> list[ast.alias]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [a for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "gettext" for a in node.names]
