"""``compagnon handover``: conversations that a person takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from compagnon.cli.command import Argument, Group, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import cell, print_json, table
from compagnon.i18n import N_, _, format_datetime

if TYPE_CHECKING:
    from compagnon.services.tutor.conversations.store import Kept
    from compagnon.services.tutor.handover.desk import Handover
    from compagnon.solution import Solution

command = Group(
    "handover",
    help=N_(
        "The queue of conversations that the assistant handed over to a person: because it found no answer, was not "
        "sure, or was asked to. Texts are kept masked."
    ),
    examples=[
        ("compagnon handover list", N_("those that wait or are taken")),
        ("compagnon handover take 3", N_("take one")),
        ('compagnon handover answer 3 "Oui, sous 14 jours."', N_("write to the customer")),
        ("compagnon handover close 3", N_("close it")),
    ],
)

_NUMBER = N_("Number of the handover, as `handover list` shows it.")
STATES = {"waiting": N_("waiting"), "taken": N_("taken"), "closed": N_("closed")}
REASONS = {"asked": N_("a person was asked for"), "refused": N_("no answer"), "unsure": N_("not sure")}


@make(
    "list",
    Option(
        ["--state"],
        type=click.Choice(list(STATES)),
        multiple=True,
        help=N_("Only this state; may be repeated. Waiting and taken by default."),
    ),
    Option(["--limit", "-n"], type=click.IntRange(1, 500), default=50, show_default=True, help=N_("How many at most.")),
    json_option(),
    help=N_("List conversations handed over, the one that waits for longest first."),
    examples=[("compagnon handover list --state waiting --json", N_("what nobody has taken, for a program"))],
)
def list_(state: tuple[Any, ...], limit: int, as_json: bool) -> None:
    from compagnon.services.tutor.handover import desk

    with opened() as solution:
        found = desk.list_handovers(solution.engine, state or desk.OPEN, limit=limit)
        if as_json:
            print_json({"count": desk.count(solution.engine), "handovers": [each.as_dict() for each in found]})
            return
        if not found:
            click.echo(_("Nobody is waiting."))
            return
        table(
            [_("Number"), _("Since"), _("State"), _("Reason"), _("Question")],
            [
                [str(each.id), _when(solution, each.at), _(STATES[each.state]), _(REASONS[each.reason]),
                 cell(each.title, 60)]
                for each in found
            ],
        )  # fmt: skip


@make(
    "show",
    Argument(["number"], type=int, metavar="NUMBER", help=_NUMBER),
    json_option(),
    help=N_("Show a handover with its whole conversation."),
    examples=[("compagnon handover show 3", N_("that one"))],
)
def show(number: int, as_json: bool) -> None:
    from compagnon.services.tutor.conversations.messages import Message
    from compagnon.services.tutor.handover import desk

    with opened() as solution:
        found, said = desk.find(solution.engine, number), desk.turns_of(solution.engine, number)
        written = desk.messages_of(solution.engine, number)
        if as_json:
            messages = [{"id": each.id, "by": each.by, **each.told()} for each in written]
            print_json({**found.as_dict(), "turns": [_turn(turn) for turn in said], "messages": messages})
            return
        click.secho(cell(found.title, 120), bold=True)
        _state(solution, found)
        thread: list[Kept | Message] = [*said, *written]
        for each in sorted(thread, key=lambda each: each.at):
            click.echo()
            if isinstance(each, Message):
                who = _("the customer") if each.side == "owner" else each.by or _("a person")
                click.secho(_("{who}, {when}:").format(who=who, when=_when(solution, each.at)), bold=True)
                click.echo(each.text)
            else:
                click.secho(f"> {cell(each.question, 4000)}", bold=True)
                click.echo(each.answer or _("(no answer)"))


@make(
    "take",
    Argument(["number"], type=int, metavar="NUMBER", help=_NUMBER),
    Option(
        ["--from", "over"],
        default="",
        metavar="NAME",
        help=N_("Take it over from this person, as `handover list` names them, where they cannot answer any more."),
    ),
    json_option(),
    help=N_("Take a waiting conversation, in your name: others see that you answer it."),
    examples=[("compagnon handover take 3", N_("that one"))],
)
def take(number: int, over: str, as_json: bool) -> None:
    from compagnon.services.tutor.handover import desk
    from compagnon.solution import author

    with opened() as solution:
        found = desk.take(solution.engine, number, author(), solution.clock.now(), over=over)
        _say(solution, found, as_json)


@make(
    "answer",
    Argument(["number"], type=int, metavar="NUMBER", help=_NUMBER),
    Argument(["text"], metavar="TEXT", help=N_("What the customer reads; kept masked, but for your own contact.")),
    json_option(),
    help=N_("Write to the customer, in the conversation; takes it where nobody has. It stays open."),
    examples=[('compagnon handover answer 3 "Oui, sous 14 jours."', N_("the customer reads it on their page"))],
)
def answer(number: int, text: str, as_json: bool) -> None:
    from compagnon.services.tutor.handover import desk
    from compagnon.services.tutor.handover.contacts import public_contacts
    from compagnon.solution import author

    with opened() as solution:
        spared = public_contacts(solution.spec)
        said = desk.answer(solution.engine, number, author(), text, solution.clock.now(), spared=spared)
        if as_json:
            print_json({"id": said.id, "by": said.by, **said.told()})
            return
        click.echo(_("Written to the customer: {text}").format(text=cell(said.text, 200)))


@make(
    "release",
    Argument(["number"], type=int, metavar="NUMBER", help=_NUMBER),
    json_option(),
    help=N_("Give a conversation that you have taken back to the queue, at its place."),
    examples=[("compagnon handover release 3", N_("that one"))],
)
def release(number: int, as_json: bool) -> None:
    from compagnon.services.tutor.handover import desk
    from compagnon.solution import author

    with opened() as solution:
        _say(solution, desk.release(solution.engine, number, author()), as_json)


@make(
    "close",
    Argument(["number"], type=int, metavar="NUMBER", help=_NUMBER),
    Option(
        ["--answer"],
        default="",
        metavar="TEXT",
        help=N_(
            "A last answer, which the customer reads; kept masked. It is the draft of a FAQ entry where many asked the "
            "same; the longest message that you wrote, where you give none."
        ),
    ),
    json_option(),
    help=N_("Close a conversation that was handed over; the assistant answers its next questions."),
    examples=[('compagnon handover close 3 --answer "Oui, sous 14 jours."', N_("with a last answer"))],
)
def close(number: int, answer: str, as_json: bool) -> None:
    from compagnon.services.tutor.handover import desk
    from compagnon.services.tutor.handover.contacts import public_contacts
    from compagnon.solution import author

    with opened() as solution:
        spared, now = public_contacts(solution.spec), solution.clock.now()
        found = desk.close(solution.engine, number, author(), now, answer=answer, spared=spared)
        _say(solution, found, as_json)


def _say(solution: Solution, found: Handover, as_json: bool) -> None:
    if as_json:
        print_json(found.as_dict())
        return
    _state(solution, found)


def _state(solution: Solution, found: Handover) -> None:
    parts = [f"{found.id}", _(STATES[found.state]), _(REASONS[found.reason]), _when(solution, found.at)]
    if found.taken_by:
        parts.append(_("taken by {name}").format(name=found.taken_by))
    click.echo(" · ".join(parts))
    if found.answer:
        click.echo(_("Answered: {text}").format(text=found.answer))


def _when(solution: Solution, at: Any) -> str:
    from zoneinfo import ZoneInfo

    return format_datetime(at, ZoneInfo(solution.spec.timezone))


def _turn(turn: Kept) -> dict[str, Any]:
    return {
        "id": turn.id, "at": turn.at, "question": turn.question, "answer": turn.answer, "sure": turn.sure,
        "refused": turn.refused, "citations": [dict(each) for each in turn.citations],
    }  # fmt: skip


for _each in (list_, show, take, answer, release, close):
    command.add_command(_each)
