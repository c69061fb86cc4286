"""A course becomes a topic of the knowledge base: each of its headings a subtopic, its code examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compagnon.chain.workspace import explain_disk
from compagnon.errors import Location, UserError
from compagnon.i18n import _
from compagnon.scaffold.folder import slug
from compagnon.services.tutor.knowledge.blocks import Block, from_html, from_markdown
from compagnon.services.tutor.knowledge.model import BASE_VERSION, Difficulty
from compagnon.services.tutor.knowledge.reading import LARGEST, Reading, too_large
from compagnon.spec.text import decode

TEXTS = {".md": from_markdown, ".markdown": from_markdown, ".html": from_html, ".htm": from_html}
READERS = (*TEXTS, ".docx", ".pdf")
"""Ends of the names of courses; what a file is, its first bytes say."""
_EXAMPLE = re.compile(r"^(?:exemples?|examples?)\b", re.IGNORECASE)
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,62}$")


@dataclass(frozen=True)
class Imported:
    """The file of the topic that was written, and what a person should look at in it."""

    file: Path
    notes: tuple[str, ...] = ()


@dataclass
class _Part:
    """What stands under one heading."""

    title: str
    level: int
    texts: list[str] = field(default_factory=list)
    examples: list[dict[str, str]] = field(default_factory=list)


def import_course(
    path: Path, folder: Path, topic: str, *, level: Difficulty = "beginner", language: str = "fr", title: str = ""
) -> Imported:
    """Write the course in ``path`` as the topic ``topic`` of the base in ``folder``.

    A heading with text under it becomes a subtopic of difficulty ``level``; one that begins with « Exemple » becomes an
    example of the subtopic above it, and so does a block of code. Raises UserError; a topic that exists is left as it
    is.
    """
    if not _NAME.fullmatch(topic):
        what = _("`{name}` is not a valid name.").format(name=topic)
        next_ = _("Use lower-case letters, digits and `{separator}`, beginning with a letter.").format(separator="_")
        raise UserError("knowledge.topic-name", what, next=next_)
    target = folder / f"{topic}.json"
    course = read_course(path)
    made = topic_of(
        course.blocks, topic, level=level, language=language, title=title or path.stem, source=path.name
    )  # fmt: skip
    text = json.dumps(made, ensure_ascii=False, indent=2) + "\n"
    with explain_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError as error:
            raise UserError(
                "knowledge.topic-exists",
                _("The topic `{topic}` is already in the knowledge base.").format(topic=topic),
                next=_("Give another name with --topic; nothing was changed."),
            ) from error
    return Imported(target, course.notes)


def read_course(path: Path) -> Reading:
    """The blocks of the course in ``path``, and what was left out of it. Raises UserError."""
    try:
        if path.stat().st_size > LARGEST:
            raise too_large(path.name)
        content = path.read_bytes()
    except OSError as error:
        what = _("{path} cannot be read: {reason}").format(path=path, reason=error.strerror)
        raise UserError("knowledge.course-unreadable", what, where=Location(str(path))) from error
    if content.startswith(b"PK\x03\x04"):
        from compagnon.services.tutor.knowledge.word import from_word

        return from_word(content, path.name)
    if b"%PDF-" in content[:1024] and path.suffix.lower() not in TEXTS:
        from compagnon.services.tutor.knowledge.pdf import from_pdf

        return from_pdf(content, path.name)
    reader = TEXTS.get(path.suffix.lower())
    if reader is None:
        old = content.startswith(b"\xd0\xcf\x11\xe0")  # .doc; also a .docx behind a password
        what = (
            _("{path} is a Word file of the old form (.doc), or protected by a password.")
            if old
            else _("{path} is neither Markdown, HTML, Word (.docx) nor PDF.")
        )
        next_ = _("Save the course as Markdown (.md), HTML (.html), Word (.docx) or PDF (.pdf).")
        raise UserError("knowledge.course-format", what.format(path=path.name), next=next_)
    return Reading(tuple(reader(decode(content, path.name))))


def topic_of(
    blocks: Iterable[Block], topic: str, *, level: Difficulty, language: str, title: str, source: str
) -> dict[str, Any]:
    """The topic that ``blocks`` make, as it is written. Raises UserError ``knowledge.course-empty``."""
    parts = _parts(blocks)
    # One heading above all others, before any text, is the title of the course.
    top = [part for part in parts if part.level == 1]
    if len(top) == 1 and top[0] is parts[0] and not top[0].texts and len(parts) > 1:
        title = top[0].title
    kept = [part for part in parts if part.texts or part.examples]
    if not kept:
        raise UserError(
            "knowledge.course-empty",
            _("No heading with text under it was found."),
            next=_(
                "Give each notion a heading (## in Markdown, <h2> in HTML, a heading style in Word, larger letters in "
                "a PDF) and its text."
            ),
        )
    taken: set[str] = set()
    return {
        "version": BASE_VERSION,
        "topic": topic,
        "title": title,
        "language": language,
        "subtopics": [_subtopic(part, topic, taken, level, source) for part in kept],
    }


def _parts(blocks: Iterable[Block]) -> list[_Part]:
    parts: list[_Part] = []
    example: dict[str, str] | None = None
    for block in blocks:
        if block.kind == "heading" and parts and parts[-1].texts and _EXAMPLE.match(block.text):
            example = {"title": block.text, "text": ""}
            parts[-1].examples.append(example)
        elif block.kind == "heading":
            example = None
            parts.append(_Part(block.text, block.level))
        elif not parts:
            continue  # before the first heading: a summary, a menu
        elif block.kind == "code":
            _add_code(parts[-1], example, block)
        elif example is not None:
            example["text"] = f"{example['text']}\n\n{block.text}".strip()
        else:
            parts[-1].texts.append(block.text)
    for part in parts:
        part.examples = [each for each in part.examples if each["text"]]
    return parts


def _add_code(part: _Part, example: dict[str, str] | None, block: Block) -> None:
    language = block.language.lower() or "text"
    if example is not None and "code" not in example:
        example |= {"code": block.text, "language": language}
    else:
        said = part.texts[-1] if part.texts else part.title
        part.examples.append({"title": part.title, "text": said, "code": block.text, "language": language})


def _subtopic(part: _Part, topic: str, taken: set[str], level: Difficulty, source: str) -> dict[str, Any]:
    wanted = slug(part.title, between="_", fallback="part", longest=50)
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    taken.add(name)
    return {
        "id": f"{topic}.{name}",
        "title": part.title,
        "difficulty": level,
        "content": "\n\n".join(part.texts) or part.title,
        "examples": part.examples,
        "prerequisites": [],
        "misconceptions": [],
        "glossary": [],
        "sources": [{"title": source}],
    }
