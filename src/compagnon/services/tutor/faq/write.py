"""Entries added to the files of the base: what stands there is never changed, and each file is replaced whole."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compagnon.chain.workspace import explain_disk, write_atomically
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.scaffold.folder import slug
from compagnon.services.tutor.knowledge.model import BASE_VERSION, Topic
from compagnon.spec.text import MAX_BYTES


@dataclass(frozen=True)
class Entry:
    """A question and its answer, ready to be an entry; ``asked`` are other ways to ask it."""

    question: str
    answer: str
    asked: tuple[str, ...] = ()
    source: str = ""
    reviewed: tuple[str, str] | None = None
    """Day (2026-11-21) and name, where a person wrote or read it."""


@dataclass(frozen=True)
class Written:
    """One file of the base as it would be."""

    path: Path
    before: str
    after: str
    ids: tuple[str, ...]
    """Of the entries added, in their order."""

    def patch(self, shown: str) -> str:
        """The change as a unified diff, which ``git apply`` and ``patch -p1`` read; ``shown``: the folder's name."""
        name = f"{shown}/{self.path.name}"
        old = f"a/{name}" if self.before else "/dev/null"
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), old, f"b/{name}", lineterm="")
        return "".join(f"{line}\n" for line in lines)

    def save(self) -> None:
        """Put the file in its place; raises UserError where it changed meanwhile or cannot be written."""
        with explain_disk(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            now = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
            if now != self.before:
                raise UserError(
                    "faq.changed-meanwhile",
                    _("{file} was changed by somebody else meanwhile.").format(file=self.path.name),
                    next=_("Nothing was written; try again."),
                )
            write_atomically(self.path, self.after.encode())


def added(folder: Path, topic: str, title: str, entries: Iterable[Entry], *, language: str = "fr") -> Written:
    """The file of ``topic`` with ``entries`` at its end; a new one of this title where there is none.

    Raises UserError ``faq.course`` where the topic is a course.
    """
    path = folder / f"{topic}.json"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    data = json.loads(before) if before else _empty(topic, title, language)
    if data.get("kind") != "faq":
        raise UserError(
            "faq.course",
            _("The topic `{topic}` is a course, not a FAQ.").format(topic=topic),
            next=_("Give another name with --topic; nothing was changed."),
        )
    taken = {str(each.get("id", "")).partition(".")[2] for each in data["subtopics"]}
    made = [_subtopic(entry, topic, taken) for entry in entries]
    data["subtopics"] = [*data["subtopics"], *made]
    return _written(path, before, data, [each["id"] for each in made])


def also_asked(folder: Path, subtopic: str, questions: Iterable[str]) -> Written:
    """The file of an entry with ``questions`` among the other ways to ask it; those that are new."""
    path = folder / f"{subtopic.partition('.')[0]}.json"
    before = path.read_text(encoding="utf-8")
    data = json.loads(before)
    entry = next(each for each in data["subtopics"] if each["id"] == subtopic)
    entry["asked"] = list(dict.fromkeys([*entry.get("asked", ()), *questions]))
    return _written(path, before, data, [subtopic])


def _written(path: Path, before: str, data: dict[str, Any], ids: Sequence[str]) -> Written:
    after = json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    if len(after.encode()) > MAX_BYTES:
        raise UserError(
            "faq.file-too-large",
            _("{file} would be larger than {size} bytes.").format(file=path.name, size=MAX_BYTES),
            next=_("Part the entries by theme, or give another topic with --topic; nothing was changed."),
        )
    Topic.model_validate_json(after)
    return Written(path, before, after, tuple(ids))


def _empty(topic: str, title: str, language: str) -> dict[str, Any]:
    return {
        "version": BASE_VERSION, "topic": topic, "title": title, "language": language, "kind": "faq", "subtopics": [],
    }  # fmt: skip


def _subtopic(entry: Entry, topic: str, taken: set[str]) -> dict[str, Any]:
    wanted = slug(entry.question, between="_", fallback="q", longest=50)
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    taken.add(name)
    made: dict[str, Any] = {
        "id": f"{topic}.{name}",
        "title": entry.question,
        "difficulty": "beginner",
        "content": entry.answer,
    }
    if entry.asked:
        made["asked"] = list(entry.asked)
    if entry.source:
        made["sources"] = [{"title": entry.source}]
    if entry.reviewed:
        made["reviewed"] = {"date": entry.reviewed[0], "by": entry.reviewed[1]}
    return made
