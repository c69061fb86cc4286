"""Reading the text of solution.yaml: size, encoding, and characters that do not belong there."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from compagnon.errors import Location, Problem, UserError
from compagnon.i18n import _

MAX_BYTES = 1_000_000
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What the YAML reader counts as the end of a line."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BLOCK_TEXT = re.compile(r"(?:^|[:\-]\s+|\s)[|>][+\-0-9]{0,2}\s*(?:#.*)?$")
_INDENT = re.compile(r"[ \t]*")
_WIDTH = 160


def read_text(path: Path, file: str) -> str:
    """The text of ``path``, shown to the user as ``file``.

    Raises UserError when it is absent, unreadable, over 1 MB or not UTF-8.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UserError("spec.not-a-file", _("{file} is not a file.").format(file=file), where=Location(file))
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UserError(
            "spec.not-found",
            _("There is no {file} in {folder}.").format(file=file, folder=path.parent),
            where=Location(file),
            next=_("Go to the folder of a solution, or make one with: compagnon new DIR"),
        ) from None
    except OSError as error:
        raise UserError(
            "spec.unreadable",
            _("{file} cannot be read: {reason}.").format(file=file, reason=error.strerror or type(error).__name__),
            where=Location(file),
        ) from None
    return decode(content, file)


def decode(content: bytes, file: str) -> str:
    """``content`` as text, without its byte order mark. Raises UserError over 1 MB or when it is not UTF-8."""
    if len(content) > MAX_BYTES:
        raise UserError(
            "spec.too-large",
            _("{file} is larger than {size} bytes.").format(file=file, size=MAX_BYTES),
            where=Location(file),
            next=_("Move data, lists of values and queries to files of their own."),
        )
    if wide := _wide_encoding(content):
        raise _encoding_error(file, wide)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
        before = content[:offset]
        begin = before.rfind(b"\n") + 1
        end = content.find(b"\n", offset)
        line = content[begin : end if end >= 0 else len(content)]
        where = Location(
            file,
            before.count(b"\n") + 1,
            len(content[begin:offset].decode("utf-8-sig", errors="replace")) + 1,
            shorten(_UNPRINTABLE.sub("\ufffd", line.decode("cp1252", errors="replace")), offset - begin + 1),
        )
        raise _encoding_error(file, "Windows-1252" if _is_windows(content) else "ISO-8859-1 (Latin-1)", where) from None


def flaws(text: str, file: str) -> list[Problem]:
    """Control characters and tabs used as indentation, each with its line; the text of a block may hold tabs."""
    found: list[Problem] = []
    block: int | None = None
    for number, line in enumerate(LINE_BREAK.split(text), 1):
        if bad := _UNPRINTABLE.search(line):
            column = bad.start() + 1
            shown = shorten(_UNPRINTABLE.sub("\ufffd", line), column)
            found.append(
                Problem(
                    "spec.control-character",
                    _("Character U+{code:04X} is not allowed.").format(code=ord(bad[0])),
                    Location(file, number, column, shown),
                    _("Delete it; an editor may show it as a blank."),
                )
            )
        indent = _INDENT.match(line)
        blanks = indent[0] if indent else ""
        if not line.strip():
            continue
        spaces = len(blanks) - len(blanks.lstrip(" "))
        if block is not None and spaces > block:
            continue
        block = spaces if _BLOCK_TEXT.search(line) and not line.lstrip().startswith("#") else None
        if "\t" in blanks:
            found.append(
                Problem(
                    "spec.tab",
                    _("This line is indented with a tab."),
                    Location(file, number, blanks.index("\t") + 1, shorten(line, 1)),
                    _("Indent with spaces."),
                )
            )
    return found


def shorten(line: str, column: int) -> str:
    """``line``, or its part around ``column`` when it is too long to show."""
    if len(line) <= _WIDTH:
        return line
    begin = max(0, min(column - 1 - _WIDTH // 2, len(line) - _WIDTH))
    end = begin + _WIDTH
    return ("…" if begin else "") + line[begin:end] + ("…" if end < len(line) else "")


def _wide_encoding(content: bytes) -> str | None:
    if content.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "UTF-32"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    head = content[:200]
    zeros = (head[0::2].count(0), head[1::2].count(0))
    return "UTF-16" if len(head) >= 4 and max(zeros) > 0.3 * (len(head) / 2) and min(zeros) == 0 else None


def _is_windows(content: bytes) -> bool:
    return any(0x80 <= byte <= 0x9F for byte in content)


def _encoding_error(file: str, encoding: str, where: Location | None = None) -> UserError:
    return UserError(
        "spec.encoding",
        _("{file} is not in UTF-8; it looks like {encoding}.").format(file=file, encoding=encoding),
        where=where or Location(file),
        next=_("Save it again from your editor with the encoding UTF-8."),
    )
