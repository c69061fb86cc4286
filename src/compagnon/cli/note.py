"""``compagnon note``."""

from __future__ import annotations

import click

from compagnon.cli.command import Argument, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json
from compagnon.errors import UserError
from compagnon.i18n import N_, _


@make(
    "note",
    Argument(["text"], help=N_("What to write; in quotes.")),
    Option(["--about"], metavar="RUN|STAGE", help=N_("The run or the stage that the note is about.")),
    json_option(),
    help=N_("Write in the logbook what was decided and why. Notes are never changed or removed."),
    examples=[
        ('compagnon note "Seuil gardé à 0,6 après essai avec deux classes"', N_("a note on the solution")),
        ('compagnon note "Famille svm retenue" --about train/topic', N_("a note on a stage")),
    ],
)
def command(text: str, about: str | None, as_json: bool) -> None:
    from compagnon.chain.ledger import as_note

    with opened() as solution:
        if about is not None:
            stages = [instance.id for instance in solution.chain.instances()]
            run = None if about in stages else solution.ledger.run(about)
            if about not in stages and run is None:
                raise UserError(
                    "note.unknown-about",
                    _("There is no run nor stage {name} in this solution.").format(name=about),
                    next=_("Stages: {names}.").format(names=", ".join(stages)),
                )
            about = run.id if run else about
        note = solution.note(text, about=about)
        if as_json:
            print_json(as_note(note))
        else:
            click.echo(_("Noted ({id}).").format(id=note.id))
