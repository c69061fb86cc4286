"""Where a solution keeps what Compagnon makes: the ``.compagnon`` folder and its zones."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compagnon.errors import UserError
from compagnon.i18n import _

Zone = Literal["raw", "quarantine", "clean"]
RESTRICTED: frozenset[str] = frozenset({"raw", "quarantine"})
"""Zones that may hold personal data in the clear: owner only, never served."""

ZONES: tuple[Zone, ...] = ("raw", "quarantine", "clean")


@dataclass(frozen=True)
class Workspace:
    """The folder of a solution, and the places inside it."""

    root: Path

    @property
    def spec_file(self) -> Path:
        return self.root / "solution.yaml"

    @property
    def home(self) -> Path:
        return self.root / ".compagnon"

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"

    @property
    def journal(self) -> Path:
        return self.zone("raw") / "journal"

    @property
    def secrets_file(self) -> Path:
        return self.home / "secrets"

    @property
    def database_file(self) -> Path:
        return self.home / "compagnon.sqlite"

    @property
    def lock_file(self) -> Path:
        return self.home / "lock"

    @property
    def predictions(self) -> Path:
        return self.home / "predictions"

    def zone(self, zone: Zone) -> Path:
        return self.home / zone

    def prepare(self) -> None:
        """Make the folders that are missing; raises UserError where the folder cannot be written."""
        with explain_disk(self.home):
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            ignore = self.home / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            for zone in ZONES:
                folder = self.zone(zone)
                folder.mkdir(mode=0o700, exist_ok=True)
                if zone in RESTRICTED:
                    folder.chmod(0o700)
            for folder in (self.scratch, self.journal, self.predictions):
                folder.mkdir(mode=0o700, exist_ok=True)


@contextlib.contextmanager
def explain_disk(place: Path) -> Iterator[None]:
    """Turn a full, read-only or forbidden disk into a message; what was there before stays as it was."""
    import errno

    try:
        yield
    except UserError:
        raise
    except Exception as error:
        number, name = (error.errno, error.filename) if isinstance(error, OSError) else (None, None)
        # DuckDB and Arrow raise errors of their own, with the system's words in the message.
        said = str(error)
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "No space left on device" in said:
            raise UserError(
                "disk.full",
                _("No space is left to write {place}.").format(place=name or place),
                next=_("Free some space, then run the same command again: finished work is kept."),
            ) from error
        if number in (errno.EROFS, errno.EACCES, errno.EPERM) or "Read-only file system" in said:
            raise UserError(
                "disk.read-only",
                _("{place} cannot be written.").format(place=name or place),
                next=_("Give yourself the right to write in this folder, or copy the solution elsewhere."),
            ) from error
        raise


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace ``path`` by ``data`` so that a reader sees the old or the new content, never a part."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut, where the platform lets a folder be synced."""
    with contextlib.suppress(OSError, AttributeError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
