"""``compagnon faq``: real questions without an answer, proposed as entries of the FAQ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from compagnon.cli.command import Argument, Group, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import cell, print_json
from compagnon.i18n import N_, _, format_datetime, ngettext

if TYPE_CHECKING:
    from compagnon.services.tutor.faq.living import Proposal
    from compagnon.solution import Solution

command = Group(
    "faq",
    help=N_(
        "Let the FAQ grow from real questions: those without an answer are grouped when enough people ask alike "
        "(`tutor.faq.people`), proposed as drafts of entries, and accepted or refused by a person."
    ),
    examples=[
        ("compagnon faq proposals", N_("what deserves an entry")),
        ('compagnon faq accept 1f0c2a9b --answer "Oui, en boutique." --dry-run', N_("see the patch")),
    ],
)

_ID = N_("Name of the proposal, as `faq proposals` shows it.")


@make(
    "proposals",
    json_option(),
    help=N_("List groups of questions without an answer, those of most people first, each as the draft of an entry."),
    examples=[("compagnon faq proposals --json", N_("for a program"))],
)
def proposals(as_json: bool) -> None:
    with opened() as solution:
        found = _found(solution)
        if as_json:
            print_json([each.as_dict() for each in found])
            return
        if not found:
            click.echo(_("No question without an answer was asked by enough people."))
        for each in found:
            people = ngettext("{count} person", "{count} people", each.people).format(count=each.people)
            click.echo(f"{click.style(each.id, bold=True)}  {cell(each.question, 100)} ({people})")
            for wording in each.wordings[1:]:
                click.echo(f"    · {cell(wording, 100)}")
            if each.near is not None:
                click.echo("    " + _("Nearest entry: {id} ({title})").format(id=each.near.id, title=each.near.title))
            if each.answer:
                click.echo("    " + _("Draft: {text}").format(text=cell(each.answer, 200)))


@make(
    "accept",
    Argument(["proposal"], metavar="PROPOSAL", help=_ID),
    Option(["--answer"], default="", metavar="TEXT", help=N_("The answer; that of the draft by default.")),
    Option(["--question"], default="", metavar="TEXT", help=N_("The question; that of the draft by default.")),
    Option(["--topic"], default="", metavar="NAME", help=N_("Topic of the entry; that of the nearest by default.")),
    Option(
        ["--entry"], default="", metavar="ID", help=N_("No new entry: this one is found by these wordings from now on.")
    ),
    Option(["--because"], default="", metavar="TEXT", help=N_("Why; it is kept with your name.")),
    Option(["--dry-run"], is_flag=True, help=N_("Show the patch, and write nothing.")),
    json_option(),
    help=N_("Put a proposal into the knowledge base, as a patch of its file that is kept with your name."),
    examples=[
        ('compagnon faq accept 1f0c2a9b --answer "Oui, en boutique."', N_("as a new entry")),
        ("compagnon faq accept 1f0c2a9b --entry livraison.delais", N_("as other wordings of an entry")),
    ],
)
def accept(
    proposal: str, answer: str, question: str, topic: str, entry: str, because: str, dry_run: bool, as_json: bool
) -> None:
    from compagnon.services.tutor.faq import living
    from compagnon.services.tutor.knowledge.load import load
    from compagnon.services.tutor.place import knowledge_folder, tutor_of
    from compagnon.solution import author

    with opened() as solution:
        shown = tutor_of(solution.spec).knowledge
        base = load(knowledge_folder(solution.root, solution.spec), shown=shown)
        if entry:
            base.subtopic(entry)
        if topic:
            base.topic(topic)
        chosen = living.find(_found(solution), proposal)
        now, by = solution.clock.now(), author()
        written = living.draft(
            solution, chosen, question=question, answer=answer, topic=topic, entry=entry, by=by, now=now
        )
        if not dry_run:
            living.accept(solution, chosen, written, by=by, now=now, why=because)
        if as_json:
            print_json({"entry": written.ids[0], "patch": written.patch(shown), "written": not dry_run})
            return
        click.echo(written.patch(shown), nl=False)
        if not dry_run:
            click.echo(_("{entry} is in the knowledge base.").format(entry=written.ids[0]))


@make(
    "refuse",
    Argument(["proposal"], metavar="PROPOSAL", help=_ID),
    Option(["--because"], default="", metavar="TEXT", help=N_("Why; it is kept with your name.")),
    json_option(),
    help=N_("Leave a group of questions out from now on."),
    examples=[('compagnon faq refuse 1f0c2a9b --because "hors sujet"', N_("with the reason"))],
)
def refuse(proposal: str, because: str, as_json: bool) -> None:
    from compagnon.services.tutor.faq import living
    from compagnon.solution import author

    with opened() as solution:
        chosen = living.find(_found(solution), proposal)
        done = living.refuse(solution, chosen, by=author(), now=solution.clock.now(), why=because)
        if as_json:
            print_json(done.as_dict())
            return
        click.echo(_("Proposal {name} is refused.").format(name=proposal))


@make(
    "history",
    json_option(N_("Print JSON, for programs; it holds the patches.")),
    help=N_("List what was decided of proposals, the latest first."),
    examples=[("compagnon faq history --json", N_("with the patches, for a program"))],
)
def history(as_json: bool) -> None:
    from zoneinfo import ZoneInfo

    from compagnon.services.tutor.faq import living

    words = {"accepted": _("accepted"), "refused": _("refused")}
    with opened() as solution:
        found = living.history(solution.engine)
        if as_json:
            print_json([each.as_dict() for each in found])
            return
        if not found:
            click.echo(_("Nothing was decided yet."))
        for each in found:
            at = format_datetime(each.at, ZoneInfo(solution.spec.timezone))
            parts = [at, words[each.state], each.by, cell(each.question, 80), each.entry or "", cell(each.why, 80)]
            click.echo(" · ".join(part for part in parts if part))


def _found(solution: Solution) -> list[Proposal]:
    from compagnon.providers.embedder import open_embedder
    from compagnon.services.tutor.faq.living import proposals as propose
    from compagnon.services.tutor.place import tutor_of
    from compagnon.services.tutor.search.opening import open_index

    options = tutor_of(solution.spec).embedder
    embedder = open_embedder(options, solution.root, solution.secrets) if options else None
    return propose(solution, open_index(solution), embedder)


for _each in (proposals, accept, refuse, history):
    command.add_command(_each)
