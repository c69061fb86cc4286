"""``compagnon schema``."""

from __future__ import annotations

from pathlib import Path

import click

from compagnon.cli.command import Option, folder
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json
from compagnon.i18n import N_, _

FILE = ".compagnon/solution.schema.json"
LINE = f"# yaml-language-server: $schema={FILE}"


@make(
    "schema",
    Option(
        ["--write"],
        is_flag=True,
        help=N_("Write it beside the solution and name it in the first line of solution.yaml, where editors look."),
    ),
    help=N_(
        "Print the JSON Schema of solution.yaml with the options of every installed source and estimator. Editors use "
        "it to complete and check the file as it is typed."
    ),
    examples=[
        ("compagnon schema > solution.schema.json", N_("to a file")),
        ("compagnon schema --write", N_("for the editor of this solution")),
    ],
)
def command(write: bool) -> None:
    from compagnon.solution import kinds
    from compagnon.spec.schema import json_schema

    schema = json_schema(kinds())
    if not write:
        print_json(schema)
        return
    import json

    from compagnon.chain.workspace import Workspace, explain_disk, write_atomically

    workspace = Workspace(folder())
    workspace.prepare()
    with explain_disk(workspace.home):
        text = json.dumps(schema, ensure_ascii=False, indent=1) + "\n"
        write_atomically(workspace.root / FILE, text.encode())
        _name_it(workspace.spec_file)
    click.echo(_("{file} is written and named in solution.yaml.").format(file=FILE))


def _name_it(path: Path) -> None:
    from compagnon.chain.workspace import write_atomically

    text = path.read_bytes()
    if LINE.encode() not in text.splitlines():
        write_atomically(path, LINE.encode() + b"\n" + text, mode=path.stat().st_mode & 0o777)
