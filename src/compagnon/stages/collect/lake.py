"""A lake: Parquet files in folders that name partitions (``day=2026-01-01/country=fr``), as Hive lays them out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from compagnon.chain import digest as digests
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.stages.collect.port import SourceDown

NOTHING = "__HIVE_DEFAULT_PARTITION__"
"""How Hive names the partition of rows without a value."""
_SUFFIXES = (".parquet", ".pq", ".parq")
_TAIL = 8
_LARGEST = 64 << 20


@dataclass(frozen=True)
class Leaf:
    """A folder that holds files: one value of each partition. ``name`` is its path under the lake."""

    name: str
    folder: Path
    values: tuple[tuple[str, str | None], ...]
    files: tuple[Path, ...]

    def state(self) -> str:
        """Digest that changes when a file comes, goes or is written anew; the files' data are not read."""
        return digests.of_value([(file.name, *_look(file)) for file in self.files])


@dataclass(frozen=True)
class Lake:
    """The leaves of a folder, in the order of their names, all with the same partition columns."""

    root: Path
    columns: tuple[str, ...]
    leaves: tuple[Leaf, ...]

    @property
    def files(self) -> list[Path]:
        return [file for leaf in self.leaves for file in leaf.files]

    def state(self) -> str:
        return digests.of_value([(leaf.name, leaf.state()) for leaf in self.leaves])


def look(root: Path, shown: str) -> Lake:
    """The lake at ``root``; names that begin with ``_`` or ``.`` do not count, as in Hive and Spark.

    Raises SourceDown ``collect.source-down`` where there is no file, UserError ``collect.partitions-vary`` where
    folders do not agree on their partition columns.
    """
    leaves = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(("_", ".")) or "=" in name)
        files = sorted(n for n in names if n.lower().endswith(_SUFFIXES) and not n.startswith(("_", ".")))
        if files:
            place = Path(folder)
            name = place.relative_to(root).as_posix()
            leaves.append(Leaf(name, place, _values(name), tuple(place / file for file in files)))
    if not leaves:
        raise SourceDown(
            "collect.source-down",
            _("There is no Parquet file in {path}.").format(path=shown),
            next=_("Check the path, relative to the solution's folder, or say what to use instead (instead: last)."),
        )
    leaves.sort(key=lambda leaf: leaf.name)
    columns = tuple(name for name, _value in leaves[0].values)
    for leaf in leaves:
        if tuple(name for name, _value in leaf.values) != columns:
            raise UserError(
                "collect.partitions-vary",
                _("The folders {one} and {other} do not name the same partitions.").format(
                    one=leaves[0].name, other=leaf.name
                ),
                next=_("Each file lies under the same column=value folders; say the folder where that holds in path."),
            )
    return Lake(root, columns, tuple(leaves))


def _values(name: str) -> tuple[tuple[str, str | None], ...]:
    pairs = [part.partition("=") for part in name.split("/") if "=" in part]
    return tuple((unquote(column), None if value == NOTHING else unquote(value)) for column, _sign, value in pairs)


def _look(file: Path) -> tuple[int, int, str]:
    """Size, time and the digest of the footer: offsets, sizes and extremes of all columns. Few kilobytes are read."""
    try:
        found = file.stat()
        with file.open("rb") as opened:
            opened.seek(max(0, found.st_size - _TAIL))
            length = int.from_bytes(opened.read(_TAIL)[:4], "little")
            opened.seek(max(0, found.st_size - _TAIL - min(length, _LARGEST)))
            return found.st_size, found.st_mtime_ns, hashlib.sha256(opened.read()).hexdigest()
    except OSError as error:
        raise UserError(
            "collect.file-denied",
            _("The file {path} cannot be read: {why}").format(path=file.name, why=error.strerror or error),
            next=_("Give yourself the right to read it."),
        ) from error


def types_of(lake: Lake, declared: Mapping[str, str]) -> dict[str, str]:
    """The declared type of each partition column, text if none; raises UserError ``collect.partition-unknown``."""
    unknown = sorted(set(declared) - set(lake.columns))
    if unknown:
        raise UserError(
            "collect.partition-unknown",
            _("The folders of the lake name no partition {column}.").format(column=unknown[0]),
            next=_("They name: {columns}.").format(columns=", ".join(lake.columns) or "—"),
        )
    return {column: declared.get(column, "text") for column in lake.columns}
