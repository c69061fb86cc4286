"""``compagnon knowledge``: what the tutor knows, checked and searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from compagnon.cli.command import Argument, Group, folder, json_option
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json
from compagnon.errors import DONE, FIXABLE
from compagnon.i18n import N_, _, format_number, ngettext

if TYPE_CHECKING:
    from compagnon.services.tutor.knowledge.check import Report

command = Group(
    "knowledge",
    help=N_(
        "The knowledge base from which the tutor answers: one JSON file for each topic, in the folder that `tutor` "
        "names in solution.yaml."
    ),
    examples=[("compagnon knowledge check", N_("report every defect of the knowledge base"))],
)


@make(
    "check",
    Argument(
        ["topics"],
        metavar="[TOPIC]...",
        nargs=-1,
        help=N_("Topics whose files are reported on; all by default. Links are followed through the whole base."),
    ),
    json_option(),
    help=N_(
        "Report every defect of the knowledge base at once, each with its file, line, subtopic and field: shape, ids, "
        "links, circles of prerequisites, length, readability, missing examples, drawings, prose. Exit code 1 if "
        "there is a mistake; warnings alone are exit code 0."
    ),
    examples=[
        ("compagnon knowledge check", N_("the whole base")),
        ("compagnon knowledge check cnn rnn --json", N_("two topics, for a program")),
    ],
)
def check(topics: tuple[str, ...], as_json: bool) -> int:
    from compagnon.services.tutor.knowledge import check as checking
    from compagnon.services.tutor.place import knowledge_folder, tutor_of
    from compagnon.solution import Solution

    solution = Solution(folder())
    place = knowledge_folder(solution.root, solution.spec)
    names = tuple(topic.removesuffix(".json") for topic in topics)
    report = checking.check(place, shown=tutor_of(solution.spec).knowledge, topics=names)
    if as_json:
        print_json(
            {
                "valid": not report.problems,
                "count": len(report.problems),
                "topics": len(report.base.topics),
                "subtopics": len(report.base),
                "words": report.words,
                "problems": [problem.as_dict() for problem in report.problems],
                "warnings": [warning.as_dict() for warning in report.warnings],
            }
        )
    else:
        for problem in report.problems:
            click.echo(str(problem))
        for warning in report.warnings:
            click.echo(_("warning: {problem}").format(problem=warning))
        click.echo(_summary(report))
    return FIXABLE if report.problems else DONE


def _summary(report: Report) -> str:
    count = len(report.problems)
    found = ngettext("{count} mistake", "{count} mistakes", count) if count else _("no mistake")
    topics, subtopics, words = len(report.base.topics), len(report.base), report.words
    return _("{topics}, {subtopics}, {words}: {found}.").format(
        topics=ngettext("{count} topic", "{count} topics", topics).format(count=format_number(topics)),
        subtopics=ngettext("{count} subtopic", "{count} subtopics", subtopics).format(count=format_number(subtopics)),
        words=ngettext("{count} word", "{count} words", words).format(count=format_number(words)),
        found=found.format(count=format_number(count)),
    )


@make(
    "schema",
    help=N_("Print the JSON Schema of a file of the knowledge base, with which editors complete and check it."),
    examples=[("compagnon knowledge schema > knowledge.schema.json", N_("to a file"))],
)
def schema() -> None:
    from compagnon.services.tutor.knowledge.model import json_schema

    print_json(json_schema())


for _each in (check, schema):
    command.add_command(_each)
