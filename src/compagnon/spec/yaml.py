"""YAML to plain data with the place of each key and value: safe, bounded, and without surprises.

Booleans and numbers are those of YAML 1.2's core schema, so that ``no``, ``on``, ``1:30`` and ``2024-01-01`` stay text.
Keys are texts as written. Tags, several documents, duplicate keys and aliases that explode are refused. Mistakes are
collected, not raised: a syntax error in one section does not hide those of the others.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from compagnon.errors import Location, Problem
from compagnon.i18n import _
from compagnon.spec.locator import Locator, Path, dotted
from compagnon.spec.text import LINE_BREAK
from compagnon.spec.yaml_errors import explain

MAX_NODES = 100_000
MAX_DEPTH = 100

_SECTION = re.compile(r"""^[^\s#\-\[\]{}"'&*!|>%@`?][^:\n]*:(?=\s|$)""", re.MULTILINE)
_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass
class _Node:
    line: int
    column: int


@dataclass
class _Scalar(_Node):
    text: str
    plain: bool


@dataclass
class _Sequence(_Node):
    items: list[_Node] = field(default_factory=list)


@dataclass
class _Mapping(_Node):
    pairs: list[tuple[_Node, _Node]] = field(default_factory=list)
    pending: _Node | None = None


class _Stop(Exception):
    """Composing cannot go on; the problem is already noted."""


@dataclass
class Document:
    """Plain data of a file, where each part stands, and what was wrong.

    ``unknown`` holds the paths whose value is not known; ``complete`` is false when sections could not be read.
    """

    data: Any
    locator: Locator
    problems: list[Problem] = field(default_factory=list)
    unknown: set[Path] = field(default_factory=set)
    complete: bool = True


Expand = Callable[[str], tuple[str | None, list[tuple[str, str, str | None]]]]
"""Expands one scalar: the new text, or None when it is not known, and (code, what, next) of each mistake."""


def parse(text: str, file: str, expand: Expand | None = None, bad_lines: Iterable[int | None] = ()) -> Document:
    """``text`` as plain data (dict, list, str, int, float, bool, None).

    Syntax errors in sections with one of ``bad_lines`` are left out: their cause is already known.
    """
    document = Document(None, Locator(file, text))
    root = _compose_all(text, document, {line for line in bad_lines if line is not None})
    if root is not None:
        document.data = _Converter(document, expand).convert_all(root)
    return document


def _compose_all(text: str, document: Document, bad_lines: Collection[int]) -> _Node | None:
    """The node tree; after a syntax error, that of the sections which can be read."""
    whole: list[Problem] = []
    try:
        root = _Composer(text, 0, document.locator, whole).compose()
    except _Stop:
        document.complete = False
    else:
        document.problems += whole
        return root
    sections = _Mapping(1, 1)
    in_sections: list[Problem] = []
    for part, first_line, last_line in _sections(text):
        found: list[Problem] = []
        with contextlib.suppress(_Stop):
            node = _Composer(part, first_line, document.locator, found).compose()
            sections.pairs += node.pairs if isinstance(node, _Mapping) else []
        explained = any(first_line < line <= last_line for line in bad_lines)
        in_sections += [p for p in found if not (explained or p.code == "spec.alias-unknown")]
    if not in_sections and not bad_lines:
        document.problems += whole
        return None
    document.problems += in_sections
    return sections


def _sections(text: str) -> Iterator[tuple[str, int, int]]:
    """The top-level sections of ``text``, with the number of lines before them and up to their end."""
    starts = [match.start() for match in _SECTION.finditer(text)]
    line = 0
    for begin, end in zip([0, *starts], [*starts, len(text)], strict=True):
        part = text[begin:end]
        last = line + len(LINE_BREAK.findall(part))
        if part.strip():
            yield part, line, max(last, line + 1)
        line = last


class _Composer:
    """Builds nodes from the events of PyYAML with a stack of its own: no recursion, bounded depth."""

    def __init__(self, text: str, first_line: int, locator: Locator, problems: list[Problem]) -> None:
        self.text = text
        self.first_line = first_line
        self.locator = locator
        self.problems = problems
        self.anchors: dict[str, _Node] = {}
        self.stack: list[_Sequence | _Mapping] = []
        self.root: _Node | None = None
        self.stopped = False

    def compose(self) -> _Node | None:
        documents = 0
        for event in self._events():
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._note("spec.documents", _("A second document begins here."), event, _("Keep one document."))
                    raise _Stop
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self.stack.pop()
        if self.stopped:
            raise _Stop
        return self.root

    def _events(self) -> Iterator[Any]:
        loader: Any = None
        try:
            loader = yaml.SafeLoader(self.text)
            while loader.check_event():
                yield loader.get_event()
        except yaml.MarkedYAMLError as error:
            what, next_, mark = explain(error, self.first_line, self._line_of(error))
            where = self._at(mark.line, mark.column) if mark else self._at(0, 0)
            self.problems.append(Problem("spec.syntax", what, where, next_))
            raise _Stop from None
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
            mark = loader.get_mark() if loader else None
            where = self._at(mark.line, mark.column) if mark else self._at(0, 0)
            self.problems.append(Problem("spec.syntax", _("This is not valid YAML."), where))
            raise _Stop from None

    def _node(self, event: Any) -> None:
        line, column = self._position(event.start_mark.line, event.start_mark.column)
        node: _Node
        if isinstance(event, yaml.AliasEvent):
            found = self.anchors.get(str(event.anchor))
            if found is None or any(found is open_ for open_ in self.stack):
                self._note(
                    "spec.alias-unknown" if found is None else "spec.alias-recursive",
                    _("`*{name}` repeats `&{name}`, which is not defined above.").format(name=event.anchor)
                    if found is None
                    else _("`*{name}` repeats `&{name}`, which contains it.").format(name=event.anchor),
                    event,
                )
                self.stopped = True
            self._place(found or _Scalar(line, column, "", True))
            return
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._note(
                "spec.tag",
                _("YAML tags such as `!name` are not allowed."),
                event,
                _("Delete the tag; put a text that begins with `!` in quotes."),
            )
        if isinstance(event, yaml.ScalarEvent):
            node = _Scalar(line, column, event.value, event.style is None and tag is None)
        elif isinstance(event, yaml.MappingStartEvent):
            node = _Mapping(line, column)
        else:
            node = _Sequence(line, column)
        self._place(node)
        if event.anchor:
            if event.anchor in self.anchors:
                self._note("spec.anchor", _("The anchor `&{name}` is defined twice.").format(name=event.anchor), event)
            self.anchors[event.anchor] = node
        if isinstance(node, (_Mapping, _Sequence)):
            self.stack.append(node)
            if len(self.stack) > MAX_DEPTH:
                self._note(
                    "spec.depth", _("More than {limit} levels inside each other.").format(limit=MAX_DEPTH), event
                )
                raise _Stop

    def _place(self, node: _Node) -> None:
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        if isinstance(parent, _Sequence):
            parent.items.append(node)
        elif parent.pending is None:
            parent.pending = node
        else:
            parent.pairs.append((parent.pending, node))
            parent.pending = None

    def _note(self, code: str, what: str, event: Any, next_: str | None = None) -> None:
        self.problems.append(Problem(code, what, self._at(event.start_mark.line, event.start_mark.column), next_))

    def _line_of(self, error: Any) -> str:
        mark = error.problem_mark
        return self._at(mark.line, mark.column).text or "" if mark else ""

    def _position(self, line: int, column: int) -> tuple[int, int]:
        return line + self.first_line + 1, column + 1

    def _at(self, line: int, column: int) -> Location:
        return self.locator.at(*self._position(line, column))


class _Converter:
    """Turns nodes into plain data; aliases are copied, within a bound."""

    def __init__(self, document: Document, expand: Expand | None) -> None:
        self.document = document
        self.locator = document.locator
        self.expand = expand
        self.count = 0

    def convert_all(self, root: _Node) -> Any:
        try:
            return self.convert(root, (), 1)
        except _Stop:
            self.document.complete = False
            return None

    def convert(self, node: _Node, path: Path, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_NODES:
            self._stop(
                node, "spec.too-many-values", _("More than {limit} values, aliases included.").format(limit=MAX_NODES)
            )
        if depth > MAX_DEPTH:
            self._stop(node, "spec.depth", _("More than {limit} levels inside each other.").format(limit=MAX_DEPTH))
        self.locator.values[path] = (node.line, node.column)
        if isinstance(node, _Mapping):
            return self._mapping(node, path, depth)
        if isinstance(node, _Sequence):
            return [self.convert(item, (*path, index), depth + 1) for index, item in enumerate(node.items)]
        return self._scalar(node, path) if isinstance(node, _Scalar) else None

    def _mapping(self, node: _Mapping, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.pairs:
            where = self.locator.at(key.line, key.column)
            if not isinstance(key, _Scalar):
                self._note("spec.key", _("A key must be a text."), where, path)
                continue
            name = key.text
            inside = (*path, name)
            if key.plain and name == "<<":
                self._note(
                    "spec.merge", _("Merging with `<<` is not supported."), where, path, _("Write the keys out.")
                )
            elif _NOT_TEXT.search(name):
                self._note("spec.control-character", _("This key holds a character that is not text."), where, path)
            elif name in found:
                line = self.locator.keys[inside][0]
                self._note(
                    "spec.duplicate-key",
                    _("The key `{key}` is given twice: first on line {line}, again here.").format(key=name, line=line),
                    where,
                    inside,
                    _("Delete one of the two, or rename it."),
                )
            else:
                self.locator.keys[inside] = (key.line, key.column)
                found[name] = self.convert(value, inside, depth + 1)
        return found

    def _scalar(self, node: _Scalar, path: Path) -> Any:
        text = node.text
        where = self.locator.at(node.line, node.column)
        if _NOT_TEXT.search(text):
            self._unknown("spec.control-character", _("This text holds a character that is not text."), where, path)
            return text
        if self.expand is not None and "${" in text:
            expanded, mistakes = self.expand(text)
            for code, what, next_ in mistakes:
                self._unknown(code, what, where, path, next_)
            if expanded is None or mistakes:
                return text
            text = expanded
        if not node.plain:
            return text
        value = resolve(text)
        if isinstance(value, float) and not math.isfinite(value):
            self._unknown(
                "spec.number", _("`{text}` is not a number that can be used here.").format(text=text), where, path
            )
            return text
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            self._unknown(
                "spec.number", _("This number has too many digits."), where, path, _("Quote it if it is a text.")
            )
            return text
        return value

    def _unknown(self, code: str, what: str, where: Location, path: Path, next_: str | None = None) -> None:
        self.document.unknown.add(path)
        self._note(code, what, where, path, next_)

    def _note(self, code: str, what: str, where: Location, path: Path, next_: str | None = None) -> None:
        self.document.problems.append(Problem(code, what, where, next_, dotted(path)))

    def _stop(self, node: _Node, code: str, what: str) -> None:
        self._note(code, what, self.locator.at(node.line, node.column), ())
        raise _Stop


def resolve(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar by YAML 1.2's core schema (section 10.3.2)."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < 40 else 2**64
    if _OCTAL_HEX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        return math.nan if text[-1] in "fFnN" else float(text)
    return text
