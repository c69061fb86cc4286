"""A document to take away, as values: what is said, not how it looks. ``document_file`` writes it as HTML or .docx.

Words are those of the document's language already, except the few that the form itself adds (contents, missing).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Language = Literal["fr", "en"]
LOCALES: dict[str, str] = {"fr": "fr-FR", "en": "en-US"}


@dataclass(frozen=True)
class Link:
    """A place elsewhere (``https:``, ``http:`` or ``mailto:``), and the words that lead there."""

    text: str
    target: str

    def __post_init__(self) -> None:
        if not self.target.startswith(("https://", "http://", "mailto:")):
            raise ValueError(f"not an address to follow: {self.target}")


@dataclass(frozen=True)
class Code:
    """A name as it stands in a file or a command."""

    text: str


@dataclass(frozen=True)
class Gap:
    """Information that is missing, marked: ``what`` says which, ``how`` where to give it. A block, a cell or inline."""

    what: str
    how: str = ""


Inline = str | Link | Code | Gap
Text = Inline | tuple[Inline, ...]
Cell = Text | int | float | None
"""A number is written as the language writes it (3 decimals at most) and stands to the right; None is a dash."""


@dataclass(frozen=True)
class Heading:
    """A heading inside the document; level 2 is a section (the title is level 1)."""

    text: str
    level: Literal[2, 3, 4] = 2


@dataclass(frozen=True)
class Paragraph:
    text: Text


@dataclass(frozen=True)
class List:
    """Items of equal rank; ``ordered`` where their order says something."""

    items: tuple[Text, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under headers. With ``row_header`` the first cell of a row names it. ``numeric``: columns to the right.

    Raises ValueError where a row has not as many cells as there are headers.
    """

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    row_header: bool = True
    numeric: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not self.headers or any(len(row) != len(self.headers) for row in self.rows):
            raise ValueError(f"a row of the table {self.caption!r} does not fit its headers")

    @property
    def right(self) -> frozenset[int]:
        """Columns that stand to the right: those asked for, and those of numbers alone."""
        found = set(self.numeric)
        for place in range(len(self.headers)):
            cells = [row[place] for row in self.rows if row[place] is not None]
            if cells and all(isinstance(cell, int | float) for cell in cells):
                found.add(place)
        return frozenset(found)


@dataclass(frozen=True)
class Figure:
    """A picture with what it says: ``alt`` in its place, a ``sentence`` under it, the same as a table.

    ``svg`` is one of ``render.chart``: it enters the page as it is. A .docx shows ``png``; without one, the sentence
    and the table stand for the picture.
    """

    alt: str
    sentence: str
    svg: str | None = None
    png: bytes | None = None
    table: Table | None = None

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ValueError("a figure without a text in its place")


@dataclass(frozen=True)
class Note:
    """A remark set apart from the text."""

    text: Text


Block = Heading | Paragraph | List | Table | Figure | Note | Gap


@dataclass(frozen=True)
class Document:
    """A whole document. ``at`` is the moment it tells of (that of a run): nothing in it depends on when it is written.

    Raises ValueError where a heading skips a level: readers by ear find their way by them.
    """

    title: str
    language: Language
    blocks: tuple[Block, ...]
    at: datetime | None = None
    subject: str = ""

    def __post_init__(self) -> None:
        level = 1
        for block in self.blocks:
            if isinstance(block, Heading):
                if block.level > level + 1:
                    raise ValueError(f"the heading {block.text!r} skips a level")
                level = block.level

    @property
    def locale(self) -> str:
        return LOCALES[self.language]

    @property
    def headings(self) -> tuple[Heading, ...]:
        return tuple(block for block in self.blocks if isinstance(block, Heading))

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Everything that is missing, in the order of the document."""
        return tuple(gap for block in self.blocks for gap in _gaps(block))


def inlines(text: Text) -> tuple[Inline, ...]:
    """The parts of a text."""
    return text if isinstance(text, tuple) else (text,)


def plain(text: str) -> str:
    """``text`` without the characters that XML cannot hold."""
    return "".join(
        c if (c >= " " or c in "\t\n") and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff" else " "
        for c in text
    )


def _gaps(block: Block) -> Iterator[Gap]:
    if isinstance(block, Gap):
        yield block
    elif isinstance(block, Paragraph | Note):
        yield from _of(inlines(block.text))
    elif isinstance(block, List):
        for item in block.items:
            yield from _of(inlines(item))
    elif isinstance(block, Table):
        for cell in (cell for row in block.rows for cell in row):
            yield from _of(cell if isinstance(cell, tuple) else (cell,))


def _of(parts: Iterable[object]) -> Iterator[Gap]:
    return (part for part in parts if isinstance(part, Gap))
