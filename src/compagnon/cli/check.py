"""``compagnon check``."""

from __future__ import annotations

import click

from compagnon.cli.command import command as make
from compagnon.cli.command import folder, json_option
from compagnon.cli.output import print_json
from compagnon.errors import DONE, FIXABLE, Problem, UserError
from compagnon.i18n import N_, _, ngettext


@make(
    "check",
    json_option(),
    help=N_(
        "Read solution.yaml and the files that it names, and report every mistake at once, each with its place, the "
        "reason and what to do. Exit code 1 if there is a mistake; warnings alone are exit code 0."
    ),
    examples=[
        ("compagnon check", N_("check the solution of the current folder")),
        ("compagnon check --json", N_("the same for a program: problems with code, file, line and column")),
    ],
)
def command(as_json: bool) -> int:
    from compagnon.solution import Solution

    solution = Solution(folder())
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    try:
        warnings = solution.loaded.warnings
    except UserError as error:
        problems = error.problems
    if as_json:
        print_json(
            {
                "valid": not problems,
                "count": len(problems),
                "problems": [problem.as_dict() for problem in problems],
                "warnings": [problem.as_dict() for problem in warnings],
            }
        )
        return FIXABLE if problems else DONE
    for problem in problems:
        click.echo(str(problem))
    for warning in warnings:
        click.echo(_("warning: {problem}").format(problem=warning))
    click.echo(_summary(solution.root.name, len(problems), len(warnings)))
    return FIXABLE if problems else DONE


def _summary(name: str, problems: int, warnings: int) -> str:
    if problems:
        return "\n" + ngettext("{count} mistake in {name}.", "{count} mistakes in {name}.", problems).format(
            count=problems, name=name
        )
    if warnings:
        return "\n" + ngettext(
            "No mistake in {name}, {count} warning.", "No mistake in {name}, {count} warnings.", warnings
        ).format(name=name, count=warnings)
    return _("No mistake in {name}.").format(name=name)
