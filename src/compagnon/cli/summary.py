"""The end of a run: what was computed, what was still valid, the indicators of the need, the next command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from compagnon.chain.words import VERDICT_SIGNS, value_text, verdict_word
from compagnon.cli.failure import complain
from compagnon.errors import UserError
from compagnon.i18n import _, format_number, ngettext

if TYPE_CHECKING:
    from compagnon.solution import Solution


def summary(solution: Solution, done: dict[str, str], error: UserError | None) -> dict[str, Any]:
    """The end of a run as JSON values; ``done`` maps each stage to its last event."""
    names = [instance.id for instance in solution.chain.instances()]
    facts = {name: solution.facts(name) for name in names}
    return {
        "kind": "summary",
        "solution": solution.name,
        "computed": [name for name, kind in done.items() if kind == "done"],
        "valid": [name for name, kind in done.items() if kind == "cached"],
        "failed": [name for name, kind in done.items() if kind == "failed"],
        "blocked": [name for name, kind in done.items() if kind in ("blocked", "started")],
        "indicators": indicators(solution, facts),
        "problems": [problem.as_dict() for problem in error.problems] if error else [],
        "next": _next(names, done),
    }


def indicators(solution: Solution, facts: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Each indicator of the need with what was found."""
    from compagnon.chain.indicator import judge_all

    return [judgement.as_dict() for judgement in judge_all(solution.spec, facts)]


def print_summary(about: dict[str, Any], error: UserError | None) -> None:
    """The same for people; mistakes go to standard error."""
    click.echo()
    parts = [
        ngettext("{count} stage computed", "{count} stages computed", len(about["computed"])).format(
            count=len(about["computed"])
        ),
        ngettext(
            "{count} still valid, not computed again", "{count} still valid, not computed again", len(about["valid"])
        ).format(count=len(about["valid"])),
    ]
    if about["failed"]:
        parts.append(_("failed: {stages}").format(stages=", ".join(about["failed"])))
    if about["blocked"]:
        parts.append(_("not done: {stages}").format(stages=", ".join(about["blocked"])))
    click.echo(" · ".join(parts))
    print_indicators(about["indicators"])
    if error is not None:
        click.echo()
        complain(error)
        click.echo("\n" + _("What was finished is kept. Then: {command}").format(command="compagnon run"))
    else:
        click.echo(_("Next: {command}").format(command=about["next"]))


def print_indicators(found: list[dict[str, Any]]) -> None:
    """One line for each indicator: met, missed or not known yet."""
    colors = {"met": "green", "missed": "red", "unknown": "yellow"}
    for indicator in found:
        verdict = indicator["verdict"]
        wanted = [
            f"{sign} {_threshold(indicator[side])}"
            for side, sign in (("at_least", "≥"), ("at_most", "≤"))
            if indicator[side] is not None
        ]
        value = value_text(indicator["value"], indicator["unit"])
        click.echo(
            f"{click.style(VERDICT_SIGNS[verdict], fg=colors[verdict])} "
            + _("{fact} ({stage}): {value}, wanted {threshold}: {verdict}").format(
                fact=indicator["fact"],
                stage=indicator["of"],
                value=value,
                threshold=" ".join(wanted),
                verdict=verdict_word(indicator["verdict"]),
            )
        )


def _threshold(value: float | str) -> str:
    return value if isinstance(value, str) else format_number(value)


def _next(names: list[str], done: dict[str, str]) -> str:
    """The command that one would type now: the rest of the chain, then the pages, else a look at the result."""
    if any(done.get(name) not in ("done", "cached") for name in names):
        return "compagnon run"
    return "compagnon serve" if any(name.startswith("package/") for name in names) else "compagnon status"
