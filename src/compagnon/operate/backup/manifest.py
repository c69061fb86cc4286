"""What an archive says of itself: its first member, with the name, size and digest of every file that follows."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import PureWindowsPath
from typing import Any

from compagnon.errors import UserError
from compagnon.i18n import _

FORMAT = "compagnon-backup"
VERSION = 1
MEMBER = "manifest.json"
LARGEST = 64 << 20
"""Bytes of the longest manifest that is read."""

_HEX = "[0-9a-f]"
_OWN = re.compile(
    r"\.compagnon/(?:compagnon\.sqlite|store\.json|secrets|"
    rf"(?:raw|quarantine|clean)/(?:manifests/{_HEX}{{64}}\.json|segments/{_HEX}{{2}}/{_HEX}{{64}}(?:\.[\w.-]+)?)|"
    r"predictions/[\w.-]+\.(?:jsonl|parquet))"
)
_SEGMENT = re.compile(rf"\.compagnon/\w+/segments/({_HEX}{{2}})/({_HEX}{{64}})(?:\..*)?")


@dataclass(frozen=True)
class Entry:
    """One file: its place in the solution, its name in the archive (where the place is too long for it), its bytes."""

    name: str
    member: str
    size: int
    digest: str


@dataclass(frozen=True)
class Manifest:
    """The archive's description. ``schema`` is of the database in it; None when that is in PostgreSQL."""

    solution: str
    at: str
    compagnon: str
    schema: str | None
    secrets: bool
    files: tuple[Entry, ...]
    version: int = VERSION
    format: str = FORMAT

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.files)

    def as_bytes(self) -> bytes:
        return (json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n").encode()


def is_safe(name: str) -> bool:
    """Whether ``name`` is a relative POSIX path that stays in its folder, on each platform, and may be restored."""
    windows = PureWindowsPath(name)
    parts = name.split("/")
    if "\\" in name or windows.drive or windows.root or any(part in ("", ".", "..") for part in parts):
        return False
    if os.name == "nt" and (":" in name or any(part[-1] in ". " for part in parts)):
        return False
    try:
        long = any(len(part.encode()) > 255 for part in parts) or len(name.encode()) > 4000
    except UnicodeEncodeError:
        return False
    if long or any(ord(sign) < 32 or ord(sign) == 127 for sign in name):
        return False
    # Names that some file systems take for the same: nothing may reach our folder, or Git's, under another spelling.
    first = parts[0].casefold().rstrip(". ")
    if first == ".compagnon":
        return _OWN.fullmatch(name) is not None
    return ".git" not in (part.casefold().rstrip(". ") for part in parts)


def parse(data: bytes) -> Manifest:
    """The manifest in ``data``. Raises UserError ``restore.not-a-backup``, ``restore.newer``, ``restore.unsafe``."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise not_a_backup() from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise not_a_backup()
    version = document.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise UserError(
            "restore.newer",
            _("This backup was made by a newer version of Compagnon."),
            next=_("Update Compagnon: pip install --upgrade compagnon"),
        )
    try:
        manifest = _manifest(document)
    except (KeyError, TypeError, ValueError) as error:
        raise not_a_backup() from error
    _check(manifest)
    return manifest


def _manifest(document: dict[str, Any]) -> Manifest:
    entries = tuple(
        Entry(_text(e["name"]), _text(e["member"]), _size(e["size"]), _text(e["digest"])) for e in document["files"]
    )
    schema = document["schema"]
    return Manifest(
        _text(document["solution"]),
        _text(document["at"]),
        _text(document["compagnon"]),
        None if schema is None else _text(schema),
        document["secrets"] is True,
        entries,
        document["version"],
    )


def _check(manifest: Manifest) -> None:
    names = {entry.name for entry in manifest.files}
    if "solution.yaml" not in names or len(names) != len(manifest.files):
        raise not_a_backup()
    for entry in manifest.files:
        parents = entry.name.split("/")[:-1]
        inside = {"/".join(parents[:count]) for count in range(1, len(parents) + 1)}
        segment = _SEGMENT.fullmatch(entry.name)
        misnamed = segment is not None and not (segment[2] == entry.digest and segment[2].startswith(segment[1]))
        if not is_safe(entry.name) or inside & names or misnamed:
            raise unsafe(entry.name)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _size(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError
    return value


def not_a_backup() -> UserError:
    return UserError(
        "restore.not-a-backup",
        _("This file is not a backup of Compagnon."),
        next=_("Give a file that `compagnon backup` wrote."),
    )


def unsafe(name: str) -> UserError:
    shown = "".join(sign if sign.isprintable() else "?" for sign in name[:200])
    return UserError(
        "restore.unsafe",
        _("The backup holds something that has no place in a solution: {name}.").format(name=shown),
        next=_("Nothing was restored. Do not trust this file: ask where it comes from."),
    )


def damaged() -> UserError:
    return UserError(
        "restore.damaged",
        _("The backup is damaged: its content is not what was written."),
        next=_("Nothing was restored. Use another copy of the file."),
    )
