"""``compagnon log``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from compagnon.chain.words import key_facts_text
from compagnon.cli.command import Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json
from compagnon.i18n import N_, _, format_datetime, format_duration

if TYPE_CHECKING:
    from compagnon.solution import Solution


@make(
    "log",
    Option(
        ["--limit", "-n"],
        type=click.IntRange(min=1),
        default=20,
        show_default=True,
        help=N_("How many entries at most."),
    ),
    Option(["--stage"], metavar="STAGE", help=N_("Only this stage and the notes about it.")),
    json_option(),
    help=N_("Show the logbook of the solution: runs, failed ones too, and notes, the latest first."),
    examples=[
        ("compagnon log", N_("the latest 20 entries")),
        ("compagnon log --stage train/topic --limit 5", N_("the latest of one stage")),
    ],
)
def command(limit: int, stage: str | None, as_json: bool) -> None:
    with opened() as solution:
        found = entries(solution, limit, stage)
        if as_json:
            print_json({"solution": solution.name, "entries": [entry for _at, entry in found]})
            return
        if not found:
            click.echo(_("The logbook is empty: compagnon run"))
        for at, entry in found:
            click.echo(f"{click.style(format_datetime(at), dim=True)}  {_line(entry)}")


def entries(solution: Solution, limit: int, stage: str | None = None) -> list[tuple[datetime, dict[str, Any]]]:
    """Runs and notes as JSON values with their moments, the latest first."""
    from compagnon.chain.ledger import as_note

    runs = solution.ledger.runs(stage, limit)
    about = {None} if stage is None else {stage, *(run.id for run in solution.ledger.runs(stage))}
    notes = [note for note in solution.ledger.notes() if stage is None or note.about in about]
    found = [(run.ended, {"kind": "run", **run.as_dict(), "line": key_facts_text(run.facts)}) for run in runs]
    found += [(note.at, {"kind": "note", **as_note(note)}) for note in notes]
    found.sort(key=lambda pair: pair[0], reverse=True)
    return found[:limit]


def _line(entry: dict[str, Any]) -> str:
    if entry["kind"] == "note":
        about = f" ({entry['about']})" if entry["about"] else ""
        return "✎ " + _("{name}: {value}").format(name=f"{entry['author']}{about}", value=entry["text"])
    if entry["status"] == "failed":
        what = (entry["error"] or {}).get("what", "")
        return f"{click.style('✗', fg='red')} {entry['stage']} {entry['id']}  " + _("failed: {what}").format(what=what)
    duration = entry["facts"].get("duration", {}).get("value")
    took = format_duration(duration) if duration is not None else ""
    parts = [took, entry["line"], entry["reason"]]
    return f"{click.style('✓', fg='green')} {entry['stage']} {entry['id']}  " + " · ".join(p for p in parts if p)
