"""``compagnon status``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from compagnon.chain.words import key_facts_text, progress_text
from compagnon.cli.command import command as make
from compagnon.cli.command import json_option, opened
from compagnon.cli.output import marked, print_json, table
from compagnon.cli.summary import indicators, print_indicators
from compagnon.i18n import N_, _, format_datetime

if TYPE_CHECKING:
    from compagnon.chain.plan import Step
    from compagnon.solution import Solution


@make(
    "status",
    json_option(),
    help=N_(
        "Show each stage: valid, out of date, not done, running or failed; why; and the main facts of its last "
        "finished run. The JSON form is stable: solution, job (the run at work, if any), stages (name, state, run, "
        "facts with value, unit and kind)."
    ),
    examples=[
        ("compagnon status", N_("the stages of the current folder's solution")),
        ("compagnon -C work/tutor status --json", N_("every fact, for a program")),
    ],
)
def command(as_json: bool) -> None:
    with opened() as solution:
        steps = solution.status()
        if as_json:
            print_json(document(solution, steps))
            return
        job = solution.running_job()
        if job is not None:
            click.echo(_("{name}: {value}").format(name=_("Job {id}").format(id=job.id), value=progress_text(job)))
            click.echo()
        table(
            [_("Stage"), _("State"), _("Run"), _("Ended (UTC)"), _("Facts")],
            [
                [
                    step.instance.id,
                    marked(step.state),
                    step.run.id if step.run else "",
                    format_datetime(step.run.ended) if step.run else "",
                    key_facts_text(step.run.facts) if step.run else "",
                ]
                for step in steps
            ],
        )
        click.echo()
        for step in steps:
            if not step.valid:
                click.echo(_("{name}: {value}").format(name=step.instance.id, value=step.reason))
        facts = {s.instance.id: {f.name: f for f in s.run.facts} if s.run else {} for s in steps}
        print_indicators(indicators(solution, facts))


def document(solution: Solution, steps: list[Step]) -> dict[str, Any]:
    """The stable JSON form of the status."""
    facts = {s.instance.id: {f.name: f for f in s.run.facts} if s.run else {} for s in steps}
    job = solution.running_job()
    return {
        "solution": solution.name,
        "job": {"id": job.id, **job.progress} if job else None,
        "stages": [
            {
                "name": step.instance.id,
                "state": step.state,
                "run": step.run.id if step.run else None,
                "facts": {name: fact.as_dict() for name, fact in facts[step.instance.id].items()},
                "reason": step.reason,
                "ended": step.run.ended.isoformat() if step.run else None,
            }
            for step in steps
        ],
        "indicators": indicators(solution, facts),
    }
