"""From pieces of a text to its sentences, each with its citations, as soon as each is complete."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

LONGEST = 1200
"""Characters of a sentence; what goes on longer is cut there."""

_CITED = re.compile(r"\s*\[((?:passage\s*)?\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]", re.IGNORECASE)
_ABBREVIATIONS = "".join(rf"(?<!\b{each})" for each in ("p", "ex", "etc", "cf", "fig", "vs", r"e\.g", r"i\.e"))
# Blanks or a mark of citation after it, so that neither 0.001 nor model.fit ends a sentence. Nothing is given back
# (``++``): what is found in the beginning of a text is found in the whole, however it comes in pieces.
_END = re.compile(
    rf"(?<![.!?…]){_ABBREVIATIONS}[.!?…]++[»”\")\]]*+(?:(?:\s*+\[[^\]\n.!?…]{{1,40}}\][.\s]*+)++|\s++)(?=[^\s\[\].»”)])"
)
_ENDED = re.compile(r"[.!?…]+(?:\s*»|[”\")\].!?…])*(?=\s+[^\sa-zà-ÿ»]|\s*$)")
"""As ``_END``, in a passage: what follows begins with a capital letter, a figure or a mark."""
_BLANKS = re.compile(r"[ \t\r\n\f\v]+")
_LAST = re.compile(r" \[(\d+)\]$")
_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*#*$|\*\*([^*]+?)\s*:?\*\*\s*:?$")
_POINT = re.compile(r"(?:[-*•–]|\d{1,2}[.)])\s+")
_MAY_BE_POINT = re.compile(r"[-*•–]|\d{1,2}[.)]?")
_BOLD = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1|(?<!\w)[*_](?=\S)([^*_\n]+?)(?<=\S)[*_](?!\w)")


@dataclass(frozen=True)
class Draft:
    """One sentence, heading or block of code as somebody wrote it, not checked yet."""

    kind: Literal["heading", "text", "point", "code"]
    text: str
    cited: tuple[int, ...] = ()
    """Numbers of the passages that it names."""


class Splitter:
    """Gathers pieces; gives what is complete. However a text is cut into pieces, it gives the same drafts."""

    def __init__(self) -> None:
        self._rest = ""
        self._code: list[str] | None = None
        self._point = False
        self._begun = False
        """Whether sentences of the line were given: a mark in its rest makes neither a heading nor a point."""

    def feed(self, piece: str) -> list[Draft]:
        """What is complete after ``piece``."""
        self._rest += piece
        found: list[Draft] = []
        while "\n" in self._rest:
            line, _newline, self._rest = self._rest.partition("\n")
            found += self._line(line)
        if self._code is None and (self._begun or not self._rest.lstrip().startswith(("#", "`", "**"))):
            found += self._early()
        return found

    def end(self) -> list[Draft]:
        """What was still open."""
        found = self._line(self._rest) if self._rest else []
        self._rest = ""
        if self._code is not None:
            found += self._closed(self._code)
            self._code = None
        return found

    def _line(self, line: str) -> list[Draft]:
        """The whole rest of a line."""
        if not self._begun:
            if line.strip().startswith("```"):
                if self._code is None:
                    self._code = []
                    return []
                code, self._code = self._code, None
                return self._closed(code)
            if self._code is not None:
                self._code.append(line)
                return []
            heading = _HEADING.match(line.strip())
            if heading:
                return [Draft("heading", plain(heading[1] or heading[2]))]
            line = self._unmarked(line)
        cut, rest = _cut(line)
        found = self._drafts([*cut, rest])
        self._point = self._begun = False
        return found

    def _early(self) -> list[Draft]:
        """Sentences that are complete before their line is."""
        text = self._rest
        if not self._begun:
            if _MAY_BE_POINT.fullmatch(text.strip()):
                return []
            text = self._unmarked(text)
        cut, rest = _cut(text)
        if cut:
            self._rest, self._begun = rest, True
        return self._drafts(cut)

    def _unmarked(self, text: str) -> str:
        """The beginning of a line without the mark of a point, which is kept in mind."""
        stripped = text.lstrip()
        mark = _POINT.match(stripped)
        self._point = mark is not None
        return stripped[mark.end() :] if mark else stripped

    def _closed(self, code: list[str]) -> list[Draft]:
        text = "\n".join(code)
        return [Draft("code", text)] if text.strip() else []

    def _drafts(self, parts: list[str]) -> list[Draft]:
        return [draft for part in parts for draft in self._draft(part)]

    def _draft(self, text: str) -> list[Draft]:
        numbers = [int(n) for found in _CITED.finditer(text) for n in re.findall(r"\d+", found[1])]
        words = plain(_CITED.sub("", text))
        if not re.search(r"\w", words):
            return []
        return [Draft("point" if self._point else "text", words, tuple(dict.fromkeys(numbers)))]


def _cut(text: str) -> tuple[list[str], str]:
    """The sentences at the beginning of ``text`` that are complete, none too long, and what follows them."""
    found: list[str] = []
    while True:
        match = _END.search(text)
        if match and match.end() <= LONGEST:
            place = match.end()
        elif len(text) > LONGEST:
            place = LONGEST
        else:
            return found, text
        found.append(text[:place])
        text = text[place:]


def whole_lines(lines: Iterable[str]) -> Iterator[Draft]:
    """Drafts of lines that are each one whole already, as ``extract`` arranges them."""
    code: list[str] | None = None
    for line in lines:
        if line == "```":
            if code is not None:
                yield Draft("code", "\n".join(code))
            code = [] if code is None else None
        elif code is not None:
            code.append(line)
        elif line.startswith("## "):
            yield Draft("heading", line[3:])
        else:
            number = _LAST.search(line)
            text = line[: number.start()] if number else line
            cited = (int(number[1]),) if number else ()
            yield Draft("point" if text.startswith("- ") else "text", text.removeprefix("- "), cited)


def plain(text: str) -> str:
    """``text`` without marks of emphasis, its blanks made single."""
    text = _BOLD.sub(lambda match: match[2] or match[3], text)
    return _BLANKS.sub(" ", text).strip()


def sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a passage begin and end; blanks between them belong to none."""
    found: list[tuple[int, int]] = []
    for line in re.finditer(r"[^\n]+", text):
        start = line.start()
        for match in _ENDED.finditer(line[0]):
            found.append((start, line.start() + match.end()))
            start = line.start() + match.end()
        found.append((start, line.end()))
    trimmed = ((s + len(text[s:e]) - len(text[s:e].lstrip()), s + len(text[s:e].rstrip())) for s, e in found)
    return [(start, end) for start, end in trimmed if end > start]
