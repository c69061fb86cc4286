"""From pieces of a text to its sentences, each with its citations, as soon as each is complete."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

LONGEST = 1200
"""Characters of a sentence; what goes on longer is cut there."""

_CITED = re.compile(r"\s*\[((?:passage\s*)?\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]", re.IGNORECASE)
_AFTER = r"[»”\")\]]*\s*(?:\[[^\]\n]{1,40}\][.\s]*)*"
_END = re.compile(rf"(?<!\bp)(?<!\bex)(?<!\betc)(?<!\bcf)(?<!\bfig)[.!?…]+{_AFTER}(?=\s*[^\s\[\].»”)])")
_BLANKS = re.compile(r"[ \t\r\n\f\v]+")
_LAST = re.compile(r" \[(\d+)\]$")
_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*#*$|\*\*([^*]+?)\s*:?\*\*\s*:?$")
_POINT = re.compile(r"(?:[-*•–]|\d{1,2}[.)])\s+")
_BOLD = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1|(?<!\w)[*_](?=\S)([^*_\n]+?)(?<=\S)[*_](?!\w)")


@dataclass(frozen=True)
class Draft:
    """One sentence, heading or block of code as somebody wrote it, not checked yet."""

    kind: Literal["heading", "text", "point", "code"]
    text: str
    cited: tuple[int, ...] = ()
    """Numbers of the passages that it names."""


class Splitter:
    """Gathers pieces; gives what is complete."""

    def __init__(self) -> None:
        self._rest = ""
        self._code: list[str] | None = None
        self._point = False

    def feed(self, piece: str) -> list[Draft]:
        """What is complete after ``piece``."""
        self._rest += piece
        found: list[Draft] = []
        while "\n" in self._rest:
            line, _newline, self._rest = self._rest.partition("\n")
            found += self._line(line)
        if self._code is None and self._rest and not self._rest.lstrip().startswith(("#", "`", "**")):
            found += self._early()
        return found

    def end(self) -> list[Draft]:
        """What was still open."""
        found = self._line(self._rest) if self._rest else []
        self._rest = ""
        if self._code is not None:
            found.append(Draft("code", "\n".join(self._code)))
            self._code = None
        return found

    def _line(self, line: str) -> list[Draft]:
        """The whole rest of a line."""
        if line.strip().startswith("```"):
            if self._code is None:
                self._code = []
                return []
            code, self._code = "\n".join(self._code), None
            return [Draft("code", code)] if code.strip() else []
        if self._code is not None:
            self._code.append(line)
            return []
        heading = _HEADING.match(line.strip())
        if heading:
            self._point = False
            return [Draft("heading", plain(heading[1] or heading[2]))]
        found = self._sentences(line, whole=True)[0]
        self._point = False
        return found

    def _early(self) -> list[Draft]:
        """Sentences that are complete before their line is."""
        found, self._rest = self._sentences(self._rest, whole=False)
        return found

    def _sentences(self, text: str, *, whole: bool) -> tuple[list[Draft], str]:
        stripped = text.lstrip()
        mark = _POINT.match(stripped)
        if mark:
            text, self._point = stripped[mark.end() :], True
        elif not whole and re.fullmatch(r"(?:[-*•–]|\d{1,2}[.)]?)\s*", stripped):
            return [], text
        found: list[Draft] = []
        start = 0
        for match in _END.finditer(text):
            found += self._draft(text[start : match.end()])
            start = match.end()
        rest = text[start:]
        while len(rest) > LONGEST:
            found += self._draft(rest[:LONGEST])
            rest = rest[LONGEST:]
        if whole:
            return [*found, *self._draft(rest)], ""
        if mark and not found:
            return [], stripped
        return found, rest

    def _draft(self, text: str) -> list[Draft]:
        numbers = [int(n) for found in _CITED.finditer(text) for n in re.findall(r"\d+", found[1])]
        words = plain(_CITED.sub("", text))
        if not re.search(r"\w", words):
            return []
        return [Draft("point" if self._point else "text", words, tuple(dict.fromkeys(numbers)))]


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
        for match in re.finditer(r"[.!?…]+[»”\")]*(?=\s+[^\sa-zà-ÿ]|\s*$)", line[0]):
            found.append((start, line.start() + match.end()))
            start = line.start() + match.end()
        found.append((start, line.end()))
    trimmed = ((s + len(text[s:e]) - len(text[s:e].lstrip()), s + len(text[s:e].rstrip())) for s, e in found)
    return [(start, end) for start, end in trimmed if end > start]
