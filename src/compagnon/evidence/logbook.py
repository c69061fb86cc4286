"""The logbook as a document: runs, what they found, notes and decisions, day after day.

What persons wrote is masked: a document travels further than the page. A decision about a row names its table and
column, never the row nor the value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from compagnon.chain.ledger import Correction, Ledger, Note
from compagnon.chain.run import Run
from compagnon.evidence import words
from compagnon.i18n import _, format_date, format_number, use
from compagnon.privacy.patterns import mask_text
from compagnon.render.document import (
    Block,
    Cell,
    Code,
    Document,
    Gap,
    Heading,
    Inline,
    Language,
    List,
    Table,
)
from compagnon.spec.model import Spec, text_of


def logbook(language: Language, *, spec: Spec, ledger: Ledger, named: Callable[[str], str] = str) -> Document:
    """Everything that the ledger holds, the oldest first; an empty one is told as a gap.

    ``named`` gives the name to show for an author as it is kept.
    """
    zone = ZoneInfo(spec.timezone)
    runs = sorted(ledger.runs(), key=lambda run: run.ended)
    written = [replace(note, author=named(note.author)) for note in ledger.notes()]
    notes = sorted(written, key=lambda note: (note.at, note.id))
    made = [replace(c, author=named(c.author)) for table in spec.tables for c in ledger.corrections(table)]
    decisions = sorted(made, key=lambda decision: (decision.at, decision.id))
    moments = [*(run.ended for run in runs), *(note.at for note in notes), *(c.at for c in decisions)]
    days = sorted({_day(at, zone) for at in moments})
    with use(language):
        blocks: list[Block] = [_summary(runs, notes, decisions, spec.timezone)]
        if not days:
            blocks.append(Gap(_("no run and no note yet"), "compagnon run"))
        for day in days:
            blocks += _of_day(
                day,
                [run for run in runs if _day(run.ended, zone) == day],
                [note for note in notes if _day(note.at, zone) == day],
                [decision for decision in decisions if _day(decision.at, zone) == day],
                zone,
            )
        name = text_of(spec.title, language) or spec.name
        title = _("Logbook of {name}").format(name=name)
        subject = _("Runs, what they found, notes and decisions, by date.")
        return Document(title, language, tuple(blocks), max(moments, default=None), subject)


def _summary(runs: list[Run], notes: list[Note], decisions: list[Correction], timezone: str) -> Block:
    failed = sum(run.status == "failed" for run in runs)
    return List(
        (
            _("Runs: {count}, of which failed: {failed}.").format(
                count=format_number(len(runs)), failed=format_number(failed)
            ),
            _("Notes: {count}.").format(count=format_number(len(notes))),
            _("Decisions about rows: {count}.").format(count=format_number(len(decisions))),
            _("Times are those of {timezone}.").format(timezone=timezone),
        )
    )


def _of_day(day: date, runs: list[Run], notes: list[Note], decisions: list[Correction], zone: ZoneInfo) -> list[Block]:
    written = format_date(day)
    blocks: list[Block] = [Heading(written)]
    if runs:
        headers = (_("time"), _("stage"), _("state"), _("found"), _("why it ran"), _("run"))
        rows = tuple(_run(run, zone) for run in runs)
        blocks.append(Table(_("Runs of {day}").format(day=written), headers, rows))
        blocks += _warnings(runs)
    if notes:
        blocks += [Heading(_("Notes"), 3), List(tuple(_note(note, zone) for note in notes))]
    if decisions:
        blocks += [Heading(_("Decisions about rows"), 3), List(tuple(_decision(made, zone) for made in decisions))]
    return blocks


def _run(run: Run, zone: ZoneInfo) -> tuple[Cell, ...]:
    if run.status == "failed":
        state = _("failed: {what}").format(what=mask_text(str((run.error or {}).get("what", ""))))
    else:
        state = _("finished")
    found = " · ".join(words.told(fact) for fact in run.facts if fact.value not in (None, ""))
    return (_hour(run.ended, zone), Code(run.stage), state, found or None, mask_text(run.reason), Code(run.id))


def _warnings(runs: list[Run]) -> list[Block]:
    said = [(run.stage, mask_text(warning)) for run in runs for warning in run.warnings]
    if not said:
        return []
    items = tuple(words.fill(_("{name}: {value}"), name=Code(stage), value=text) for stage, text in said)
    return [Heading(_("Warnings"), 3), List(items)]


def _note(note: Note, zone: ZoneInfo) -> tuple[Inline, ...]:
    parts: dict[str, Inline] = {"hour": _hour(note.at, zone), "author": mask_text(note.author)}
    parts["text"] = " ".join(mask_text(note.text).split())
    if note.about is None:
        return words.fill(_("{hour}, {author}: {text}"), **parts)
    return words.fill(_("{hour}, {author}, about {about}: {text}"), about=Code(note.about), **parts)


def _decision(made: Correction, zone: ZoneInfo) -> tuple[Inline, ...]:
    parts: dict[str, Inline] = {"hour": _hour(made.at, zone), "author": mask_text(made.author)}
    parts["table"], parts["number"] = Code(made.table), str(made.id)
    because = " ".join(mask_text(made.because).split())
    parts["because"] = because or Gap(_("the reason of the decision"))
    if made.kind == "restore":
        return words.fill(_("{hour}, {author}: a row of {table} put back (decision {number}): {because}"), **parts)
    sentence = _("{hour}, {author}: {column} of a row of {table} corrected (decision {number}): {because}")
    return words.fill(sentence, column=Code(made.column or ""), **parts)


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def _hour(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"
