"""Artifacts: immutable manifests of segments, named by the digest of their content."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compagnon.chain import digest as digests
from compagnon.chain.faults import boundary
from compagnon.chain.workspace import Workspace, Zone, sync_folder, write_atomically
from compagnon.errors import UserError
from compagnon.i18n import _

MANIFEST_VERSION = 1


@dataclass(frozen=True)
class Segment:
    """One file of an artifact.

    ``digest`` is of the file's bytes (where it lies, whether it was altered); ``content`` is what the artifact's name
    is made of: the digest of the rows of a table, else the digest of the bytes.
    """

    name: str
    digest: str
    size: int
    content: str
    rows: int | None = None
    origin: str | None = None
    """What it was made from (a file and its digest, a range of a cursor), so that only what changed is read again."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "digest": self.digest,
            "size": self.size,
            "content": self.content,
            "rows": self.rows,
            "origin": self.origin,
        }


@dataclass(frozen=True)
class Artifact:
    """An immutable set of segments. ``kind`` is rows, table, quarantine, quality, store, model, evaluation, package."""

    kind: str
    zone: Zone
    segments: tuple[Segment, ...]
    meta: dict[str, Any] = field(default_factory=dict)
    """Deterministic description: schema, counts, labels. It is part of the digest."""

    @property
    def digest(self) -> str:
        return digests.of_value(
            {"kind": self.kind, "meta": self.meta, "segments": [(s.name, s.content) for s in self.segments]}
        )

    @property
    def rows(self) -> int:
        return sum(segment.rows or 0 for segment in self.segments)

    def segment(self, name: str) -> Segment:
        for segment in self.segments:
            if segment.name == name:
                return segment
        raise KeyError(name)


@dataclass(frozen=True)
class Draft:
    """A file in scratch that is to become a segment. ``content`` defaults to the digest of the bytes."""

    name: str
    path: Path
    rows: int | None = None
    content: str | None = None
    origin: str | None = None


@dataclass(frozen=True)
class ArtifactStore:
    """Artifacts of a solution on disk: ``ZONE/segments/ab/abcd...`` and ``ZONE/manifests/DIGEST.json``."""

    workspace: Workspace

    def put_segment(self, zone: Zone, draft: Draft) -> Segment:
        """Move a scratch file into its zone; afterwards it is never written again."""
        digest = digests.of_file(draft.path)
        size = draft.path.stat().st_size
        target = self._segment_path(zone, digest, draft.name)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (target.exists() and target.stat().st_size == size and digests.of_file(target) == digest):
            with draft.path.open("rb") as file:
                os.fsync(file.fileno())
            draft.path.chmod(0o400)
            os.replace(draft.path, target)
            sync_folder(target.parent)
            boundary("segment")
        return Segment(draft.name, digest, size, draft.content or digest, draft.rows, draft.origin)

    def put(self, artifact: Artifact) -> str:
        """Write the manifest of segments that are in place; returns the artifact's digest."""
        digest = artifact.digest
        path = self._manifest_path(artifact.zone, digest)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        document = {
            "version": MANIFEST_VERSION,
            "kind": artifact.kind,
            "meta": artifact.meta,
            "segments": [s.as_dict() for s in artifact.segments],
        }
        # The same rows may come from other bytes: their origin is not part of the digest, but kept up to date.
        if self._read(path) != document:
            write_atomically(path, (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode())
            boundary("manifest")
        return digest

    def get(self, zone: Zone, digest: str) -> Artifact | None:
        """The artifact if its manifest and all its files are there in full size; else None."""
        artifact = self.described(zone, digest)
        if artifact is None:
            return None
        for segment in artifact.segments:
            with contextlib.suppress(OSError):
                if self._segment_path(zone, segment.digest, segment.name).stat().st_size == segment.size:
                    continue
            return None
        return artifact

    def described(self, zone: Zone, digest: str) -> Artifact | None:
        """The artifact as its manifest describes it, whether or not its files are there; None without a manifest."""
        document = self._read(self._manifest_path(zone, digest))
        if document is None:
            return None
        segments = tuple(Segment(**segment) for segment in document["segments"])
        return Artifact(document["kind"], zone, segments, document["meta"])

    def path(self, artifact: Artifact, name: str) -> Path:
        """The file of a segment, to be read and never written."""
        return self._segment_path(artifact.zone, artifact.segment(name).digest, name)

    def paths(self, artifact: Artifact) -> list[Path]:
        return [self._segment_path(artifact.zone, s.digest, s.name) for s in artifact.segments]

    def verify(self, artifact: Artifact, only: str | None = None) -> None:
        """Compare every byte (of the segment ``only``) with the digests; raises UserError ``artifact.altered``."""
        for segment, path in zip(artifact.segments, self.paths(artifact), strict=True):
            if only is not None and segment.name != only:
                continue
            if not path.exists() or digests.of_file(path) != segment.digest:
                raise UserError(
                    "artifact.altered",
                    _("{file} of {kind} {digest} is not what was written.").format(
                        file=segment.name, kind=artifact.kind, digest=artifact.digest[:12]
                    ),
                    next=_("Run again with --refresh to make it anew, or restore it from a backup."),
                )

    def find(self, digest_prefix: str) -> list[Artifact]:
        """Artifacts whose digest begins with ``digest_prefix``, in every zone."""
        found = []
        for zone in ("raw", "quarantine", "clean"):
            folder = self.workspace.zone(zone) / "manifests"
            for path in sorted(folder.glob(f"{digest_prefix}*.json")) if folder.is_dir() else ():
                artifact = self.get(zone, path.stem)
                if artifact:
                    found.append(artifact)
        return found

    def _segment_path(self, zone: Zone, digest: str, name: str) -> Path:
        return self.workspace.zone(zone) / "segments" / digest[:2] / (digest + Path(name).suffix)

    def _manifest_path(self, zone: Zone, digest: str) -> Path:
        return self.workspace.zone(zone) / "manifests" / f"{digest}.json"

    @staticmethod
    def _read(path: Path) -> dict[str, Any] | None:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return document if isinstance(document, dict) and document.get("version") == MANIFEST_VERSION else None


def total_rows(artifacts: Iterable[Artifact]) -> int:
    return sum(artifact.rows for artifact in artifacts)
