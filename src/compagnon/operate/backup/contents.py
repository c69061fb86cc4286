"""What a backup holds: solution.yaml and what it names, the sources' files, and what Compagnon made."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from compagnon.chain.workspace import ZONES
from compagnon.errors import UserError
from compagnon.i18n import _

if TYPE_CHECKING:
    from compagnon.solution import Solution


@dataclass
class Contents:
    """Files by their place in the solution, and what could not be taken."""

    files: dict[str, Path] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)
    """Sources' files that lie outside the folder."""
    altered: list[str] = field(default_factory=list)
    """Files that are no longer what was written; filled when they are read."""


def gather(solution: Solution, scratch: Path, *, with_secrets: bool) -> Contents:
    """The files to take; what changes while it is read is copied to ``scratch`` first."""
    found = Contents()
    root, workspace = solution.root, solution.workspace
    named = [name for instance in solution.chain.instances() for name in instance.files]
    for name in (workspace.spec_file.name, *solution.loaded.files, *named):
        if Path(name).is_absolute():
            found.outside += [name]
        elif (root / name).is_file():
            found.files[Path(name).as_posix()] = root / name
    for path in _of_sources(solution):
        if path.is_relative_to(root):
            found.files[path.relative_to(root).as_posix()] = path
        else:
            found.outside.append(str(path))
    home = workspace.home
    # Predictions before the database: a segment that closes in between is then closed again by the next server.
    lines = sorted(workspace.predictions.glob("*.jsonl"))
    for path in lines:
        with contextlib.suppress(FileNotFoundError):
            found.files[_place(home, path)] = Path(shutil.copyfile(path, scratch / path.name))
    if solution.engine.dialect.name == "sqlite":
        found.files[_place(home, workspace.database_file)] = _copy_database(solution, scratch / "database")
    for path in sorted(workspace.predictions.glob("*.parquet")):
        found.files[_place(home, path)] = path
    for zone in ZONES:
        for manifest in sorted((workspace.zone(zone) / "manifests").glob("*.json")):
            artifact = solution.artifacts.described(zone, manifest.stem)
            if artifact is None:
                continue
            found.files[_place(home, manifest)] = manifest
            for path in solution.artifacts.paths(artifact):
                if path.is_file():
                    found.files[_place(home, path)] = path
    for path in (home / "store.json", *([workspace.secrets_file] if with_secrets else [])):
        if path.is_file():
            found.files[_place(home, path)] = path
    return found


def _place(home: Path, path: Path) -> str:
    return f"{home.name}/{path.relative_to(home).as_posix()}"


def _of_sources(solution: Solution) -> list[Path]:
    """Files that sources read: those of ``file``, and the databases of SQLite with what stands beside them."""
    from compagnon.spec.variables import secret_names
    from compagnon.stages.collect import paths
    from compagnon.stages.collect.engines import sqlite_path
    from compagnon.stages.collect.file import FileOptions
    from compagnon.stages.collect.sql import SqlOptions

    found: list[Path] = []
    for options in solution.spec.sources.values():
        if isinstance(options, FileOptions):
            found += [file.path for file in paths.expand(options.path, solution.root)]
        elif isinstance(options, SqlOptions) and options.url.startswith("sqlite") and not secret_names(options.url):
            path = sqlite_path(options.url, solution.root)
            found += [p for p in (path, path.with_name(path.name + "-wal")) if p.is_file() and p.stat().st_size]
    return found


def _copy_database(solution: Solution, target: Path) -> Path:
    """A consistent copy, while servers go on writing. Raises UserError ``backup.database``."""
    connection = solution.engine.raw_connection()
    try:
        target.touch(mode=0o600)
        with contextlib.closing(sqlite3.connect(target)) as copy:
            driver = connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            if copy.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError
    except sqlite3.Error as error:
        raise UserError(
            "backup.database",
            _("The database of this solution could not be copied whole."),
            next=_("Keep your last backup, and look at .compagnon/compagnon.sqlite with the sqlite3 program."),
        ) from error
    finally:
        connection.close()
    return target
