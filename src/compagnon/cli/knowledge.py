"""``compagnon knowledge``: what the tutor knows, checked and searched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compagnon.cli.command import Argument, Group, Option, folder, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import cell, print_json
from compagnon.errors import DONE, FIXABLE, Location, Problem, UserError
from compagnon.i18n import N_, _, format_number, ngettext

if TYPE_CHECKING:
    from compagnon.services.tutor.knowledge.check import Report
    from compagnon.services.tutor.knowledge.model import Difficulty
    from compagnon.services.tutor.knowledge.reviewing import Waiting
    from compagnon.solution import Solution

GLUED_SHOWN = 10
"""Words that seem glued, as people see them; --json has all."""

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
    warnings = [*report.warnings, *([] if names else _scope_to_learn(solution))]
    if as_json:
        print_json(
            {
                "valid": not report.problems,
                "count": len(report.problems),
                "topics": len(report.base.topics),
                "subtopics": len(report.base),
                "words": report.words,
                "problems": [problem.as_dict() for problem in report.problems],
                "warnings": [warning.as_dict() for warning in warnings],
            }
        )
    else:
        for problem in report.problems:
            click.echo(str(problem))
        for warning in warnings:
            click.echo(_("warning: {problem}").format(problem=warning))
        click.echo(_summary(report))
    return FIXABLE if report.problems else DONE


def _scope_to_learn(solution: Solution) -> list[Problem]:
    """That examples of questions to answer and to refuse were not learned from as they are now."""
    from compagnon.providers.embedder import open_embedder
    from compagnon.services.tutor.answer.learned import read_learned
    from compagnon.services.tutor.place import tutor_of

    tutor = tutor_of(solution.spec)
    if tutor.scope is None:
        return []
    embedder = open_embedder(tutor.embedder, solution.root, solution.secrets).identity if tutor.embedder else None
    if read_learned(solution.root / tutor.scope, embedder) is not None:
        return []
    what = _("These examples were not learned from as they are now: a rule decides what is answered.")
    return [Problem("scope.not-learned", what, Location(tutor.scope), _("Learn from them: compagnon knowledge scope"))]


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
    Option(
        ["--language"],
        type=click.Choice(["fr", "en"]),
        help=N_("Language of the passages; that of the words by default."),
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
def search(
    words: tuple[str, ...],
    topic: str | None,
    level: Difficulty | None,
    count: int,
    language: str | None,
    as_json: bool,
) -> None:
    from compagnon.services.tutor.search.language import language_of
    from compagnon.services.tutor.search.opening import open_index

    text = " ".join(words)
    with opened() as solution:
        index = open_index(solution)
        spoken = index.spoken(language or language_of(text, index.base.language))
        found = spoken.find(text, count=count, topic=topic, level=level)
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
    "scope",
    json_option(N_("Print JSON, for programs: examples, f1, recall, false_refusals and file.")),
    help=N_(
        "Learn which questions the tutor answers and which it refuses, from the examples that `tutor.scope` names: "
        "JSON Lines with `question`, `answerable`, and `kind` for a refused one (out_of_scope, near, unanswerable, "
        "uncovered). Each example is decided by what was learned from the others: that is the measure printed. "
        "Learn again when examples, knowledge base or embedder change."
    ),
    examples=[("compagnon knowledge scope", N_("learn, and say how well examples held out are decided"))],
)
def scope(as_json: bool) -> None:
    from compagnon.chain.workspace import write_atomically
    from compagnon.services.tutor.answer.learned import as_file, place_of
    from compagnon.services.tutor.answer.learning import learn, read_examples
    from compagnon.services.tutor.place import tutor_of
    from compagnon.services.tutor.search.opening import open_index

    with opened() as solution:
        named = tutor_of(solution.spec).scope
        if named is None:
            raise UserError(
                "scope.none",
                _("This solution has no examples of questions to answer and to refuse."),
                where=Location("solution.yaml"),
                next=_("Add `scope: scope.jsonl` to `tutor`, and write the file."),
            )
        path = solution.root / named
        examples = read_examples(path, named)

        def told(done: int, whole: int) -> None:
            if done % 100 == 0 or done == whole:
                click.echo(_("{done} of {whole} examples").format(done=done, whole=whole), err=True)

        learned, measured = learn(examples, path, open_index(solution), told)
        write_atomically(place_of(path), as_file(learned))
    name = place_of(path).relative_to(solution.root).as_posix()
    if as_json:
        print_json({**measured.as_dict(), "file": name})
        return
    click.echo(
        _(
            "{examples} examples, each decided by the others: {recall} % of those to refuse are refused, {wrong} % of "
            "those to answer are refused wrongly (F1 of refusing: {f1})."
        ).format(
            examples=format_number(measured.examples),
            f1=format_number(measured.f1, 2),
            recall=format_number(100 * measured.recall, 1),
            wrong=format_number(100 * measured.false_refusals, 1),
        )
    )
    click.echo(_("Written: {file}").format(file=name))


@make(
    "review",
    Argument(
        ["names"], metavar="[TOPIC|ID]...", nargs=-1, help=N_("Topics or subtopics that were read; see them without.")
    ),
    Option(["--by"], metavar="NAME", help=N_("Who read them; written with the day. Without it nothing is written.")),
    Option(["--all", "whole"], is_flag=True, help=N_("Everything that waits was read.")),
    json_option(),
    help=N_(
        "Show what nobody has reviewed yet (imported or translated), with the sentences to look at twice, or sign what "
        "was read. The tutor does not answer from what nobody reviewed, unless `tutor.unreviewed` is `quote`."
    ),
    examples=[
        ("compagnon knowledge review", N_("what waits")),
        ('compagnon knowledge review tris --by "A. Martin"', N_("sign a topic that one has read")),
        ('compagnon knowledge review --all --by "A. Martin"', N_("sign all that waits")),
    ],
)
def review(names: tuple[str, ...], by: str | None, whole: bool, as_json: bool) -> None:
    from compagnon.services.tutor.knowledge import reviewing
    from compagnon.services.tutor.knowledge.load import load
    from compagnon.services.tutor.place import knowledge_folder, tutor_of

    with opened() as solution:
        shown = tutor_of(solution.spec).knowledge
        base = load(knowledge_folder(solution.root, solution.spec), shown=shown)
        found = reviewing.waiting(base)
        read = reviewing.chosen(found, names) if names else found
        if by is None:
            _waiting(read, as_json)
            return
        if not by.strip() or not (names or whole):
            raise click.UsageError(_("Say what was read (topics, subtopics or --all) and by whom."))
        files = reviewing.sign(base, read, " ".join(by.split()), solution.clock.now().date())
    if as_json:
        print_json({"reviewed": [one.as_dict() for one in read], "files": [f"{shown}/{file}" for file in files]})
        return
    count = ngettext("{count} subtopic reviewed by {name}.", "{count} subtopics reviewed by {name}.", len(read))
    click.echo(count.format(count=format_number(len(read)), name=by))


def _waiting(found: list[Waiting], as_json: bool) -> None:
    if as_json:
        print_json([one.as_dict() for one in found])
        return
    if not found:
        click.echo(_("Everything was reviewed."))
    for one in found:
        language = f" ({one.subtopic.edition})" if one.subtopic.edition else ""
        click.echo(f"{click.style(one.subtopic.title, bold=True)} {one.subtopic.id}{language}")
        for sentence in one.doubtful:
            click.echo(f"  ? {cell(sentence, 200)}")
    if found:
        command = 'compagnon knowledge review TOPIC --by "NAME"'
        click.echo(_("Read them, then sign: {command}").format(command=command))


@make(
    "import",
    Argument(
        ["file"],
        type=click.Path(path_type=Path),
        help=N_(
            "Course in Markdown (.md), HTML (.html), Word (.docx) or PDF (.pdf); FAQ in Markdown or HTML with --faq, "
            "or in CSV, JSON, JSON Lines."
        ),
    ),
    Option(
        ["--topic"],
        metavar="NAME",
        help=N_("Short name of the topic, such as sorting; a FAQ has one for each theme by default."),
    ),
    Option(["--title"], default="", metavar="TEXT", help=N_("Title of the topic; that of the file by default.")),
    Option(["--faq"], is_flag=True, help=N_("Each heading is a question, and what is under it its answer.")),
    Option(
        ["--part-words"],
        is_flag=True,
        help=N_("Of a FAQ: part the words that seem glued; they are only listed by default."),
    ),
    Option(
        ["--level"],
        type=click.Choice(["beginner", "intermediate", "advanced"]),
        default="beginner",
        show_default=True,
        help=N_("Difficulty written for each subtopic of a course."),
    ),
    Option(
        ["--language"],
        type=click.Choice(["fr", "en"]),
        default="fr",
        show_default=True,
        help=N_("Language of the texts."),
    ),
    Option(
        ["--reviewed-by"],
        metavar="NAME",
        help=N_("Who has read the file, and answers for it; without it what is imported waits for a review."),
    ),
    json_option(),
    help=N_(
        "Make topics of a course or of a FAQ. In a course, each heading with text becomes a subtopic, code and "
        "headings that begin with « Exemple » become examples. In a FAQ, each question becomes an entry, cleaned of "
        "HTML and of sentences glued together; what is refused is listed with its reason. What is in the "
        "base is never overwritten."
    ),
    examples=[
        ("compagnon knowledge import cours.md --topic sorting", N_("a new topic from a Markdown file")),
        ("compagnon knowledge import cours.pdf --topic graphs", N_("one from a PDF, with what to look at in it")),
        ("compagnon knowledge import faq.csv", N_("the questions and answers of a firm, by theme")),
        ("compagnon knowledge import faq.html --faq --topic returns", N_("those of a page, in one topic")),
    ],
)
def import_(
    file: Path,
    topic: str | None,
    title: str,
    faq: bool,
    part_words: bool,
    level: Difficulty,
    language: str,
    reviewed_by: str | None,
    as_json: bool,
) -> None:
    from compagnon.services.tutor.knowledge.course import READERS as COURSES

    if faq or file.suffix.lower() not in COURSES:
        _import_faq(file, topic, title, part_words, language, reviewed_by, as_json)
    elif topic is None:
        raise click.UsageError(_("A course needs --topic; a FAQ needs --faq."))
    else:
        _import_course(file, topic, title, level, language, reviewed_by, as_json)


def _import_course(
    file: Path, topic: str, title: str, level: Difficulty, language: str, reviewed_by: str | None, as_json: bool
) -> None:
    from compagnon.services.tutor.knowledge import check as checking
    from compagnon.services.tutor.knowledge.course import import_course
    from compagnon.services.tutor.place import knowledge_folder, tutor_of
    from compagnon.solution import Solution

    solution = Solution(folder())
    shown = tutor_of(solution.spec).knowledge
    place = knowledge_folder(solution.root, solution.spec)
    imported = import_course(file, place, topic, level=level, language=language, title=title)
    _signed(solution, [topic], reviewed_by)
    report = checking.check(place, shown=shown, topics=(topic,))
    made = [subtopic.id for subtopic in report.base if subtopic.topic == topic]
    name = f"{shown}/{imported.file.name}"
    if as_json:
        missing = [problem.as_dict() for problem in (*report.problems, *report.warnings)]
        print_json({"file": name, "subtopics": made, "notes": list(imported.notes), "missing": missing})
        return
    count = ngettext("{file}: {count} subtopic.", "{file}: {count} subtopics.", len(made))
    click.echo(count.format(file=name, count=format_number(len(made))))
    for note in imported.notes:
        click.echo(_("to look at: {note}").format(note=note))
    for problem in (*report.problems, *report.warnings):
        click.echo(str(problem))
    click.echo(_("Complete the file, then check it: {command}").format(command="compagnon knowledge check"))
    _say_waiting(reviewed_by)


def _import_faq(
    file: Path,
    topic: str | None,
    title: str,
    part_words: bool,
    language: str,
    reviewed_by: str | None,
    as_json: bool,
) -> None:
    from compagnon.services.tutor.faq.take import import_faq
    from compagnon.services.tutor.place import knowledge_folder, tutor_of
    from compagnon.solution import Solution

    solution = Solution(folder())
    shown = tutor_of(solution.spec).knowledge
    place = knowledge_folder(solution.root, solution.spec)
    done = import_faq(file, place, topic=topic, title=title, language=language, part_words=part_words, shown=shown)
    _signed(solution, done.ids, reviewed_by)
    if as_json:
        print_json(done.as_dict(shown))
        return
    for written in done.files:
        count = ngettext("{file}: {count} question.", "{file}: {count} questions.", len(written.ids))
        click.echo(count.format(file=f"{shown}/{written.path.name}", count=format_number(len(written.ids))))
    if done.mended:
        said = ngettext("{count} text was cleaned.", "{count} texts were cleaned.", done.mended)
        click.echo(said.format(count=format_number(done.mended)))
    if done.glued:
        said = ngettext("{count} word seems glued:", "{count} words seem glued:", len(done.glued))
        some = ", ".join(f"{word} → {parts}" for word, parts in list(done.glued.items())[:GLUED_SHOWN])
        click.echo(f"{said.format(count=format_number(len(done.glued)))} {some}{'…' * (len(done.glued) > GLUED_SHOWN)}")
    for refused in done.refused:
        why = _("refused, {place}: {why}").format(place=refused.place, why=refused.why)
        click.echo(f"{why}. {cell(refused.question, 80)}".rstrip(". "))
    if done.ids:
        _say_waiting(reviewed_by)


def _signed(solution: Solution, names: Sequence[str], by: str | None) -> None:
    """Note who answers for what was imported, where it is said."""
    from compagnon.services.tutor.knowledge import reviewing
    from compagnon.services.tutor.knowledge.load import load
    from compagnon.services.tutor.place import knowledge_folder, tutor_of

    if by and by.strip() and names:
        base = load(knowledge_folder(solution.root, solution.spec), shown=tutor_of(solution.spec).knowledge)
        read = reviewing.chosen(reviewing.waiting(base), names)
        reviewing.sign(base, read, " ".join(by.split()), solution.clock.now().date())


def _say_waiting(reviewed_by: str | None) -> None:
    if not reviewed_by:
        click.echo(
            _("The tutor answers from it once somebody has read it: {command}").format(
                command="compagnon knowledge review"
            )
        )


for _each in (check, schema, search, scope, review, import_):
    command.add_command(_each)
