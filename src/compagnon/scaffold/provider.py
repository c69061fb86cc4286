"""Writing a provider into solution.yaml: one line, where people would put it, and nothing else touched."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from compagnon.chain.workspace import explain_disk, write_atomically
from compagnon.errors import UserError
from compagnon.i18n import _

_SECTION = re.compile(r"^providers:[ \t]*(?P<rest>[^#\n]*?)[ \t]*(?:#[^\n]*)?$", re.MULTILINE)
_ENTRY = re.compile(r"\n(?:[ \t]*(?:#[^\n]*)?\n)*(?P<indent>[ ]+)[^\s#]")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*\Z")


def declare(file: Path, name: str, options: Mapping[str, str]) -> tuple[str, str]:
    """Add ``name: {...}`` under ``providers:``; returns the text of the file before and after.

    Raises UserError ``provider.edit-by-hand`` where the section is written in a way that cannot be added to.
    """
    before = file.read_bytes().decode()  # as it stands: ends of lines too
    line = f"{name}: {{{', '.join(f'{key}: {_scalar(value)}' for key, value in options.items())}}}"
    newline = "\r\n" if "\r\n" in before else "\n"
    text = before.replace("\r\n", "\n")
    section = _SECTION.search(text)
    if section is None:
        text = f"{text.rstrip()}\n\nproviders:\n  {line}\n"
    elif section["rest"]:
        raise UserError(
            "provider.edit-by-hand",
            _("The section providers of solution.yaml is written on one line."),
            next=_("Add to it yourself: {line}").format(line=line),
        )
    else:
        entry = _ENTRY.match(text, section.end())
        indent = entry["indent"] if entry else "  "
        text = f"{text[: section.end()]}\n{indent}{line}{text[section.end() :]}"
    after = text.replace("\n", newline)
    with explain_disk(file):
        write_atomically(file, after.encode(), mode=file.stat().st_mode & 0o777)
    return before, after


def _scalar(value: str) -> str:
    return value if _PLAIN.match(value) else json.dumps(value, ensure_ascii=False)
