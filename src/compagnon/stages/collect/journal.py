"""The journal of a collection: which pieces are finished, so that a killed run does not read them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from compagnon.chain.artifact import Artifact, ArtifactStore, Segment


class Journal:
    """Lines of JSON, one per finished piece; a line cut short by a kill is ignored."""

    def __init__(self, path: Path, store: ArtifactStore) -> None:
        self._path, self._store = path, store
        self._known: dict[tuple[str, str], dict[str, Any]] = {}
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        for line in lines:
            try:
                entry = json.loads(line)
                self._known[entry["piece"], entry["origin"]] = entry
            except (ValueError, KeyError, TypeError):
                continue

    def find(self, piece: str, origin: str | None) -> tuple[Segment, Segment | None, dict[str, Any]] | None:
        """The segments of a finished piece, if their files are in place."""
        entry = self._known.get((piece, origin or ""))
        if entry is None:
            return None
        segment = Segment(**entry["segment"])
        bad = Segment(**entry["bad"]) if entry["bad"] else None
        for found, zone in ((segment, "raw"), (bad, "quarantine")):
            if found is not None and not self._in_place(found, zone):
                return None
        return segment, bad, entry["detail"]

    def add(
        self, piece: str, origin: str | None, segment: Segment, bad: Segment | None, detail: dict[str, Any]
    ) -> None:
        """Note that ``piece`` is finished."""
        entry = {
            "piece": piece,
            "origin": origin,
            "segment": segment.as_dict(),
            "bad": bad.as_dict() if bad else None,
            "detail": detail,
        }
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps(entry) + "\n")

    def _in_place(self, segment: Segment, zone: Any) -> bool:
        path = self._store.path(Artifact("rows", zone, (segment,)), segment.name)
        return path.exists() and path.stat().st_size == segment.size
