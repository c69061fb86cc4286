"""Writing the archive: gzip of a plain tar, its manifest first; the file appears whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import secrets as random
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING

from compagnon.chain import digest as digests
from compagnon.chain import lock
from compagnon.chain.faults import boundary
from compagnon.chain.workspace import explain_disk, sync_folder
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.operate.backup.contents import Contents, gather
from compagnon.operate.backup.manifest import MEMBER, Entry, Manifest, is_safe

if TYPE_CHECKING:
    from compagnon.solution import Solution

SUFFIXES = (".tar.gz", ".tgz")
_CHUNK = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
_LARGE = 8**11
"""From this size on a number does not fit in the plain header of a tar."""
_SEGMENT = re.compile(r"\.compagnon/\w+/segments/../([0-9a-f]{64})")


@dataclass(frozen=True)
class Written:
    """A finished backup; ``outside`` and ``altered`` name files that are not in it."""

    path: Path
    size: int
    manifest: Manifest
    outside: tuple[str, ...]
    altered: tuple[str, ...]


def write(solution: Solution, path: Path, *, with_secrets: bool = False, replace: bool = False) -> Written:
    """Back the solution up to ``path`` (readable by its owner alone), in bounded memory.

    Raises UserError ``backup.unknown-format``, ``backup.no-folder``, ``backup.exists``, ``run.locked``,
    ``backup.changed``, ``backup.bad-name``, ``backup.database``, and those of the disk.
    """
    if not path.name.endswith(SUFFIXES):
        raise UserError(
            "backup.unknown-format",
            _("A backup is written as .tar.gz; {path} does not end so.").format(path=path),
            next=_("Name it, for example, backup.tar.gz"),
        )
    if not path.parent.is_dir():
        raise UserError(
            "backup.no-folder",
            _("There is no folder {path}.").format(path=path.parent),
            next=_("Make it first, or write the backup elsewhere."),
        )
    if path.exists() and not replace:
        raise UserError(
            "backup.exists",
            _("{path} already exists.").format(path=path),
            next=_("Give another name, or --force to replace it."),
        )
    with lock.hold(solution.workspace, solution.clock, "backup"):
        scratch = solution.workspace.scratch / f"backup-{random.token_hex(6)}"
        try:
            with explain_disk(scratch):
                scratch.mkdir(mode=0o700, parents=True)
                contents = gather(solution, scratch, with_secrets=with_secrets)
                boundary("backup-database")
                manifest = _describe(solution, contents, with_secrets)
            with explain_disk(path):
                size = _publish(path, manifest, contents)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return Written(path, size, manifest, tuple(contents.outside), tuple(contents.altered))


def _describe(solution: Solution, contents: Contents, with_secrets: bool) -> Manifest:
    """Every file with its size and digest; those that were altered since they were made are left out and named."""
    from compagnon.database.engine import HEAD

    entries: list[Entry] = []
    for number, (name, path) in enumerate(contents.files.items()):
        if not is_safe(name):
            raise UserError(
                "backup.bad-name",
                _("The name of the file {name} cannot be restored on every system.").format(name=repr(name)),
                next=_("Give the file a simpler name, and write it so in solution.yaml."),
            )
        with _as_changed(name):
            size, digest = path.stat().st_size, digests.of_file(path)
        own = _SEGMENT.match(name)
        if own is not None and own[1] != digest:
            contents.altered.append(name)
            continue
        entries.append(Entry(name, _member(name, size, number), size, digest))
    return Manifest(
        solution=solution.name,
        at=solution.clock.now().isoformat(),
        compagnon=version("compagnon"),
        schema=HEAD if solution.engine.dialect.name == "sqlite" else None,
        secrets=with_secrets,
        files=tuple(entries),
    )


def _member(name: str, size: int, number: int) -> str:
    """The name in the archive: the file's own, unless it is too long for a plain header."""
    try:
        _header(name, size)
    except ValueError:
        return f"long-names/{number:06}"
    return f"long-names/{number:06}" if size >= _LARGE and len(name.encode()) > 100 else name


def _header(member: str, size: int) -> bytes:
    info = tarfile.TarInfo(member)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT if size >= _LARGE else tarfile.USTAR_FORMAT, "utf-8", "strict")


def _publish(path: Path, manifest: Manifest, contents: Contents) -> int:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            # Segments are compressed already: the fastest level does.
            with gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as archive:
                _write_members(archive, manifest, contents)
            file.flush()
            os.fsync(file.fileno())
        size = part.stat().st_size
        boundary("before-backup")
        os.replace(part, path)
        sync_folder(path.parent)
        boundary("backup")
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return size


def _write_members(archive: gzip.GzipFile, manifest: Manifest, contents: Contents) -> None:
    text = manifest.as_bytes()
    archive.write(_header(MEMBER, len(text)) + text + _padding(len(text)))
    for entry in manifest.files:
        archive.write(_header(entry.member, entry.size))
        with _as_changed(entry.name), contents.files[entry.name].open("rb") as source:
            _copy(source, archive, entry)
        archive.write(_padding(entry.size))
    archive.write(bytes(2 * _BLOCK))


def _copy(source: IO[bytes], archive: gzip.GzipFile, entry: Entry) -> None:
    left, digest = entry.size, hashlib.sha256()
    while left and (chunk := source.read(min(left, _CHUNK))):
        digest.update(chunk)
        archive.write(chunk)
        left -= len(chunk)
    if left or source.read(1) or digest.hexdigest() != entry.digest:
        raise _changed(entry.name)


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


@contextlib.contextmanager
def _as_changed(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise _changed(name) from error


def _changed(name: str) -> UserError:
    return UserError(
        "backup.changed",
        _("The file {name} changed while it was being backed up.").format(name=name),
        next=_("Run the backup again when nothing writes to it."),
    )
