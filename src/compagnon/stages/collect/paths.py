"""Which files a pattern of solution.yaml means."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from compagnon.chain import digest as digests
from compagnon.errors import UserError
from compagnon.i18n import _


@dataclass(frozen=True)
class Found:
    """A file and the name under which its rows are known: the same on each machine."""

    name: str
    path: Path


def check(pattern: str) -> None:
    """Raises UserError ``collect.path-outside`` for a relative path that leaves the solution's folder.

    A path outside is written in full (usually as ``${VAR}``), so that it is seen at a glance what a solution reads.
    """
    if ".." in PurePath(pattern).parts or ".." in PurePosixPath(pattern.replace("\\\\", "/")).parts:
        raise UserError(
            "collect.path-outside",
            _("The path {path} goes out of the solution's folder by '..'.").format(path=pattern),
            next=_("Write the full path, for example in a variable: path: ${{DATA}}/file.csv"),
        )


def locate(path: str, root: Path) -> Path:
    """One file named in the options, relative to the solution's folder ``root`` or in full."""
    check(path)
    return root / path


def expand(patterns: tuple[str, ...], root: Path) -> list[Found]:
    """The files that ``patterns`` match, without repetition, ordered by name."""
    found: dict[Path, str] = {}
    for pattern in patterns:
        check(pattern)
        absolute = Path(pattern).is_absolute()
        base = _fixed_part(Path(pattern)) if absolute else root
        for path in _matches(pattern, root):
            if path.is_file():
                name = path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()
                found.setdefault(path, name)
    repeated = {name for name in found.values() if list(found.values()).count(name) > 1}
    named = [Found(path.as_posix() if name in repeated else name, path) for path, name in found.items()]
    return sorted(named, key=lambda file: file.name)


def _matches(pattern: str, root: Path) -> list[Path]:
    exact = root / pattern
    if exact.is_file() or not glob.has_magic(pattern):
        return [exact]
    return [root / match for match in glob.glob(pattern, root_dir=root, recursive=True)]


def _fixed_part(pattern: Path) -> Path:
    """The folder above the first part that has a wildcard, or above the file."""
    for parent in reversed(pattern.parents):
        if glob.has_magic(parent.name):
            return parent.parent
    return pattern.parent


def digest_of(path: Path) -> str:
    """SHA-256 of the file; raises UserError ``collect.file-denied`` where it cannot be read."""
    try:
        return digests.of_file(path)
    except OSError as error:
        raise UserError(
            "collect.file-denied",
            _("The file {path} cannot be read: {why}").format(path=path, why=error.strerror or error),
            next=_("Give yourself the right to read it."),
        ) from error
