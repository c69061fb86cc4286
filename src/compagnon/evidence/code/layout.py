"""Compiled SQL made readable: one expression a line, each under the comment that says which rule it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

WIDTH = 120
_ALONE = re.compile(r"\(\n([^\n]*)\n\)")
_TARGET = re.compile(r'AS "((?:[^"]|"")+)"\s*$')


def outside(sql: str) -> Iterator[tuple[int, str, int]]:
    """Place, character and depth of brackets of what stands outside quotes and comments."""
    depth, place = 0, 0
    while place < len(sql):
        character = sql[place]
        if character in "'\"":
            place = _closing(sql, place, character)
        elif sql.startswith("--", place):
            place = _end(sql.find("\n", place), sql)
        elif sql.startswith("/*", place):
            place = _end(sql.find("*/", place), sql) + 1
        else:
            depth -= character in ")]}"
            yield place, character, depth
            depth += character in "([{"
        place += 1


def _closing(sql: str, start: int, mark: str) -> int:
    end = sql.find(mark, start + 1)
    while end >= 0 and sql.startswith(mark, end + 1):
        end = sql.find(mark, end + 2)
    return _end(end, sql)


def _end(place: int, sql: str) -> int:
    return len(sql) if place < 0 else place


def split(sql: str, mark: str = ",") -> list[str]:
    """The parts of ``sql`` between marks that no bracket, quote or comment encloses."""
    cuts = [place for place, character, depth in outside(sql) if character == mark and depth == 0]
    return [sql[start:end].strip() for start, end in zip([0, *(c + 1 for c in cuts)], [*cuts, len(sql)], strict=True)]


def layers(sql: str) -> tuple[list[tuple[str, str]], str]:
    """The common table expressions of ``WITH a AS (...), ... SELECT`` by name, and the SELECT at the end."""
    found: list[tuple[str, str]] = []
    rest = sql.removeprefix("WITH ")
    while match := re.match(r'"((?:[^"]|"")+)" AS \(', rest):
        start = match.end()
        end = start + next(p for p, c, depth in outside(rest[start:]) if c == ")" and depth == -1)
        found.append((match[1], rest[start:end]))
        rest = rest[end + 1 :].lstrip(",").lstrip("\n")
    return found, rest


def selected(body: str) -> tuple[list[str], list[str], str]:
    """Of ``SELECT *, ... FROM x``: expressions that replace a column, all others, and ``x``."""
    items, _from, relation = body.removeprefix("SELECT ").rpartition(" FROM ")
    parts = split(items)
    replaced: list[str] = []
    if parts[0].startswith("* REPLACE ("):
        replaced = split(parts[0].removeprefix("* REPLACE (").removesuffix(")"))
        parts[0] = "*"
    return replaced, parts, relation


def target(item: str) -> str:
    """The column that an expression makes; empty where it has no name."""
    match = _TARGET.search(item)
    return match[1].replace('""', '"') if match else ""


def tidied(sql: str) -> str:
    """``sql`` with an expression of one line on the line of its brackets (apart, a comment could not hide one)."""
    pieces, start = [], 0
    for place, character, _depth in outside(sql):
        match = _ALONE.match(sql, place) if character == "(" and place >= start else None
        if match and "--" not in match[1]:
            pieces += [sql[start:place], f"({match[1].strip()})"]
            start = match.end()
    return "".join(pieces) + sql[start:]


def wrapped(item: str, indent: int) -> str:
    """``item`` with line breaks after commas where a line would be too long."""
    pieces, start, line = [], 0, indent
    commas = [place + 1 for place, character, _depth in outside(item) if character == ","]
    for comma in [*commas, len(item)]:
        piece = item[start:comma]
        newline = piece.rfind("\n")
        if line + len(piece) > WIDTH and line > indent and newline < 0:
            pieces.append("\n" + " " * (indent + 4) + piece.lstrip())
            line = indent + 4 + len(piece.lstrip())
        else:
            pieces.append(piece)
            line = len(piece) - newline if newline >= 0 else line + len(piece)
        start = comma
    return "".join(pieces)


def comment(text: str, indent: int = 0) -> str:
    """``text`` as SQL comment lines."""
    margin = " " * indent + "-- "
    return "\n".join(margin + line for line in text.splitlines() or [""])
