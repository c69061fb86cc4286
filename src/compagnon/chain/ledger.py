"""The ledger as a port: all runs, notes and the overlay, append-only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from compagnon.chain import digest as digests
from compagnon.chain.run import Run, Status


@dataclass(frozen=True)
class Note:
    """What a person wrote in the logbook, on a run, a stage or the solution as a whole."""

    id: int
    at: datetime
    author: str
    text: str
    about: str | None = None
    """A run id or a stage instance."""


@dataclass(frozen=True)
class Correction:
    """One entry of the overlay: a row put back from the quarantine, or a value corrected, by ``row_id``."""

    id: int
    at: datetime
    author: str
    table: str
    row_id: str
    kind: Literal["restore", "correct"]
    column: str | None = None
    value: str | None = None
    because: str = ""


def overlay_digest(corrections: list[Correction]) -> str:
    """Digest of what the overlay changes; who and when do not count."""
    return digests.of_value([(c.table, c.row_id, c.kind, c.column, c.value) for c in corrections])


class Ledger(Protocol):
    """Where runs are appended. Implementations: ``compagnon.database.ledger``."""

    def append(self, run: Run) -> None:
        """Add a run; it is durable when this returns."""

    def run(self, run_id: str) -> Run | None:
        """The run of that id, or the only one whose id begins so."""

    def runs(self, stage: str | None = None, limit: int | None = None) -> list[Run]:
        """Runs, the latest first."""

    def last(self, stage: str, status: Status = "done") -> Run | None: ...

    def find(self, stage: str, key_digest: str) -> Run | None:
        """The latest finished run of ``stage`` with that key."""

    def add_spec(self, digest: str, text: str) -> None:
        """Keep the text of a solution.yaml that runs refer to."""

    def spec(self, digest: str) -> str | None: ...

    def add_note(self, text: str, author: str, at: datetime, about: str | None = None) -> Note: ...

    def notes(self) -> list[Note]:
        """Notes, the latest first."""

    def add_correction(
        self,
        at: datetime,
        author: str,
        table: str,
        row_id: str,
        kind: Literal["restore", "correct"],
        column: str | None = None,
        value: str | None = None,
        because: str = "",
    ) -> Correction: ...

    def corrections(self, table: str) -> list[Correction]:
        """Overlay entries of ``table`` in the order they were made."""


def as_note(note: Note) -> dict[str, Any]:
    return {"id": note.id, "at": note.at.isoformat(), "author": note.author, "text": note.text, "about": note.about}
