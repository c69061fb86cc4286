"""A course as a row of blocks (headings, paragraphs, code), whether it is written in Markdown or in HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)")
_BULLET = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+")
# Bounded, so that no text makes them slow.
_IMAGE = re.compile(r"!\[[^\[\]]{0,500}\]\([^()]{0,2000}\)")
_LINK = re.compile(r"\[([^\[\]]{1,500})\]\([^()]{0,2000}\)")
_MARKS = re.compile(r"(?<!\w)(\*\*|__|\*|_)(?=\S)(.{1,200}?)(?<=\S)\1(?!\w)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")


@dataclass(frozen=True)
class Block:
    """One block: ``level`` is that of a heading, ``language`` that of code."""

    kind: Literal["heading", "paragraph", "code"]
    text: str
    level: int = 0
    language: str = ""


def from_markdown(text: str) -> Iterator[Block]:
    """The blocks of a Markdown text: ATX headings, fenced code, paragraphs; each item of a list is a paragraph."""
    parts = _outside_code(text)
    lines = [part if part.startswith("```") else _TAG.sub(" ", _without_comments(part)) for part in parts]
    waiting: list[str] = []

    def paragraph() -> Iterator[Block]:
        said = _inline(" ".join(waiting))
        waiting.clear()
        if said:
            yield Block("paragraph", said)

    for line in "\n".join(lines).splitlines():
        if line.startswith("```"):  # one whole block of code: see _outside_code
            yield from paragraph()
            language, _sign, code = line[3:].partition("\x00")
            if code.strip("\x01 \t"):
                yield Block("code", code.replace("\x01", "\n"), language=language)
        elif found := _HEADING.match(line):
            yield from paragraph()
            if title := _inline(found[2]):
                yield Block("heading", title, level=len(found[1]))
        elif not line.strip():
            yield from paragraph()
        else:
            if _BULLET.match(line):
                yield from paragraph()
            waiting.append(_BULLET.sub("", line).lstrip("> ").strip())
    yield from paragraph()


def _outside_code(text: str) -> Iterator[str]:
    """The text, each block of code folded into one line: nothing in it is a heading or a mark."""
    prose: list[str] = []
    code: list[str] | None = None
    fence = language = ""
    for line in text.replace("\x00", "").replace("\x01", "").splitlines():
        found = _FENCE.match(line)
        if code is None and found:
            yield "\n".join(prose)
            prose, code, fence, language = [], [], found[1], found[2]
        elif code is not None and found and found[1].startswith(fence) and not found[2]:
            yield f"```{language}\x00" + "\x01".join(code)
            code = None
        elif code is not None:
            code.append(line)
        else:
            prose.append(line)
    yield "\n".join(prose) if code is None else f"```{language}\x00" + "\x01".join(code)


def _without_comments(text: str) -> str:
    """``text`` without HTML comments; one that does not end goes on to the end."""
    first, *others = text.split("<!--")
    return first + "".join(other.partition("-->")[2] for other in others)


def _inline(text: str) -> str:
    """The words of a text without the marks of Markdown; code between backticks is kept as it is."""
    parts = re.split(r"(`[^`]*`)", text)
    for place in range(0, len(parts), 2):
        said = _LINK.sub(r"\1", _IMAGE.sub("", parts[place]))
        parts[place] = _MARKS.sub(r"\2", _MARKS.sub(r"\2", said))
    return " ".join("".join(parts).split())


def from_html(text: str) -> Iterator[Block]:
    """The blocks of an HTML page: what a reader sees of it. Scripts, comments and hidden elements are left out."""
    from lxml import etree

    parser = etree.HTMLParser(remove_comments=True, remove_pis=True, no_network=True, encoding="utf-8")
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:  # nothing in it is an element
        return
    if root is not None:
        reader = _Reader()
        reader.read(root)
        reader.end_block()
        yield from reader.blocks


_SKIPPED = {"script", "style", "noscript", "template", "head", "nav", "footer", "aside", "form", "svg", "math"}
_SKIPPED |= {"iframe", "object"}
_BLOCKS = {"p", "div", "section", "article", "main", "li", "dt", "dd", "td", "th", "tr", "blockquote", "figcaption"}
_BLOCKS |= {"ul", "ol", "dl", "table", "body", "pre"}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])")


class _Reader:
    """Walks through a page; the parser bounds its depth."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._words: list[str] = []

    def read(self, element: Any) -> None:
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag and not _is_hidden(tag, element):
            level = int(tag[1]) if re.fullmatch("h[1-6]", tag) else 0
            if level or tag in _BLOCKS:
                self.end_block()
            if tag == "pre":
                self._code(element)
            else:
                self._words.append(" " if tag == "br" else element.text or "")
                for child in element:
                    self.read(child)
            if level or tag in _BLOCKS:
                self.end_block(level)
        self._words.append(element.tail or "")

    def end_block(self, level: int = 0) -> None:
        """What was read since the last block is one: a heading of ``level``, or a paragraph."""
        words, self._words = " ".join("".join(self._words).split()), []
        if words:
            self.blocks.append(Block("heading" if level else "paragraph", words, level=level))

    def _code(self, element: Any) -> None:
        code = "".join(element.itertext()).strip("\n")
        named = [element.get("class") or "", *(child.get("class") or "" for child in element.iter("code"))]
        found = re.search(r"(?:language|lang)-([\w+#.-]+)", " ".join(named))
        if code.strip():
            self.blocks.append(Block("code", code, language=found[1] if found else ""))


def _is_hidden(tag: str, element: Any) -> bool:
    """Whether a reader of the page would not see the element."""
    style = (element.get("style") or "").lower()
    return (
        tag in _SKIPPED
        or element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or bool(_HIDDEN.search(style))
    )
