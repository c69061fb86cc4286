"""A solution drafted from data: files or an SQL query are looked at, and what they seem to be is written down."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.scaffold.draft import write
from compagnon.scaffold.folder import appearing, slug
from compagnon.scaffold.survey import Shape, SourceDraft, survey
from compagnon.stages.collect.infer import look

SECRET = "SOURCE_URL"  # noqa: S105 - its name, not its value


@dataclass(frozen=True)
class Wanted:
    """What the user gave: files, or the URL of a database with a table or a query."""

    places: tuple[str, ...]
    table: str | None = None
    query: str | None = None
    in_place: bool = False
    """Leave files where they are and name them by their full path, instead of copying them."""


def draft(target: Path, wanted: Wanted) -> list[Shape]:
    """Write a solution for ``wanted`` into ``target``, which must not hold anything; returns what was guessed."""
    with appearing(target) as folder, tempfile.TemporaryDirectory(prefix="compagnon-look-") as scratch:
        sources = _sources(folder, wanted, Path(scratch))
        shapes = survey(sources)
        write(folder, slug(target.absolute().name, between="-", fallback="solution"), shapes)
    return shapes


def _sources(folder: Path, wanted: Wanted, scratch: Path) -> list[SourceDraft]:
    drafts: list[SourceDraft] = []
    for number, place in enumerate(wanted.places):
        here = scratch / str(number)
        here.mkdir()
        taken = {source.name for source in drafts}
        if "://" in place:
            drafts.append(_database(folder, place, wanted, taken, here))
        else:
            drafts.append(_file(folder, Path(place), wanted.in_place, taken, here))
    return drafts


def _file(folder: Path, path: Path, in_place: bool, taken: set[str], scratch: Path) -> SourceDraft:
    path = path.absolute()
    if not path.is_file():
        raise UserError(
            "new.no-data",
            _("There is no file {path}.").format(path=path),
            next=_("Give CSV, JSON, JSON Lines or Parquet files, or the URL of a database."),
        )
    if in_place:
        written = str(path)
    else:
        copy = folder / "data" / path.name
        number = 2
        while copy.exists():
            copy = folder / "data" / f"{path.stem}-{number}{path.suffix}"
            number += 1
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)
        written = copy.relative_to(folder).as_posix()
    name = _name(path.name.partition(".")[0], taken)
    seen = look(name, {"kind": "file", "path": written}, folder, _secrets(folder), scratch)
    return SourceDraft(name, {"kind": "file", "path": written}, seen)


def _database(folder: Path, url: str, wanted: Wanted, taken: set[str], scratch: Path) -> SourceDraft:
    if (wanted.table is None) == (wanted.query is None):
        raise UserError(
            "new.no-query",
            _("A database needs either a table or a query."),
            next=_("Add --table NAME, or --query FILE.sql."),
        )
    options: dict[str, Any] = {"kind": "sql", "url": _absolute(url)}
    if wanted.query is not None:
        query_file = Path(wanted.query)
        if not query_file.is_file():
            raise UserError("new.no-data", _("There is no file {path}.").format(path=query_file))
        name = _name(query_file.stem, taken)
        path = folder / "queries" / f"{name}.sql"
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(query_file, path)
        options["query"] = f"queries/{name}.sql"
    else:
        options["table"] = wanted.table
        name = _name(str(wanted.table).rpartition(".")[2], taken)
    seen = look(name, options, folder, _secrets(folder), scratch)
    return SourceDraft(name, {**options, "url": _written(options["url"])}, seen)


def _absolute(url: str) -> str:
    """A SQLite file is named from where the command was typed; in the solution, by its full path."""
    scheme, sign, path = url.partition(":///")
    if sign and scheme.startswith("sqlite") and path and not path.startswith("/"):
        return f"{scheme}:///{Path(path).absolute()}"
    return url


def _written(url: str) -> str:
    """A URL that names an account may hold a password: it is asked for as a secret and never written in the file."""
    return "${secret:" + SECRET + "}" if "@" in url else url


def _secrets(folder: Path) -> Secrets:
    return Secrets(Workspace(folder))


def _name(text: str, taken: Sequence[str] | set[str]) -> str:
    wanted = candidate = slug(text, between="_", fallback="source")
    number = 2
    while candidate in taken:
        candidate, number = f"{wanted}_{number}", number + 1
    return candidate
