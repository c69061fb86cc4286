"""``compagnon knowledge``: what the tutor knows, checked and searched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from compagnon.cli.command import Argument, Group, Option, folder, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import cell, print_json
from compagnon.errors import DONE, FIXABLE
from compagnon.i18n import N_, _, format_number, ngettext

if TYPE_CHECKING:
    from compagnon.services.tutor.knowledge.check import Report
    from compagnon.services.tutor.knowledge.model import Difficulty

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


@make(
    "search",
    Argument(["words"], metavar="WORDS...", nargs=-1, required=True, help=N_("What one wants to know.")),
    Option(["--topic"], metavar="NAME", help=N_("Only this topic.")),
    Option(
        ["--level"],
        type=click.Choice(["beginner", "intermediate", "advanced"]),
        help=N_("Only subtopics of this difficulty."),
    ),
    Option(
        ["--count", "-n"],
        type=click.IntRange(1, 100),
        default=10,
        show_default=True,
        help=N_("How many subtopics at most."),
    ),
    json_option(N_("Print JSON, for programs: a list of id, title, score and quote.")),
    help=N_(
        "Find the subtopics that speak of some words, the best first, each with the passage to read. Case, accents, "
        "endings and small typing errors do not matter. What the base does not speak of is not answered."
    ),
    examples=[
        ('compagnon knowledge search "à quoi sert le pooling"', N_("the best ten subtopics")),
        ('compagnon knowledge search "dropout" --topic training --count 3 --json', N_("in one topic, for a program")),
    ],
)
def search(words: tuple[str, ...], topic: str | None, level: Difficulty | None, count: int, as_json: bool) -> None:
    from compagnon.services.tutor.search.opening import open_index

    with opened() as solution:
        found = open_index(solution).find(" ".join(words), count=count, topic=topic, level=level)
    if as_json:
        rows = [(hit.subtopic, hit) for hit in found.hits]
        print_json([{"id": s.id, "title": s.title, "score": hit.score, "quote": hit.quote} for s, hit in rows])
        return
    for typed, taken in found.asked.corrected.items():
        click.echo(_("{typed} is not in the knowledge base; {taken} was looked for.").format(typed=typed, taken=taken))
    if not found.hits:
        click.echo(_("The knowledge base does not speak of this."))
    for hit in found.hits:
        click.echo(f"{click.style(hit.subtopic.title, bold=True)} ({hit.subtopic.id}, {format_number(hit.score, 1)})")
        click.echo(f"  {cell(hit.quote, 300)}")


@make(
    "import",
    Argument(["file"], type=click.Path(path_type=Path), help=N_("Course in Markdown (.md) or HTML (.html).")),
    Option(["--topic"], required=True, metavar="NAME", help=N_("Short name of the new topic, such as sorting.")),
    Option(["--title"], default="", metavar="TEXT", help=N_("Title of the topic; that of the course by default.")),
    Option(
        ["--level"],
        type=click.Choice(["beginner", "intermediate", "advanced"]),
        default="beginner",
        show_default=True,
        help=N_("Difficulty written for each subtopic."),
    ),
    Option(
        ["--language"],
        type=click.Choice(["fr", "en"]),
        default="fr",
        show_default=True,
        help=N_("Language of the course."),
    ),
    json_option(),
    help=N_(
        "Make a topic of a course: each heading with text becomes a subtopic, code and headings that begin with "
        "« Exemple » become examples. What is missing is told, as `knowledge check` tells it. A topic that exists is "
        "never overwritten."
    ),
    examples=[("compagnon knowledge import cours.md --topic sorting", N_("a new topic from a Markdown file"))],
)
def import_(file: Path, topic: str, title: str, level: Difficulty, language: str, as_json: bool) -> None:
    from compagnon.services.tutor.knowledge import check as checking
    from compagnon.services.tutor.knowledge.course import import_course
    from compagnon.services.tutor.place import knowledge_folder, tutor_of
    from compagnon.solution import Solution

    solution = Solution(folder())
    shown = tutor_of(solution.spec).knowledge
    place = knowledge_folder(solution.root, solution.spec)
    written = import_course(file, place, topic, level=level, language=language, title=title)
    report = checking.check(place, shown=shown, topics=(topic,))
    made = [subtopic.id for subtopic in report.base if subtopic.topic == topic]
    name = f"{shown}/{written.name}"
    if as_json:
        missing = [problem.as_dict() for problem in (*report.problems, *report.warnings)]
        print_json({"file": name, "subtopics": made, "missing": missing})
        return
    count = ngettext("{file}: {count} subtopic.", "{file}: {count} subtopics.", len(made))
    click.echo(count.format(file=name, count=format_number(len(made))))
    for problem in (*report.problems, *report.warnings):
        click.echo(str(problem))
    click.echo(_("Complete the file, then check it: {command}").format(command="compagnon knowledge check"))


for _each in (check, schema, search, import_):
    command.add_command(_each)
