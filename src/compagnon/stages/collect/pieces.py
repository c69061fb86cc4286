"""Pieces of a source written one after the other, and those of before that need not be read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from compagnon.chain.artifact import Artifact, ArtifactStore, Draft, Segment
from compagnon.chain.stage import Context
from compagnon.i18n import ngettext
from compagnon.stages.collect.journal import Journal
from compagnon.stages.collect.port import Aside, Piece, ReadAgain

if TYPE_CHECKING:
    from compagnon.stages.collect.identity import Part


class Finished:
    """Pieces that need not be read again: of the last finished run, or of a run that was killed."""

    def __init__(self, store: ArtifactStore, rows: Artifact | None, bad: Artifact | None, journal: Journal) -> None:
        self._store, self._rows, self._bad, self._journal = store, rows, bad, journal
        self._segments = {s.name: s for s in rows.segments} if rows else {}
        self._bad_segments = {s.name: s for s in bad.segments} if bad else {}
        self._details = {d["name"]: d for d in rows.meta.get("pieces", [])} if rows else {}
        self._seen: set[str] = set()

    def find(self, piece: Piece) -> tuple[Part, Segment | None, dict[str, Any]] | None:
        """The finished segment of ``piece`` with its unreadable rows and details, if its origin is the same."""
        from compagnon.stages.collect.identity import Part

        segment_name = f"{piece.name}.parquet"
        self._seen.add(segment_name)
        noted = self._journal.find(piece.name, piece.origin) if piece.origin else None
        if noted is not None:
            segment, bad, detail = noted
            path = self._store.path(Artifact("rows", "raw", (segment,)), segment.name)
            return Part(segment, path), bad, detail
        segment_or_none = self._segments.get(segment_name)
        if segment_or_none is None or self._rows is None:
            return None
        if piece.read is not None and (piece.origin is None or segment_or_none.origin != piece.origin):
            return None
        part = Part(segment_or_none, self._store.path(self._rows, segment_name), final=True)
        return part, self._bad_segments.get(segment_name), self._details.get(piece.name, {"name": piece.name})

    def keep(self, piece: Piece, segment: Segment, bad: Segment | None, detail: dict[str, Any]) -> None:
        self._journal.add(piece.name, piece.origin, segment, bad, detail)

    def unused(self) -> list[str]:
        return [name.removesuffix(".parquet") for name in self._segments if name not in self._seen]


class PieceWriter:
    """Writes the pieces of a source one after the other, and keeps what is finished."""

    def __init__(self, name: str, key: tuple[str, ...], context: Context, finished: Finished) -> None:
        self.name, self.key, self.context, self.finished = name, key, context, finished
        self.parts: list[Part] = []
        self.unreadable: list[Segment | Draft] = []
        self.details: list[dict[str, Any]] = []

    def add(self, piece: Piece, place: int) -> None:
        found = self.finished.find(piece)
        if found is None:
            found = self._read(piece, place)
        if found is None:
            return
        part, bad, detail = found
        self.parts.append(part)
        self.details.append(detail)
        if bad is not None and bad.rows:
            self.unreadable.append(bad)

    def _read(self, piece: Piece, place: int) -> tuple[Part, Segment | None, dict[str, Any]] | None:
        from compagnon.stages.collect import unreadable
        from compagnon.stages.collect.identity import Part, with_gaps
        from compagnon.stages.collect.rows import Identity, write

        assert piece.read is not None
        scratch, identity, aside = self.context.scratch, Identity(self.name, piece.name, self.key), Aside()
        while True:
            aside.clear()
            try:
                draft = write(piece.read(aside), scratch / f"rows-{place}.parquet", identity, piece.origin)
                break
            except ReadAgain:
                continue
        if draft is None:
            return None
        part = Part(draft, draft.path)
        if aside.rows:
            skipped = [row.ordinal for row in aside.rows]
            part = with_gaps(part, scratch / f"gaps-{place}.parquet", f"{self.name}:{piece.name}", skipped)
            draft.path.unlink()
            text = ngettext(
                "{count} row of {piece} could not be read; it is kept in the quarantine.",
                "{count} rows of {piece} could not be read; they are kept in the quarantine.",
                len(aside.rows),
            )
            self.context.warn(text.format(count=len(aside.rows), piece=piece.name))
        bad = None
        if aside.rows:
            path = scratch / f"unreadable-{place}.parquet"
            bad = self.context.keep(
                "quarantine", unreadable.write(self.name, piece.name, aside.rows, path, piece.origin)
            )
        detail = {"name": piece.name, **piece.meta()}
        if piece.origin is None:
            return part, bad, detail
        assert isinstance(part.segment, Draft)
        segment = self.context.keep("raw", part.segment)
        self.finished.keep(piece, segment, bad, detail)
        path = self.context.artifacts.path(Artifact("rows", "raw", (segment,)), segment.name)
        return Part(segment, path), bad, detail
