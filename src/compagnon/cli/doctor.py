"""``compagnon doctor``."""

from __future__ import annotations

import click

from compagnon.cli.command import command as make
from compagnon.cli.command import here, json_option
from compagnon.cli.output import print_json, table
from compagnon.errors import DONE, FIXABLE
from compagnon.i18n import N_, _


@make(
    "doctor",
    json_option(),
    help=N_(
        "Tell what this machine can do: Python, libraries and extras, Java, Spark, PostgreSQL, a browser, disk space, "
        "write access, language. Exit code 1 if something needed by every solution is missing."
    ),
    examples=[
        ("compagnon doctor", N_("what works here, and how to have the rest")),
        ("compagnon doctor --json", N_("the same for a program")),
    ],
    solution=False,
)
def command(as_json: bool) -> int:
    from compagnon.operate.machine import examine

    found = examine(here())
    ready = all(ability.found for ability in found if ability.needed)
    if as_json:
        print_json({"ready": ready, "abilities": [ability.as_dict() for ability in found]})
        return DONE if ready else FIXABLE
    table(
        [_("What"), "", _("Found"), _("What for"), _("How to have it")],
        [
            [
                ability.name,
                click.style("✓", fg="green")
                if ability.found
                else click.style("✗" if ability.needed else "–", fg="red" if ability.needed else "yellow"),
                ability.detail,
                _(ability.use),
                "" if ability.found else ability.how,
            ]
            for ability in found
        ],
    )
    click.echo()
    click.echo(_("This machine is ready.") if ready else _("Something that every solution needs is missing (✗)."))
    return DONE if ready else FIXABLE
