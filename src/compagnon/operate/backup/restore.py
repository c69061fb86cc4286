"""Restoring: everything is read, bounded and compared with its digest beside the folder, then moved in as a whole.

The archive is not trusted. It is read by a reader that knows plain files and nothing else (no link, device or extended
header, whose lengths an attacker chooses), in the order and with the sizes of the manifest.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compagnon.chain.faults import boundary
from compagnon.chain.workspace import explain_disk, sync_folder
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.operate.backup.manifest import (
    LARGEST,
    MEMBER,
    Entry,
    Manifest,
    damaged,
    not_a_backup,
    parse,
    unsafe,
)

_CHUNK = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
_END = 1 << 16
"""Bytes of zeros that may end an archive."""
_SPARE = 16 << 20
"""Bytes that must stay free on the disk."""


@dataclass(frozen=True)
class Restored:
    """What was restored, and where."""

    path: Path
    manifest: Manifest


def restore(archive: Path, folder: Path) -> Restored:
    """Make a solution of ``archive`` in ``folder``, which is empty or not there yet.

    Raises UserError ``restore.no-file``, ``restore.not-empty``, ``restore.here``, ``restore.no-space``,
    ``restore.not-a-backup``, ``restore.newer``, ``restore.unsafe``, ``restore.damaged``; the folder is then as it was.
    """
    target = _free(folder)
    with explain_disk(target), _opened(archive) as stream:
        manifest = _manifest(stream)
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_space(manifest, target.parent)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.restore-", dir=target.parent))
        try:
            for entry in manifest.files:
                _extract(stream, entry, scratch)
            _end(stream)
            _check_pointer(scratch, manifest)
            _finish(scratch)
            boundary("before-restore")
            _move(scratch, target)
            boundary("restore")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return Restored(target, manifest)


def _free(folder: Path) -> Path:
    target = folder.absolute().resolve()
    with contextlib.suppress(OSError):
        if target == Path.cwd().resolve():
            raise UserError(
                "restore.here",
                _("The current folder cannot be replaced while you are in it."),
                next=_("Name a new folder: compagnon restore FILE solution"),
            )
    with explain_disk(target):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UserError(
                "restore.not-empty",
                _("{path} is not an empty folder.").format(path=folder),
                next=_("Name a new folder; nothing is ever restored over something else."),
            )
    return target


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[gzip.GzipFile]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(
            "restore.no-file",
            _("The backup {path} cannot be read: {why}").format(path=path, why=error.strerror or error),
            next=_("Check its name and its rights."),
        ) from error
    with file:
        if file.read(2) != b"\x1f\x8b":
            raise not_a_backup()
        file.seek(0)
        with gzip.GzipFile(fileobj=file, mode="rb") as stream:
            yield stream


def _read(stream: gzip.GzipFile, size: int) -> bytes:
    """Exactly ``size`` bytes; raises UserError ``restore.damaged``."""
    try:
        data = stream.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged() from error
    if len(data) != size:
        raise damaged()
    return data


def _header(stream: gzip.GzipFile) -> tarfile.TarInfo:
    """The next header; raises UserError ``restore.unsafe`` for anything but a plain file."""
    block = _read(stream, _BLOCK)
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError) as error:
        raise damaged() from error
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.size < 0:
        raise unsafe(info.name.encode("utf-8", "replace").decode())
    return info


def _manifest(stream: gzip.GzipFile) -> Manifest:
    from compagnon.database.engine import HEAD

    try:
        info = _header(stream)
    except UserError as error:
        raise not_a_backup() from error
    if info.name != MEMBER or info.size > LARGEST:
        raise not_a_backup()
    manifest = parse(_read(stream, info.size))
    _skip_padding(stream, info.size)
    if manifest.schema is not None and manifest.schema > HEAD:
        raise UserError(
            "restore.newer",
            _("This backup was made by a newer version of Compagnon."),
            next=_("Update Compagnon: pip install --upgrade compagnon"),
        )
    return manifest


def _check_space(manifest: Manifest, place: Path) -> None:
    if manifest.size + _SPARE > shutil.disk_usage(place).free:
        raise UserError(
            "restore.no-space",
            _("There is not enough space in {place} for this backup.").format(place=place),
            next=_("Free some space, or restore it to another disk; nothing was restored."),
        )


def _extract(stream: gzip.GzipFile, entry: Entry, scratch: Path) -> None:
    """The next member, which must be ``entry``, below ``scratch``; it is never longer than the manifest says."""
    info = _header(stream)
    if info.name != entry.member or info.size != entry.size:
        raise damaged()
    path = scratch / entry.name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    except FileExistsError as error:
        # Two names that this file system takes for one.
        raise unsafe(entry.name) from error
    left, digest = entry.size, hashlib.sha256()
    with os.fdopen(descriptor, "wb") as file:
        while left:
            chunk = _read(stream, min(left, _CHUNK))
            digest.update(chunk)
            file.write(chunk)
            left -= len(chunk)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != entry.digest:
        raise damaged()
    _skip_padding(stream, entry.size)
    if "/segments/" in entry.name and entry.name.startswith(".compagnon/"):
        path.chmod(0o400)
    elif not entry.name.startswith(".compagnon/"):
        path.chmod(0o644)


def _skip_padding(stream: gzip.GzipFile, size: int) -> None:
    _read(stream, -size % _BLOCK)


def _end(stream: gzip.GzipFile) -> None:
    """Only zeros may follow, and few; reading to the end also compares gzip's own checksum."""
    try:
        rest = stream.read(_END + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged() from error
    if len(rest) > _END or rest.strip(b"\0"):
        raise unsafe(_("more files than it says"))


def _check_pointer(scratch: Path, manifest: Manifest) -> None:
    """The pointer to the published tables must name one of the files, not one elsewhere on this machine."""
    pointer = scratch / ".compagnon" / "store.json"
    if not pointer.is_file():
        return
    try:
        place = f".compagnon/{json.loads(pointer.read_bytes())['path']}"
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise unsafe(".compagnon/store.json") from error
    if place not in {entry.name for entry in manifest.files}:
        pointer.unlink()


def _finish(scratch: Path) -> None:
    for folder in (path for path in scratch.rglob("*") if path.is_dir()):
        sync_folder(folder)
    sync_folder(scratch)


def _move(scratch: Path, target: Path) -> None:
    try:
        os.replace(scratch, target)
    except OSError:
        # Windows does not replace a folder, not even an empty one.
        if not target.is_dir():
            raise
        target.rmdir()
        os.replace(scratch, target)
    sync_folder(target.parent)
