"""The reference page of the commands, made from the commands themselves.

``python -m compagnon.cli.reference docs/reference/commands.md`` writes it; a test says when it is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from compagnon.cli import program
from compagnon.cli.command import LazyGroup
from compagnon.cli.words import speak
from compagnon.i18n import use

INTRODUCTION = """\
# Commandes

Cette page est faite à partir des commandes elles-mêmes (`make reference`) ; ne la modifiez pas à la main. Les textes
d'aide sont en anglais ici ; `compagnon --lang fr COMMANDE --help` les donne en français.

- Toutes les commandes acceptent `-C DOSSIER` (la solution ; par défaut le dossier courant ou un dossier parent) et
  `--lang fr|en` (par défaut la langue du système ; `COMPAGNON_LANG` la fixe).
- Codes de sortie : 0 fait, 1 à corriger par vous, 2 commande mal écrite, 3 refus d'un contrôle, 70 défaut de Compagnon
  (un compte rendu sans données est écrit dans `.compagnon/crash-*.log`).
- Avec `--json`, la sortie est faite pour les programmes ; les erreurs y sont aussi en JSON, sur la sortie d'erreur :
  `{"problems": [{"code", "what", "where", "next", "path"}]}`.
- La couleur et la ligne de progression n'apparaissent que dans un terminal ; `NO_COLOR=1` supprime la couleur.
- Ctrl-C arrête proprement ; ce qui est fini est gardé, et la commande suivante repart de là.

This page is made from the commands themselves (`make reference`).
"""


def markdown() -> str:
    """The whole page."""
    with use("en"):
        speak()
        root = program()
        context = click.Context(root, info_name="compagnon")
        lines = [INTRODUCTION.rstrip(), "", "## compagnon", "", *_body(root, context)]
        for path, command, inner in commands(root, context):
            lines += [f"## {path}", "", *_body(command, inner)]
    return "\n".join(lines).rstrip() + "\n"


def commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command below ``group`` with its full name, in the order of the help."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield inner.command_path.replace(" [OPTIONS]", ""), command, inner
        if isinstance(command, click.Group):
            yield from commands(command, inner)


def _body(command: click.Command, context: click.Context) -> Iterator[str]:
    yield from (command.help or "", "", "```", " ".join([context.command_path, *command.collect_usage_pieces(context)]))
    yield from ("```", "")
    rows = [record for parameter in command.get_params(context) if (record := parameter.get_help_record(context))]
    if rows:
        yield from ("| option | meaning |", "|---|---|")
        yield from (f"| `{_cell(name)}` | {_cell(meaning)} |" for name, meaning in rows)
        yield ""
    if isinstance(command, LazyGroup):
        yield from ("Commands: " + ", ".join(f"`{name}`" for name in command.lazy) + ".", "")
    examples: Any = getattr(command, "examples", ())
    if examples:
        yield "```sh"
        for line, meaning in examples:
            yield from (f"# {meaning}", line)
        yield from ("```", "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
