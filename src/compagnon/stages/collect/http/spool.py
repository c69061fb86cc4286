"""Pages as they arrive, in one file that survives a kill: a run that resumes does not ask for them again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from compagnon.chain import digest as digests
from compagnon.chain.faults import boundary

RESUME_WITHIN = timedelta(hours=6)
"""After this a source may have moved on under its page numbers: the collection begins anew."""


@dataclass(frozen=True)
class Entry:
    """One page that arrived: what was noted with it, and where its body stands in the file."""

    note: dict[str, Any]
    digest: str
    start: int
    length: int


class Spool:
    """A line of JSON and the body, page after page; what a kill cut short is dropped.

    ``how`` says what the pages depend on: a file made otherwise, or too long ago, is begun anew.
    """

    def __init__(self, path: Path, how: str, now: datetime) -> None:
        self._path = path
        self.entries: list[Entry] = []
        end = 0
        if path.exists():
            end = self._recover(how, now)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "r+b")
        self._file.truncate(end)
        self._file.seek(end)
        if end == 0:
            self._line({"how": how, "begun": now.astimezone(UTC).isoformat()})
            self._file.flush()

    def add(self, note: dict[str, Any], body: bytes) -> Entry:
        """Keep a page; once this returns a kill does not lose it."""
        digest = digests.of_bytes(body)
        self._line({"note": note, "digest": digest, "length": len(body)})
        entry = Entry(note, digest, self._file.tell(), len(body))
        self._file.write(body + b"\n")
        self._file.flush()
        self.entries.append(entry)
        boundary("page")
        return entry

    def bodies(self, entries: list[Entry]) -> Iterator[bytes]:
        """The bodies of ``entries``, one at a time."""
        with self._path.open("rb") as file:
            for entry in entries:
                file.seek(entry.start)
                yield file.read(entry.length)

    def close(self) -> None:
        self._file.close()

    def _line(self, value: dict[str, Any]) -> None:
        self._file.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")

    def _recover(self, how: str, now: datetime) -> int:
        """Read the pages that are whole; returns where the next one goes."""
        with self._path.open("rb") as file:
            try:
                first = file.readline()
                head = json.loads(first)
                if (
                    not first.endswith(b"\n")
                    or head["how"] != how
                    or now - datetime.fromisoformat(head["begun"]) > RESUME_WITHIN
                ):
                    return 0
            except (ValueError, KeyError, TypeError):
                return 0
            end = file.tell()
            while line := file.readline():
                try:
                    found = json.loads(line)
                    body = file.read(found["length"])
                    if file.read(1) != b"\n" or digests.of_bytes(body) != found["digest"]:
                        break
                except (ValueError, KeyError, TypeError):
                    break
                self.entries.append(Entry(found["note"], found["digest"], end + len(line), found["length"]))
                end = file.tell()
        return end
