"""Where each key and value of solution.yaml stands, by its path."""

from __future__ import annotations

from dataclasses import dataclass, field

from compagnon.errors import Location
from compagnon.spec.text import LINE_BREAK, shorten

Path = tuple[str | int, ...]
"""Keys and list positions that lead to a place, such as ``("tables", "questions", "columns", "level")``."""

Position = tuple[int, int]
"""Line and column, from 1."""


def dotted(path: Path) -> str | None:
    """``path`` as one text, ``tables.questions.columns.level``; None for the whole file."""
    return ".".join(str(part) for part in path) or None


@dataclass
class Locator:
    """The positions of keys and values of one file."""

    file: str
    text: str = ""
    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)
    _lines: list[str] | None = None

    def key(self, path: Path) -> Location:
        """Where the key at ``path`` is written, else the nearest place around it."""
        return self._nearest(path, self.keys, self.values)

    def value(self, path: Path) -> Location:
        """Where the value at ``path`` begins, else the nearest place around it."""
        return self._nearest(path, self.values, self.keys)

    def at(self, line: int, column: int) -> Location:
        """The place at ``line`` and ``column``, with the text of the line."""
        if self._lines is None:
            self._lines = LINE_BREAK.split(self.text)
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        return Location(self.file, line, column, shorten(text, column))

    def _nearest(self, path: Path, first: dict[Path, Position], second: dict[Path, Position]) -> Location:
        while path:
            if position := first.get(path) or second.get(path):
                return self.at(*position)
            path = path[:-1]
            first, second = self.keys, self.values
        return self.at(1, 1)
