"""Defects of prose that a machine sees: doubled blanks and words, signs out of place, what was left unfinished."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from compagnon.i18n import N_

_CODE = re.compile(r"`[^`]*`|https?://\S+")
_TWICE = ("nous", "vous", "très", "bla")
"""Words that French may write twice in a row."""
_AROUND = 24
_ENDS = re.compile(r"[.!?…:;)»”`]$")

_ANY = (
    (re.compile(r"[^\S\n]{2,}"), N_("two blanks in a row")),
    (re.compile(r"\t"), N_("a tab")),
    (re.compile(r"\n{3,}"), N_("more than one blank line")),
    (re.compile(r"[^\S\n]+\n|\n[^\S\n]+"), N_("a blank at the end or the beginning of a line")),
    (re.compile(r"(?<=\w) [,.](?=\s|$)"), N_("a blank before a comma or a full stop")),
    (re.compile(r"[(\[] | [)\]]"), N_("a blank inside brackets")),
    (re.compile(r"[^\W\d_]{2,}[,;][^\W\d_]{2,}"), N_("no blank after a comma or a semicolon")),
    (re.compile(r"\b([^\W\d_]{2,}) \1\b", re.IGNORECASE), N_("a word twice in a row")),
    (re.compile(r"(?<![.,])(?:,,|;;|,\.|\.,)(?![.,])|(?<!\.)\.\.(?!\.)"), N_("two signs in a row")),
    (re.compile(r"\b(?:TODO|FIXME|XXX|lorem ipsum)\b", re.IGNORECASE), N_("something left to write")),
    (re.compile("\ufffd|&(?:[a-z]{2,8}|#\\d+);"), N_("a character that was not decoded")),
    (re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b\u2060\ufeff]"), N_("an invisible character")),
)
_QUOTED = re.compile(r"«[^»]*»")
_DOUBLE = re.compile(r"[^\W_][;!?](?=\s|$)|[^\W\d_]:(?=\s|$)")
_QUOTES = re.compile(r"«\S|\S»")
_PAIRS = (("(", ")", N_("a bracket without the other")), ("«", "»", N_("a quotation mark without the other")))


@dataclass(frozen=True)
class Defect:
    """What is wrong (an English message, to be translated) and the words around it."""

    what: str
    excerpt: str


def defects(text: str, language: str = "fr", *, sentences: bool = True) -> Iterator[Defect]:
    """What a machine sees wrong in ``text``; ``sentences`` says that its paragraphs end with a full stop.

    Code between backticks and addresses are not prose.
    """
    # As long as what it stands for, so that excerpts are cut at the right place.
    prose = _CODE.sub(lambda found: "x" * len(found[0]), text)
    if text != text.strip():
        yield Defect(N_("a blank at the beginning or the end"), _excerpt(text, 0 if text[:1].isspace() else len(text)))
    quoted = _QUOTED.sub(lambda found: "x" * len(found[0]), prose)
    # Words of programs and of other languages, quoted, have their own rules.
    rules = [(pattern, what, quoted) for pattern, what in _ANY]
    if language == "fr":
        rules += [(_DOUBLE, N_("no blank before a double sign"), quoted), (_QUOTES, N_("no blank inside « »"), prose)]
    for pattern, what, looked_at in rules:
        for found in pattern.finditer(looked_at):
            if found.lastindex and found[1].lower() in _TWICE:
                continue
            yield Defect(what, _excerpt(text, found.start()))
    for opening, closing, what in _PAIRS:
        where = prose if opening == "«" else quoted
        if where.count(opening) != where.count(closing):
            yield Defect(what, _excerpt(text, max(where.rfind(opening), where.rfind(closing))))
    if sentences:
        for paragraph in filter(None, (part.strip() for part in text.split("\n\n"))):
            if not _ENDS.search(paragraph):
                yield Defect(N_("a paragraph without its full stop"), _excerpt(paragraph, len(paragraph)))


def _excerpt(text: str, place: int) -> str:
    begin, end = max(0, place - _AROUND), min(len(text), place + _AROUND)
    shown = text[begin:end].replace("\n", "⏎").replace("\t", "⇥")
    return ("…" if begin else "") + shown + ("…" if end < len(text) else "")
