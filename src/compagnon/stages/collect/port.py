"""Sources as a port: what an adapter declares, and how it hands over what it reads, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from compagnon.chain.artifact import Artifact
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Probe
from compagnon.errors import UserError
from compagnon.spec.model import SourceOptions

if TYPE_CHECKING:
    import pyarrow as pa

EVIDENCE = ("licence", "contact", "access", "confidential", "fresh_for")
"""Options that do not change the rows: they are documented, and stay out of the key of a run."""


class SourceDown(UserError):
    """The source cannot be reached or is not there: the one error for which ``instead:`` applies."""


class ReadAgain(Exception):
    """Raised by a reader that now knows better how to read: what it gave so far is dropped, and it is asked again."""


@dataclass(frozen=True)
class Bad:
    """A row that could not be read. ``ordinal`` counts all records of the piece from 0, ``line`` lines from 1."""

    ordinal: int
    line: int | None
    text: str
    code: str
    reason: str


@dataclass
class Aside:
    """Where a reader puts the rows it could not read; filled at the latest when its batches end."""

    rows: list[Bad] = field(default_factory=list)

    def add(self, row: Bad) -> None:
        self.rows.append(row)

    def clear(self) -> None:
        self.rows.clear()


@dataclass(frozen=True)
class Piece:
    """A part of a source that becomes one segment: a file, a batch of a query, later a page of an API.

    ``name`` is stable and stands in row ids. ``origin`` says what the rows were made from: a piece whose name and
    origin are those of a finished one is not read again (None: always read). ``read`` gives record batches of source
    columns; None keeps the finished piece of that name as it is.
    """

    name: str
    origin: str | None
    read: Callable[[Aside], Iterator[pa.RecordBatch]] | None
    meta: Callable[[], dict[str, Any]] = dict
    """What was detected (dialect, encoding, cursor): deterministic, asked for after reading."""


@dataclass(frozen=True)
class Collection:
    """What an adapter is given to collect with."""

    name: str
    root: Path
    secrets: Secrets
    scratch: Path
    key: tuple[str, ...]
    """Columns that identify a row, if any."""
    previous: Artifact | None
    """What the last finished collection made; None at first, and when everything is to be read again."""
    previous_paths: Callable[[], list[Path]]
    progress: Callable[[str, int | None, int | None], None]
    warn: Callable[[str], None]
    spool: Path
    """A file of the raw zone that survives a kill and is removed when the run is done: for what already arrived."""


class Source(Protocol):
    """An adapter: one kind of source. Its module imports light; libraries are imported inside its methods."""

    Options: ClassVar[type[SourceOptions]]
    extra: ClassVar[str | None]
    """Name of the pip extra that it needs, if any."""
    distributions: ClassVar[tuple[str, ...]]
    """Packages whose version may change the rows."""

    def files(self, options: Any) -> tuple[str, ...]:
        """Files of the solution that the options refer to (queries), not the data itself."""

    def settings(self, options: Any) -> dict[str, Any]:
        """The options that the rows depend on, as JSON values and without anything secret."""

    def probe(self, options: Any, root: Path, secrets: Secrets) -> Probe:
        """Look whether the source has changed, without collecting. Never raises for a source that is down."""

    def collect(self, options: Any, collection: Collection) -> Iterator[Piece]:
        """The pieces of the source in a stable order; raises SourceDown where it cannot be reached."""


def settings_of(options: SourceOptions) -> dict[str, Any]:
    """All options but those that are evidence only, as JSON values."""
    return options.model_dump(mode="json", by_alias=True, exclude=set(EVIDENCE))
