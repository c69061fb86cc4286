"""``compagnon sandbox``."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

from compagnon.cli.command import Option, json_option
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json_line
from compagnon.cli.run import stoppable
from compagnon.i18n import N_, _

_LOOK = 0.5
"""Seconds between two looks whether to stop."""


@make(
    "sandbox",
    Option(
        ["--port"],
        type=click.IntRange(0, 65535),
        default=8100,
        show_default=True,
        help=N_("Port to listen on, on this machine only; 0 takes a free one."),
    ),
    Option(
        ["--folder"],
        type=click.Path(path_type=Path, file_okay=False),
        help=N_("Where files, database and lake are written; a folder that goes with the command by default."),
    ),
    Option(["--split"], is_flag=True, help=N_("Give each kind of source its share of the rows, instead of all.")),
    Option(
        ["--no-database"], is_flag=True, help=N_("Start no PostgreSQL; without this it starts where it is installed.")
    ),
    Option(
        ["--tutor"],
        metavar="DIR",
        type=click.Path(path_type=Path, file_okay=False),
        help=N_(
            "Serve the forum of the tutor in DIR, which is made if absent: its questions come from files, SQL, an API, "
            "a site and a lake. Its port stays the one it was made with."
        ),
    ),
    json_option(N_("Print addresses and secrets as JSON once all is ready, for programs.")),
    help=N_(
        "Serve practice sources on this machine: an API, a web site, databases, files and a lake, with faults to learn "
        "from. A page lists them with the lines to paste in solution.yaml. A new token is made at each start. Ctrl-C "
        "stops."
    ),
    examples=[
        ("compagnon sandbox", N_("practice sources, listed on http://127.0.0.1:8100")),
        ("compagnon sandbox --port 0 --split --json", N_("for a program: a free port, each row in one kind of source")),
        (
            "compagnon sandbox --tutor work/five",
            N_("the tutor fed by five kinds of sources; run it from another terminal"),
        ),
    ],
)
def command(port: int, folder: Path | None, split: bool, no_database: bool, tutor: Path | None, as_json: bool) -> None:
    from compagnon.sandbox.flagship import served
    from compagnon.sandbox.practice import Sandbox

    if tutor is not None and (folder is not None or split or no_database):
        raise click.UsageError(_("--tutor goes with --port and --json alone."))
    with contextlib.ExitStack() as stack:
        stack.enter_context(stoppable())
        if tutor is not None:
            sandbox = stack.enter_context(served(tutor, port))
        else:
            place = stack.enter_context(_place(folder))
            sandbox = stack.enter_context(Sandbox(place, port=port, split=split, database=not no_database))
        if as_json:
            print_json_line(sandbox.as_dict())
        else:
            click.secho(sandbox.address, bold=True)
            if tutor is not None:
                click.echo(_("In another terminal: compagnon -C {folder} run").format(folder=tutor))
            else:
                for name, value in sandbox.environ.items():
                    click.echo(f"export {name}='{value}'")
            click.echo(_("Ctrl-C stops."))
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(_LOOK)


@contextlib.contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="compagnon-sandbox-") as name:
        yield Path(name)
