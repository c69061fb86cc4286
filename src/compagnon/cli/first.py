"""What ``make run`` does once Compagnon is installed: the flagship made where it is absent, run, and served.

Its questions come from all five kinds of sources: the sandbox is up as long as this process. ``COMPAGNON_DIR`` names
the folder (work/tutor), ``COMPAGNON_PORT`` the port (8000); ``COMPAGNON_SERVE=0`` ends after the chain.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import click

from compagnon.cli import main
from compagnon.cli.command import SPEC_FILE
from compagnon.cli.failure import language
from compagnon.errors import DONE, UserError
from compagnon.i18n import _, use

FOLDER = "work/tutor"
PORT = "8000"


def first(environ: Mapping[str, str] = os.environ) -> int:
    """Make, run and serve the flagship; returns the exit code of the first command that fails, else 0."""
    folder = Path(environ.get("COMPAGNON_DIR") or FOLDER)
    with contextlib.ExitStack() as stack:
        with use(language(())):
            _sources(folder, stack)
        if not (folder / SPEC_FILE).is_file():
            code = main(["new", str(folder), "--from", "tutor"])
            if code != DONE:
                return code
        code = main(["-C", str(folder), "run"])
        if code != DONE or environ.get("COMPAGNON_SERVE", "1") in ("0", "no", "false"):
            return code
        return main(["-C", str(folder), "serve", "--port", environ.get("COMPAGNON_PORT") or PORT])


def _sources(folder: Path, stack: contextlib.ExitStack) -> None:
    """Start what the flagship in ``folder`` collects from, and make it where it is absent.

    A flagship with sources of its own needs none. Where the sandbox cannot start it is said, and the run goes on with
    what is there.
    """
    from compagnon.sandbox.flagship import port_of, served

    if (folder / SPEC_FILE).is_file() and port_of(folder) is None:
        return
    try:
        sandbox = stack.enter_context(served(folder))
    except UserError as error:
        click.secho(_("The practice sources do not start: {why}").format(why=error.problem.what), fg="yellow", err=True)
        return
    click.echo(_("Practice sources of {folder}: {address}").format(folder=folder, address=sandbox.address))
