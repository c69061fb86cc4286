"""Garbage: manifests and segments that no kept run refers to, and what killed runs left behind."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compagnon.chain.artifact import ArtifactStore
from compagnon.chain.faults import boundary
from compagnon.chain.ledger import Ledger
from compagnon.chain.run import Run
from compagnon.chain.workspace import ZONES, Workspace, Zone, explain_disk, sync_folder
from compagnon.errors import UserError
from compagnon.i18n import _

KEEP = 3
"""Finished runs of each stage instance whose files are kept."""
_MANIFEST = re.compile(r"([0-9a-f]{64})\.json")
_SEGMENT = re.compile(r"[0-9a-f]{64}(\.[^/\\]*)?")


@dataclass(frozen=True)
class Litter:
    """One file that may go. ``place`` is a zone, or ``scratch``; ``kind`` is manifest, segment, journal or scratch."""

    place: str
    kind: str
    path: Path
    size: int


@dataclass(frozen=True)
class Swept:
    """What a collection of garbage removed (or would), and what it could not: a file that a program holds open."""

    removed: tuple[Litter, ...]
    refused: tuple[Litter, ...]
    kept: int
    """Files of artifacts that stay."""
    kept_bytes: int

    def by_place(self) -> dict[str, dict[str, int]]:
        """Files and bytes removed, by zone."""
        found = {place: {"files": 0, "bytes": 0} for place in (*ZONES, "scratch")}
        for litter in self.removed:
            found[litter.place]["files"] += 1
            found[litter.place]["bytes"] += litter.size
        return found


def kept_runs(ledger: Ledger, *, keep: int = KEEP, valid: Iterable[Run] = ()) -> dict[str, Run]:
    """Runs by id whose files stay: the last ``keep`` finished ones of each stage instance, and ``valid``.

    Instances that solution.yaml no longer has are kept like the others: it may have them again tomorrow.
    """
    counts: dict[str, int] = {}
    kept = {run.id: run for run in valid}
    for run in ledger.runs():
        if run.status != "done":
            continue
        counts[run.stage] = counts.get(run.stage, 0) + 1
        if counts[run.stage] <= keep:
            kept[run.id] = run
    return kept


def corrected_in(ledger: Ledger) -> set[str]:
    """Digests of what people looked at when they corrected a row: its quarantine and the raw rows behind it."""
    runs = [run for run in ledger.runs() if run.status == "done" and run.stage.startswith("prepare/")]
    digests: set[str] = set()
    for table in {run.stage.partition("/")[2] for run in runs}:
        for correction in ledger.corrections(table):
            seen = next((r for r in runs if r.stage == f"prepare/{table}" and r.ended <= correction.at), None)
            if seen is not None:
                digests.update(seen.inputs.values())
                digests.update(output.digest for output in seen.outputs if output.zone == "quarantine")
    return digests


def served(ledger: Ledger, versions: Collection[str]) -> set[str]:
    """Digests of the packages that answered somebody; a version is the beginning of a digest."""
    outputs = {o.digest for run in ledger.runs() for o in run.outputs if o.kind == "package"}
    return {digest for digest in outputs if any(digest.startswith(version) for version in versions if version)}


def wanted(runs: Mapping[str, Run], others: Iterable[str] = ()) -> set[str]:
    """Digests of all artifacts that ``runs`` read or made, and ``others``."""
    digests = set(others)
    for run in runs.values():
        digests.update(run.inputs.values())
        digests.update(output.digest for output in run.outputs)
    return digests


def sweep(
    workspace: Workspace, artifacts: ArtifactStore, digests: Collection[str], *, pinned: Path | None, dry: bool
) -> Swept:
    """Remove what the artifacts named by ``digests`` do not need; ``pinned`` (the published file) stays anyway.

    The caller holds the lock: no run is at work, so scratch and journals are of runs that were killed. Manifests go
    before their segments: killed in between, what is left is litter for the next time, never an artifact with a hole.
    Raises UserError ``gc.unreadable-manifest`` before anything is removed.
    """
    litter: list[Litter] = []
    stay = {pinned} if pinned else set[Path]()
    kept, kept_bytes = 0, 0
    for zone in ZONES:
        for path, size in _files(workspace.zone(zone) / "manifests"):
            match = _MANIFEST.fullmatch(path.name)
            if match is None:
                continue
            if match[1] in digests:
                stay.update(_needed(artifacts, zone, match[1]))
                kept, kept_bytes = kept + 1, kept_bytes + size
            else:
                litter.append(Litter(zone, "manifest", path, size))
    litter += [Litter("raw", "journal", path, size) for path, size in _files(workspace.journal)]
    for zone in ZONES:
        for path, size in _files(workspace.zone(zone) / "segments"):
            if path in stay:
                kept, kept_bytes = kept + 1, kept_bytes + size
            elif _SEGMENT.fullmatch(path.name):
                litter.append(Litter(zone, "segment", path, size))
    litter += [Litter("scratch", "scratch", path, size) for path, size in _files(workspace.scratch)]
    if dry:
        return Swept(tuple(litter), (), kept, kept_bytes)
    removed: list[Litter] = []
    refused: list[Litter] = []
    with explain_disk(workspace.home):
        before = None
        for item in litter:
            # Manifests must be gone for good before the first segment goes.
            if before == "manifest" and item.kind != "manifest":
                for zone in ZONES:
                    sync_folder(workspace.zone(zone) / "manifests")
            before = item.kind
            (removed if _remove(item) else refused).append(item)
    _remove_empty(workspace)
    return Swept(tuple(removed), tuple(refused), kept, kept_bytes)


def _needed(artifacts: ArtifactStore, zone: Zone, digest: str) -> list[Path]:
    artifact = artifacts.described(zone, digest)
    if artifact is None:
        raise UserError(
            "gc.unreadable-manifest",
            _("The description of the artifact {digest} cannot be read, so what it needs is unknown.").format(
                digest=digest[:12]
            ),
            next=_("Nothing was removed. Update Compagnon or, if the file is damaged, remove it: {path}").format(
                path=artifacts.workspace.zone(zone) / "manifests" / f"{digest}.json"
            ),
        )
    return artifacts.paths(artifact)


def _remove(item: Litter) -> bool:
    try:
        item.path.unlink()
    except FileNotFoundError:
        return True
    except PermissionError:
        # Windows does not remove a file that a program reads; the next time will.
        if os.name == "nt":
            return False
        raise
    boundary(f"gc-{item.kind}")
    return True


def _remove_empty(workspace: Workspace) -> None:
    folders = [folder for zone in ZONES for folder in (workspace.zone(zone) / "segments").glob("??")]
    folders += [folder for folder in workspace.scratch.glob("*") if folder.is_dir() and not folder.is_symlink()]
    for top in folders:
        for below in [place[0] for place in os.walk(top, topdown=False)]:
            with contextlib.suppress(OSError):
                Path(below).rmdir()


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Every file below ``folder`` with its size, by name; links are files and are not followed."""
    for below, names, files in os.walk(folder):
        names.sort()
        links = [name for name in names if os.path.islink(os.path.join(below, name))]
        for name in sorted([*files, *links]):
            path = Path(below) / name
            with contextlib.suppress(OSError):
                yield path, path.lstat().st_size


def as_dict(swept: Swept, *, dry: bool, keep: int) -> dict[str, Any]:
    """The JSON form."""
    return {
        "dry_run": dry,
        "keep": keep,
        "files": len(swept.removed),
        "bytes": sum(item.size for item in swept.removed),
        "zones": swept.by_place(),
        "in_use": [str(item.path) for item in swept.refused],
        "kept": {"files": swept.kept, "bytes": swept.kept_bytes},
    }
