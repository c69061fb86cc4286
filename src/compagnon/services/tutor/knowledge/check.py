"""All that can be wrong with a knowledge base, at once: shape, links, length, readability, examples, prose."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compagnon.errors import Location, Problem
from compagnon.i18n import _, format_number
from compagnon.services.tutor.answer.clean import suspect
from compagnon.services.tutor.answer.sentences import sentences
from compagnon.services.tutor.knowledge import drawing, readability, translation
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.links import cycles
from compagnon.services.tutor.knowledge.load import Written, base_of, languages, read
from compagnon.services.tutor.knowledge.model import DIFFICULTIES, Subtopic
from compagnon.services.tutor.knowledge.prose import defects
from compagnon.spec.finding import Finding, nearest

SHORTEST, LONGEST = 120, 300
"""Words of a content."""
EASE = {"beginner": 60, "intermediate": 50, "advanced": 40}
"""Reading ease (Kandel and Moles) below which a content is too hard for its readers."""
LONG_SENTENCE = 45
"""Words of a sentence that readers lose."""


@dataclass(frozen=True)
class Report:
    """What a check found: the base as far as it can be read, mistakes, and what deserves a look."""

    base: Base
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    @property
    def words(self) -> int:
        """Words of all contents."""
        return sum(len(readability.words(subtopic.content)) for subtopic in self.base)


def check(folder: Path, *, shown: str = "knowledge", topics: tuple[str, ...] = ()) -> Report:
    """Every defect of the base in ``folder``; only those of the files of ``topics``, if any are given.

    Raises UserError when there is no base there, or no such topic.
    """
    files = read(folder, shown=shown)
    editions = {language: read(folder / language, shown=f"{shown}/{language}") for language in languages(folder)}
    translations = {language: base_of(folder / language, some) for language, some in editions.items()}
    base = base_of(folder, files, translations)
    problems, warnings = _defects(files, base, shown)
    for language, some in editions.items():
        found = _defects(some, translations[language], f"{shown}/{language}", of=base)
        problems, warnings = problems + found[0], warnings + found[1]
    if topics:
        names = {written.file.rpartition("/")[2].removesuffix(".json") for written in files}
        for topic in topics:
            if topic not in names:
                base.topic(topic)
        places = (shown, *(f"{shown}/{language}" for language in editions))
        kept = {f"{place}/{topic}.json" for topic in topics for place in places}
        problems, warnings = ([p for p in each if p.where and p.where.file in kept] for each in (problems, warnings))
    return Report(base, _ordered(problems), _ordered(warnings))


def _defects(
    files: list[Written], base: Base, shown: str, *, of: Base | None = None
) -> tuple[list[Problem], list[Problem]]:
    """Problems and warnings of the files of one language; ``of``: the base that they translate."""
    problems = [problem for written in files for problem in written.problems]
    warnings: list[Problem] = []
    ids = [written.ids for written in files] + [frozenset(of.by_id) if of else frozenset()]
    known: frozenset[str] = frozenset().union(*ids)
    circles = cycles(base.by_id)
    for written in files:
        for subtopic in written.topic.subtopics if written.topic else ():
            problems += _links(written, subtopic, known, circles)
            problems += _teaching(written, subtopic) if written.topic and written.topic.kind == "course" else ()
            problems += _prose(written, subtopic)
            problems += _drawing(written, subtopic, base.folder)
            warnings += _doubts(written, subtopic, base)
        if of is not None:
            problems += translation.strangers(written, base, of)
            warnings += translation.differences(written, of)
        warnings += _unreviewed(written)
    return problems, [*warnings, *_unused(base, shown)]


def _ordered(problems: list[Problem]) -> tuple[Problem, ...]:
    def place(problem: Problem) -> tuple[str, int, int]:
        where = problem.where
        return (where.file, where.line or 0, where.column or 0) if where else ("", 0, 0)

    return tuple(sorted(dict.fromkeys(problems), key=place))


def _links(
    written: Written, subtopic: Subtopic, known: frozenset[str], circles: list[tuple[str, ...]]
) -> Iterator[Problem]:
    for place, needed in enumerate(subtopic.prerequisites):
        if needed not in known:
            what = _("There is no subtopic `{name}` in the knowledge base.").format(name=needed)
            near = nearest(needed, sorted(known))
            yield written.about("knowledge.unknown-subtopic", what, subtopic, "prerequisites", place, next=near)
        if needed in subtopic.prerequisites[:place]:
            what = _("`{name}` is written twice.").format(name=needed)
            yield written.about("knowledge.prerequisite-twice", what, subtopic, "prerequisites", place)
    for circle in circles:
        if circle[0] == subtopic.id:
            what = _("These subtopics need each other in a circle: {names}.").format(names=" → ".join(circle))
            next_ = _("Take away the prerequisite that is not needed to understand.")
            yield written.about("knowledge.circle", what, subtopic, "prerequisites", next=next_)


def _teaching(written: Written, subtopic: Subtopic) -> Iterator[Problem]:
    count = len(readability.words(subtopic.content))
    if not SHORTEST <= count <= LONGEST:
        what = _("The content has {count} words; between {least} and {most} are expected.").format(
            count=count, least=SHORTEST, most=LONGEST
        )
        yield written.about("knowledge.length", what, subtopic, "content")
    ease, least = readability.reading_ease(subtopic.content), EASE[subtopic.difficulty]
    if written.topic and written.topic.language == "fr" and count and ease < least:
        what = _(
            "The content is hard to read: {ease} by Kandel and Moles, at least {least} for this difficulty."
        ).format(ease=format_number(ease, 0), least=least)
        next_ = _("Write shorter sentences and simpler words.")
        yield written.about("knowledge.hard-to-read", what, subtopic, "content", next=next_)
    if not subtopic.examples:
        what = _("There is no example.")
        next_ = _("Give at least one concrete example from computing.")
        yield written.about("knowledge.no-example", what, subtopic, "examples", next=next_)
    for place, example in enumerate(subtopic.examples):
        reason = _code_fault(example.code, example.language)
        if reason:
            what = _("This code is not valid {language}: {reason}.").format(language=example.language, reason=reason)
            yield written.about("knowledge.code", what, subtopic, "examples", place, "code")
        if example.code is not None and not example.language:
            what = _("The language of this code is not stated.")
            yield written.about("knowledge.code-language", what, subtopic, "examples", place, "code")


def _code_fault(code: str | None, language: str | None) -> str | None:
    """Why ``code`` cannot be read as its ``language``; None if it can, or if that is not known here."""
    try:
        if code is not None and language == "python":
            ast.parse(code)
        elif code is not None and language == "json":
            json.loads(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return str(error)
    return None


Words = Iterator[tuple[tuple[str | int, ...], str, bool]]


def _texts(subtopic: Subtopic) -> Words:
    """Every text that learners read: its place in the subtopic, the words, and whether they are whole sentences."""
    yield ("title",), subtopic.title, False
    yield ("content",), subtopic.content, True
    for i, example in enumerate(subtopic.examples):
        yield ("examples", i, "title"), example.title, False
        yield ("examples", i, "text"), example.text, True
    for i, misconception in enumerate(subtopic.misconceptions):
        yield ("misconceptions", i, "belief"), misconception.belief, False
        yield ("misconceptions", i, "answer"), misconception.answer, True
    for i, term in enumerate(subtopic.glossary):
        yield ("glossary", i, "term"), term.term, False
        yield ("glossary", i, "definition"), term.definition, False
    if subtopic.diagram:
        yield ("diagram", "alt"), subtopic.diagram.alt, False


def _prose(written: Written, subtopic: Subtopic) -> Iterator[Problem]:
    language = written.topic.language if written.topic else "fr"
    for inside, text, whole in _texts(subtopic):
        for defect in defects(text, language, sentences=whole):
            what = _("{defect}: “{excerpt}”").format(defect=_(defect.what), excerpt=defect.excerpt)
            yield written.about("knowledge.prose", what, subtopic, *inside)


def _drawing(written: Written, subtopic: Subtopic, folder: Path) -> Iterator[Problem]:
    if subtopic.diagram is None:
        return
    reason = drawing.fault(folder, subtopic.diagram.file)
    if reason:
        what = _("The drawing {file} cannot be shown: {reason}.").format(file=subtopic.diagram.file, reason=reason)
        yield written.about("knowledge.drawing", what, subtopic, "diagram", "file")


def _doubts(written: Written, subtopic: Subtopic, base: Base) -> Iterator[Problem]:
    """What may be right but deserves a look."""
    for place, needed in enumerate(subtopic.prerequisites):
        other = base.by_id.get(needed)
        if other and DIFFICULTIES.index(other.difficulty) > DIFFICULTIES.index(subtopic.difficulty):
            what = _("`{name}` is harder than the subtopic that needs it.").format(name=needed)
            yield written.about("knowledge.harder", what, subtopic, "prerequisites", place)
    if not subtopic.sources and base.topics[subtopic.topic].kind == "course":
        yield written.about("knowledge.no-source", _("No source is given."), subtopic, "sources")
    if base.topics[subtopic.topic].kind == "faq" and subtopic.reviewed is None:
        for start, end in sentences(subtopic.content):
            if suspect(subtopic.content[start:end]):
                excerpt = subtopic.content[start:end][:60]
                what = _(
                    "Readers will not see this sentence, which reads like an order to a machine: “{excerpt}”"
                ).format(excerpt=excerpt)
                yield written.about(
                    "knowledge.not-shown",
                    what,
                    subtopic,
                    "content",
                    next=_("Read the entry, and note it in `reviewed`."),
                )
    for sentence in readability.sentences(subtopic.content):
        count = len(readability.words(sentence))
        if count > LONG_SENTENCE:
            what = _("A sentence has {count} words: “{excerpt}”").format(count=count, excerpt=sentence[:60] + "…")
            yield written.about("knowledge.long-sentence", what, subtopic, "content")


def _unreviewed(written: Written) -> Iterator[Problem]:
    waiting = [s.id for s in (written.topic.subtopics if written.topic else ()) if s.reviewed is None]
    if waiting:
        what = _("Not reviewed yet: {names}.").format(names=", ".join(waiting))
        yield written.problem(Finding("knowledge.not-reviewed", what, ("subtopics",)))


def _unused(base: Base, shown: str) -> Iterator[Problem]:
    """Drawings that no subtopic shows; those of a translation are looked at with it."""
    used = {path for subtopic in base if (path := base.diagram(subtopic.id))}
    others = tuple(each.folder for each in base.translations.values())
    for path in sorted(base.folder.rglob("*.svg")):
        if path.resolve() not in used and not any(path.is_relative_to(other) for other in others):
            what = _("No subtopic shows this drawing.")
            where = Location(f"{shown}/{path.relative_to(base.folder).as_posix()}")
            yield Problem("knowledge.drawing-unused", what, where)
