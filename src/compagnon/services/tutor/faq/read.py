"""Questions and answers read from a file: CSV, JSON, JSON Lines, Markdown or HTML."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compagnon.errors import Location, UserError
from compagnon.i18n import _
from compagnon.services.tutor.knowledge.blocks import Block, from_html, from_markdown
from compagnon.services.tutor.search.words import fold

LARGEST = 20_000_000
"""Bytes of a file."""
MOST = 20_000
"""Questions of a file."""
QUESTION = ("question", "questions", "intitule", "titre", "title", "demande", "q")
ANSWER = ("reponse", "reponses", "answer", "answers", "contenu", "content", "texte", "text", "context", "r", "a")
THEME = ("theme", "themes", "categorie", "category", "rubrique", "topic", "sujet", "section")
"""Names of columns and keys, the first that stands in a row counts; case and accents do not."""


@dataclass(frozen=True)
class Raw:
    """One question and its answer as they are written; what is absent is empty."""

    place: str
    """Where it stands, for messages: ``line 12``."""
    question: str
    answer: str
    theme: str = ""


def read(path: Path) -> list[Raw]:
    """The questions and answers of the file ``path``, told by the end of its name. Raises UserError."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UserError(
            "faq.format",
            _("{path} is not a FAQ that can be read.").format(path=path.name),
            next=_("Save it as one of: {endings}.").format(endings=", ".join(READERS)),
        )
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(
                "faq.too-large",
                _("{path} is larger than {most} MB.").format(path=path.name, most=LARGEST // 1_000_000),
                next=_("Cut it into several files."),
            )
        text = _decoded(path.read_bytes())
    except OSError as error:
        what = _("{path} cannot be read: {reason}").format(path=path, reason=error.strerror)
        raise UserError("faq.unreadable", what, where=Location(str(path))) from error
    found: list[Raw] = []
    for raw in reader(text, path.name):
        found.append(raw)
        if len(found) > MOST:
            raise UserError(
                "faq.too-many",
                _("{path} holds more than {most} questions.").format(path=path.name, most=MOST),
                next=_("Cut it into several files."),
            )
    if not found:
        raise UserError(
            "faq.empty",
            _("{path} holds no question with its answer.").format(path=path.name),
            next=_(
                "Columns or keys are named question, answer and theme; in Markdown and HTML, each question is a "
                "heading with its answer under it."
            ),
        )
    return found


def _decoded(content: bytes) -> str:
    """Text in UTF-8, else in UTF-16 with its mark, else as spreadsheets of Windows write it; bytes without a meaning
    there become a sign that ``mend.clean`` takes away."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _csv(text: str, file: str) -> Iterator[Raw]:
    head = text.partition("\n")[0]
    mark = max(";,\t|", key=head.count)
    # A cell is one answer at most, not the whole file.
    csv.field_size_limit(LARGEST)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        names = next(rows, [])
        for row in rows:
            if any(cell.strip() for cell in row):
                place = _("line {line}").format(line=rows.line_num)
                yield _raw(dict(zip(names, row, strict=False)), place)
    except csv.Error as error:
        raise UserError(
            "faq.broken",
            _("{path} cannot be read as CSV: {reason}").format(path=file, reason=error),
            where=Location(file, rows.line_num),
        ) from error


def _json(text: str, file: str) -> Iterator[Raw]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise UserError(
            "faq.broken",
            _("{path} is not JSON: {reason}").format(path=file, reason=error),
            where=Location(file, line),
        ) from error
    for number, (row, theme) in enumerate(_rows(data), 1):
        raw = _raw(row, _("entry {number}").format(number=number))
        yield Raw(raw.place, raw.question, raw.answer, raw.theme or theme)


def _json_lines(text: str, file: str) -> Iterator[Raw]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = _("line {line}").format(line=number)
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield Raw(place, "", "")
            continue
        yield _raw(row if isinstance(row, dict) else {}, place)


def _rows(data: Any, theme: str = "") -> Iterator[tuple[Mapping[str, Any], str]]:
    """Rows of the usual forms: a list, a list under a key, lists by theme, and SQuAD (paragraphs with questions)."""
    if isinstance(data, list):
        for each in data:
            if isinstance(each, dict) and isinstance(each.get("paragraphs"), list):
                yield from _squad(each)
            else:
                yield (each if isinstance(each, dict) else {}), theme
    elif isinstance(data, dict):
        lists = {key: value for key, value in data.items() if isinstance(value, list)}
        for key, value in lists.items():
            plain = key in ("data", "faq", "items", "entries", "questions", "rows", "results")
            yield from _rows(value, "" if plain else key)
        if not lists:
            yield data, theme


def _squad(article: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """An answer may be cut into several paragraphs, each with the same question."""
    answers: dict[str, list[str]] = {}
    for paragraph in article["paragraphs"]:
        questions = paragraph.get("qas") if isinstance(paragraph, dict) else None
        for each in questions if isinstance(questions, list) else ():
            question = each.get("question") if isinstance(each, dict) else None
            said = answers.setdefault(str(question or ""), [])
            if (context := str(paragraph.get("context") or "")) not in said:
                said.append(context)
    for question, said in answers.items():
        yield {"question": question, "answer": said}, _text(article, THEME)


def _raw(row: Mapping[str, Any], place: str) -> Raw:
    return Raw(place, _text(row, QUESTION), _text(row, ANSWER), _text(row, THEME))


def _text(row: Mapping[str, Any], names: Iterable[str]) -> str:
    folded = {fold(str(key)).strip(): value for key, value in row.items() if key}
    for name in names:
        value = folded.get(name)
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            value = "\n\n".join(value)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            return str(value)
    return ""


def _headings(blocks: Callable[[str], Iterator[Block]]) -> Callable[[str, str], Iterator[Raw]]:
    """Each heading with text under it is a question; one above it without text, its theme."""

    def reader(text: str, _file: str) -> Iterator[Raw]:
        above: dict[int, str] = {}
        question, level, said, number = "", 0, list[str](), 0
        for block in blocks(text):
            if block.kind == "heading":
                if question and said:
                    number += 1
                    yield Raw(_("entry {number}").format(number=number), question, "\n\n".join(said), _above(above))
                elif question:
                    above = {depth: title for depth, title in above.items() if depth < level} | {level: question}
                above = {depth: title for depth, title in above.items() if depth < block.level}
                question, level, said = block.text, block.level, []
            elif question:
                said.append(block.text)
        if question and said:
            yield Raw(_("entry {number}").format(number=number + 1), question, "\n\n".join(said), _above(above))

    return reader


def _above(above: Mapping[int, str]) -> str:
    """The nearest heading above; the title of the page, which stands above all, is no theme."""
    depth = max(above, default=0)
    return above[depth] if depth > 1 else ""


READERS: dict[str, Callable[[str, str], Iterator[Raw]]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".md": _headings(from_markdown),
    ".markdown": _headings(from_markdown),
    ".html": _headings(from_html),
    ".htm": _headings(from_html),
}
"""What reads a file, by the end of its name."""
