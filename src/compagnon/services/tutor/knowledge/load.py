"""Reading the knowledge base: every mistake at once, each with its file, subtopic, field and line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from compagnon.errors import Location, Problem, UserError, UserErrors
from compagnon.i18n import _
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.model import BASE_VERSION, Language, Subtopic, Topic
from compagnon.services.tutor.knowledge.place import locate
from compagnon.spec.finding import Finding
from compagnon.spec.locator import Locator
from compagnon.spec.locator import Path as Place
from compagnon.spec.shape import findings
from compagnon.spec.text import read_text


class _Duplicate(ValueError):
    """A key written twice in one object of a JSON document."""


@dataclass
class Written:
    """One file as it is written: its text, what could be read of it, and its mistakes."""

    file: str
    text: str = ""
    data: Any = None
    topic: Topic | None = None
    """The topic, without the subtopics whose shape is wrong."""
    places: dict[str, int] = field(default_factory=dict)
    """Where each subtopic of ``topic`` stands in the list of the file."""
    problems: list[Problem] = field(default_factory=list)
    _locator: Locator | None = None

    def problem(self, finding: Finding) -> Problem:
        """``finding`` with its line, and the subtopic that it is about in its words and path."""
        if self._locator is None:
            self._locator = locate(self.text, self.file)
        found = finding.located(self._locator)
        owner = self._owner(finding.path)
        if owner is None:
            return found
        inside = ".".join(str(part) for part in finding.path[2:])
        what = f"{owner}, {inside}: {found.what}" if inside else f"{owner}: {found.what}"
        return replace(found, what=what, path=f"{owner}.{inside}" if inside else owner)

    def about(self, code: str, what: str, subtopic: Subtopic, *inside: str | int, next: str | None = None) -> Problem:
        """A problem of a subtopic that could be read, at the field ``inside`` it."""
        return self.problem(Finding(code, what, ("subtopics", self.places[subtopic.id], *inside), next))

    @property
    def ids(self) -> frozenset[str]:
        """Ids of the subtopics that are written, those whose shape is wrong included."""
        subtopics = self.data.get("subtopics") if isinstance(self.data, dict) else None
        found = [s.get("id") for s in subtopics if isinstance(s, dict)] if isinstance(subtopics, list) else []
        return frozenset(name for name in found if isinstance(name, str))

    def _owner(self, path: Place) -> str | None:
        """The id of the subtopic at ``path``, else its place in the list."""
        if len(path) < 2 or path[0] != "subtopics" or not isinstance(path[1], int):
            return None
        written = self.data["subtopics"][path[1]]
        name = written.get("id") if isinstance(written, dict) else None
        return name if isinstance(name, str) and name else f"subtopics.{path[1]}"


def load(folder: Path, *, shown: str = "knowledge") -> Base:
    """The base in ``folder``, whose files messages call ``shown/TOPIC.json``.

    Its translations stand in folders named after their language: ``en/TOPIC.json``, with the same ids. Raises
    UserErrors with every mistake of shape; ``check.check`` reports what else can be wrong with a base.
    """
    files = read(folder, shown=shown)
    editions = {language: read(folder / language, shown=f"{shown}/{language}") for language in languages(folder)}
    problems = [problem for some in (files, *editions.values()) for written in some for problem in written.problems]
    if problems:
        raise UserErrors(problems)
    return base_of(folder, files, {each: base_of(folder / each, some) for each, some in editions.items()})


def base_of(folder: Path, files: Iterable[Written], translations: Mapping[str, Base] | None = None) -> Base:
    """The base made of what could be read of ``files``, with its translations."""
    topics = {written.topic.topic: written.topic for written in files if written.topic is not None}
    for language, base in (translations or {}).items():
        for subtopic in base:
            subtopic.of_edition(language)
    return Base(folder, topics, dict(translations or {}))


def languages(folder: Path) -> list[str]:
    """The languages into which the base in ``folder`` is translated."""
    return [language for language in get_args(Language) if any((folder / language).glob("*.json"))]


def stamp(folder: Path) -> tuple[tuple[str, int], ...]:
    """What changes when a file of the base in ``folder``, or of a translation, does."""
    places = (folder, *(folder / language for language in languages(folder)))
    paths = [path for place in places for path in sorted(place.glob("*.json"))]
    return tuple((str(path.relative_to(folder)), path.stat().st_mtime_ns) for path in paths)


def read(folder: Path, *, shown: str = "knowledge") -> list[Written]:
    """Every file of the base in ``folder``, in the order of their names; raises UserError ``knowledge.none``."""
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not paths:
        raise UserError(
            "knowledge.none",
            _("There is no knowledge base in {folder}.").format(folder=folder),
            next=_("Put one JSON file for each topic there, or import a course: compagnon knowledge import FILE"),
        )
    files = [_read(path, f"{shown}/{path.name}") for path in paths]
    _refuse_twins(files)
    return files


def _read(path: Path, file: str) -> Written:
    written = Written(file)
    try:
        written.text = read_text(path, file)
        written.data = json.loads(written.text, object_pairs_hook=_once, parse_constant=_no_constant)
    except UserError as error:
        written.problems += error.problems
        return written
    except _Duplicate as error:
        what = _("The key `{key}` is written twice in one object.").format(key=error)
        written.problems.append(Problem("knowledge.duplicate-key", what, Location(file), _("Keep one of the two.")))
        return written
    except (ValueError, RecursionError) as error:
        written.problems.append(_not_json(error, written))
        return written
    _validate(written, path.stem)
    return written


def _validate(written: Written, stem: str) -> None:
    data = written.data
    if not isinstance(data, dict):
        what = _("{file} must be an object (`{{...}}`).").format(file=written.file)
        written.problems.append(Problem("knowledge.not-an-object", what, Location(written.file)))
        return
    version = data.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > BASE_VERSION:
        what = _("This file is of version {found}; this Compagnon reads version {known}.")
        next_ = _("Install a newer Compagnon: pip install --upgrade compagnon")
        finding = Finding(
            "knowledge.newer-version", what.format(found=version, known=BASE_VERSION), ("version",), next_
        )
        written.problems.append(written.problem(finding))
        return
    found: list[Finding] = []
    topic: Topic | None
    try:
        topic = Topic.model_validate_json(written.text)
        kept = list(range(len(topic.subtopics)))
    except ValidationError as error:
        found = _without_echo(findings(error, Topic, data), data)
        topic, kept = _partly(data, {f.path[1] for f in found if len(f.path) > 1 and f.path[0] == "subtopics"})
    written.problems += [written.problem(finding) for finding in found]
    if topic is None:
        return
    written.topic = topic
    written.places = {subtopic.id: place for subtopic, place in zip(topic.subtopics, kept, strict=True)}
    _names(written, stem, kept)


def _without_echo(found: list[Finding], data: dict[str, Any]) -> list[Finding]:
    """``found`` without the list of subtopics being empty, where it is so only because all of them are wrong."""
    echo = ("subtopics",) if data.get("subtopics") else None
    return [finding for finding in found if finding.path != echo or finding.code != "spec.empty"]


def _partly(data: dict[str, Any], broken: set[str | int]) -> tuple[Topic | None, list[int]]:
    """The topic without its ``broken`` subtopics, and which ones are kept; None if nothing can be."""
    subtopics = data.get("subtopics")
    if not isinstance(subtopics, list):
        return None, []
    kept = [place for place in range(len(subtopics)) if place not in broken]
    try:
        whole = {**data, "subtopics": [subtopics[place] for place in kept]}
        return Topic.model_validate_json(json.dumps(whole)), kept
    except ValidationError:
        return None, []


def _names(written: Written, stem: str, kept: list[int]) -> None:
    """The file is named after its topic, and so begins the id of each subtopic; an id stands once."""
    topic = written.topic
    assert topic is not None
    if topic.topic != stem:
        what = _("The topic is `{topic}`, and the file is named {file}.").format(topic=topic.topic, file=written.file)
        next_ = _("Name the file {name}.json, or correct the topic.").format(name=topic.topic)
        written.problems.append(written.problem(Finding("knowledge.file-name", what, ("topic",), next_)))
    seen: set[str] = set()
    for subtopic, place in zip(topic.subtopics, kept, strict=True):
        path: Place = ("subtopics", place, "id")
        if subtopic.topic != topic.topic:
            what = _("This id does not begin with the topic `{topic}`.").format(topic=topic.topic)
            written.problems.append(written.problem(Finding("knowledge.id", what, path)))
        if subtopic.id in seen:
            what = _("This id is already taken.")
            written.problems.append(written.problem(Finding("knowledge.id-twice", what, path)))
        seen.add(subtopic.id)


def _refuse_twins(files: list[Written]) -> None:
    """Two files of one topic: one of them has the wrong name, and would replace the other."""
    seen: dict[str, str] = {}
    for written in files:
        if written.topic is None:
            continue
        first = seen.setdefault(written.topic.topic, written.file)
        if first != written.file:
            what = _("The topic `{topic}` is already in {file}.").format(topic=written.topic.topic, file=first)
            written.problems.append(written.problem(Finding("knowledge.topic-twice", what, ("topic",))))
            written.topic = None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise _Duplicate(key)
        made[key] = value
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(_("{name} is not a JSON value").format(name=name))


def _not_json(error: ValueError | RecursionError, written: Written) -> Problem:
    """Where a document stops being JSON."""
    where, reason = Location(written.file), str(error)
    if isinstance(error, json.JSONDecodeError):
        where, reason = Locator(written.file, written.text).at(error.lineno, error.colno), error.msg
    elif isinstance(error, RecursionError):
        reason = _("it is nested too deep")
    return Problem(
        "knowledge.not-json", _("{file} is not JSON: {reason}.").format(file=written.file, reason=reason), where
    )
