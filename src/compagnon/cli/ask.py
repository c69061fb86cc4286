"""``compagnon ask``: a question to the tutor, answered from the knowledge base."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from compagnon.cli.command import Argument, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import cell, print_json
from compagnon.i18n import N_, _, format_number

if TYPE_CHECKING:
    from compagnon.services.tutor.answer.events import Kind, Reply
    from compagnon.services.tutor.answer.tutor import Question, Tutor
    from compagnon.services.tutor.knowledge.model import Difficulty


@make(
    "ask",
    Argument(["question"], metavar="QUESTION...", nargs=-1, required=True, help=N_("What one wants to know.")),
    Option(
        ["--level"],
        type=click.Choice(["beginner", "intermediate", "advanced"]),
        help=N_("Level of the answer; inferred from the question by default."),
    ),
    Option(
        ["--provider"],
        metavar="NAME",
        help=N_("Who writes: one of `providers`, or `extract`, which needs no model, no key and no network."),
    ),
    Option(
        ["--language"],
        type=click.Choice(["fr", "en"]),
        help=N_("Language of the answer; that of the question by default."),
    ),
    json_option(N_("Print JSON, for programs: answer, citations, level, provider, sure, refused, tokens and cost.")),
    help=N_(
        "Ask the tutor. It is an AI: it answers from the knowledge base and cites the passage behind each sentence; "
        "what "
        "no passage supports is left out. When the provider fails, passages are put in order without a model. What the "
        "knowledge base does not speak of is refused. Where solution.yaml says `tutor.handover`, what is refused or "
        "unsure goes to a person, with the question."
    ),
    examples=[
        ('compagnon ask "c\'est quoi le dropout ?"', N_("an answer with its citations, as it is written")),
        ('compagnon ask "c\'est quoi le dropout ?" --level beginner --json', N_("for a program")),
        ('compagnon ask "Adam ou SGD ?" --provider extract', N_("without a model, a key or a network")),
        ('compagnon ask "what is dropout?"', N_("in English, where the knowledge base is translated")),
    ],
)
def command(
    question: tuple[str, ...], level: Difficulty | None, provider: str | None, language: str | None, as_json: bool
) -> None:
    import asyncio

    from compagnon.services.tutor.answer.opening import open_tutor
    from compagnon.services.tutor.answer.tutor import Question
    from compagnon.services.tutor.conversations.owner import owner_of_token
    from compagnon.services.tutor.handover.once import pass_on
    from compagnon.services.tutor.place import tutor_of
    from compagnon.solution import author

    text = " ".join(question)
    with opened() as solution:
        tutor = open_tutor(solution, provider)
        reply = asyncio.run(_answer(tutor, Question(text, level=level, language=language), stream=not as_json))
        desk = tutor_of(solution.spec).handover is not None
        passed = pass_on(solution, owner_of_token(author(), solution.secrets), text, reply) if desk else None
        if as_json:
            # Only a solution where a person may take over says whether one does.
            print_json(reply.as_dict() | ({"handover": passed.as_dict() if passed else None} if desk else {}))
            return
        _after(reply)
        if passed is not None:
            click.echo(_("Handed over to a person, number {number}.").format(number=passed.handover.id))
            click.echo(passed.message)


async def _answer(tutor: Tutor, question: Question, *, stream: bool) -> Reply:
    from compagnon.services.tutor.answer.events import Done, Line, between, dressed

    before: Kind | None = None
    try:
        async for event in tutor.ask(question):
            if isinstance(event, Done):
                return event.reply
            if stream and isinstance(event, Line):
                click.echo(between(before, event.kind) + dressed(event), nl=False)
                sys.stdout.flush()
                before = event.kind
    finally:
        await tutor.close()
    raise AssertionError("an answer ends with Done")


def _after(reply: Reply) -> None:
    """Where the answer comes from, and what it cost."""
    click.echo("\n")
    for citation in reply.citations:
        click.echo(f"[{citation.number}] {citation.title} ({citation.id})")
        click.echo(f"    « {cell(citation.quote, 300)} »")
    levels = {"beginner": _("beginner"), "intermediate": _("intermediate"), "advanced": _("advanced")}
    parts = [_("Level: {level}").format(level=levels[reply.level])]
    parts.append(_("Written by: {provider}").format(provider=reply.provider))
    if reply.tokens:
        parts.append(_("{count} tokens").format(count=format_number(reply.tokens)))
    if reply.cost:
        parts.append(f"{reply.cost:.5f} USD")
    click.echo(click.style(" · ".join(parts), dim=True))
