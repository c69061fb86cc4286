"""The pointer to the published file: ``.compagnon/store.json``, replaced as a whole, so that no reader sees a part."""

from __future__ import annotations

import json
from pathlib import Path

from compagnon.chain.artifact import Artifact, ArtifactStore
from compagnon.chain.faults import boundary
from compagnon.chain.workspace import Workspace, write_atomically
from compagnon.errors import UserError
from compagnon.i18n import _

SEGMENT = "data.duckdb"


def pointer_file(workspace: Workspace) -> Path:
    return workspace.home / "store.json"


def publish(workspace: Workspace, artifact: Artifact, artifacts: ArtifactStore) -> None:
    """Point to ``artifact``; nothing is written when it is what the pointer says already."""
    path = artifacts.path(artifact, SEGMENT).relative_to(workspace.home)
    document = json.dumps({"artifact": artifact.digest, "path": path.as_posix()}, indent=1) + "\n"
    file = pointer_file(workspace)
    try:
        if file.read_text(encoding="utf-8") == document:
            return
    except OSError:
        pass
    write_atomically(file, document.encode())
    boundary("store-pointer")


def published(workspace: Workspace) -> Path:
    """The published DuckDB file. Raises UserError ``store.not-published`` when there is none."""
    try:
        document = json.loads(pointer_file(workspace).read_text(encoding="utf-8"))
        path: Path = workspace.home / document["path"]
    except (OSError, ValueError, KeyError, TypeError):
        path = workspace.home / "nothing"
    if not path.is_file():
        raise UserError(
            "store.not-published",
            _("No table is published yet."),
            next=_("Run the solution first: compagnon run --to store"),
        )
    return path
