"""``compagnon worker``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from compagnon.cli.command import Option, opened
from compagnon.cli.command import command as make
from compagnon.cli.run import stoppable
from compagnon.i18n import N_, _

if TYPE_CHECKING:
    from compagnon.chain.runner import Event

PAUSE = 1.0
"""Seconds between two looks at the job table."""


@make(
    "worker",
    Option(["--once"], is_flag=True, help=N_("Do one waiting job, if there is one, and end.")),
    help=N_(
        "Do the runs that pages and programs ask for, one at a time, until stopped (Ctrl-C). `compagnon serve` has a "
        "worker inside; this one is for another process or machine beside it."
    ),
    examples=[
        ("compagnon worker", N_("work until stopped")),
        ("compagnon worker --once", N_("one job, for a scheduler")),
    ],
)
def command(once: bool) -> None:
    from compagnon.services.tutor.prompts.job import work_once as play

    def tell(event: Event) -> None:
        if event.kind != "progress":
            click.echo(f"{event.stage} {event.kind}")

    with opened() as solution, stoppable():
        solution.loaded  # noqa: B018 - a mistake in the file is said before waiting
        while True:
            job = solution.work_once(tell) or play(solution)
            if job is not None:
                click.echo(_("Job {id} is over.").format(id=job.id))
            elif once:
                click.echo(_("No job is waiting."))
            if once:
                return
            if job is None:
                time.sleep(PAUSE)
