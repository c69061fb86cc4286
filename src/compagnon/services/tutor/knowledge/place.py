"""Where each key and value of a JSON document stands, so that a mistake can be shown with its line."""

from __future__ import annotations

import re
from bisect import bisect_right
from json import decoder

from compagnon.spec.locator import Locator, Path, Position
from compagnon.spec.text import LINE_BREAK

_string = decoder.scanstring  # type: ignore[attr-defined]  # the typeshed leaves it out
_BLANK = re.compile(r"[\s,:]*")
_SCALAR = re.compile(r"[^\s,\]}]+")


def locate(text: str, file: str) -> Locator:
    """The positions of ``text``, a valid JSON document, shown to the user as ``file``."""
    scan = _Scan(text)
    scan.value(0, ())
    return Locator(file, text, scan.keys, scan.values)


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = [0, *(found.end() for found in LINE_BREAK.finditer(text))]
        self.keys: dict[Path, Position] = {}
        self.values: dict[Path, Position] = {}

    def value(self, offset: int, path: Path) -> int:
        """Note the value that begins at or after ``offset``; returns where it ends."""
        offset = self._skip(offset)
        self.values[path] = self._position(offset)
        opening = self.text[offset]
        if opening == '"':
            return int(_string(self.text, offset + 1)[1])
        if opening not in "{[":
            found = _SCALAR.match(self.text, offset)
            assert found is not None
            return found.end()
        offset, index = self._skip(offset + 1), 0
        while self.text[offset] not in "]}":
            part: str | int = index
            if opening == "{":
                start = offset
                part, offset = _string(self.text, offset + 1)
                self.keys[(*path, part)] = self._position(start)
            offset, index = self._skip(self.value(offset, (*path, part))), index + 1
        return offset + 1

    def _skip(self, offset: int) -> int:
        found = _BLANK.match(self.text, offset)
        assert found is not None
        return found.end()

    def _position(self, offset: int) -> Position:
        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1
