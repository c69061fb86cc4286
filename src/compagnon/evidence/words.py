"""What the documents share: facts in words, sentences with names in them, and where a document comes from."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from compagnon.chain.artifact import Artifact, ArtifactStore
from compagnon.chain.fact import Fact
from compagnon.chain.ledger import Ledger
from compagnon.chain.run import Run
from compagnon.chain.words import fact_text
from compagnon.i18n import _, format_datetime
from compagnon.render.document import Block, Code, Heading, Inline, Table

_PLACE = re.compile(r"\{(\w+)\}")


def fill(sentence: str, **parts: Inline) -> tuple[Inline, ...]:
    """``sentence`` with its ``{names}`` replaced by parts: a name in code, a link, a gap, or words."""
    pieces = _PLACE.split(sentence)
    found: list[Inline] = [parts[piece] if place % 2 else piece for place, piece in enumerate(pieces)]
    return tuple(piece for piece in found if piece != "")


def told(fact: Fact) -> str:
    """A fact in words: ``macro-F1 on the test part: 0.871``."""
    return fact_text(fact.name, fact.value, fact.unit)


def moment(at: datetime, timezone: str) -> str:
    """A moment with its time zone, as the language writes it."""
    return f"{format_datetime(at, ZoneInfo(timezone))} ({timezone})"


def read_json(artifacts: ArtifactStore, artifact: Artifact, name: str) -> dict[str, Any]:
    """A JSON segment of an artifact, its bytes compared with their digests first; raises ``artifact.altered``."""
    artifacts.verify(artifact)
    document: dict[str, Any] = json.loads(artifacts.path(artifact, name).read_text(encoding="utf-8"))
    return document


def maker(ledger: Ledger, stage: str, output: str, digest: str) -> Run | None:
    """The latest finished run of ``stage`` that made this very artifact."""
    for run in ledger.runs(stage):
        made = run.output(output)
        if run.status == "done" and made is not None and made.digest == digest:
            return run
    return None


def provenance(run: Run, digest: str, timezone: str) -> list[Block]:
    """The run that a document tells of: what anybody needs to find it again in the ledger."""
    rows: list[tuple[str, Code | str]] = [
        (_("Run"), Code(run.id)),
        (_("Stage"), Code(run.stage)),
        (_("Ended"), moment(run.ended, timezone)),
        (_("Digest of the artifact (SHA-256)"), Code(digest)),
        (_("Digest of solution.yaml at that run (SHA-256)"), Code(run.spec)),
    ]
    rows += [(name, Code(version)) for name, version in sorted(run.environment.items())]
    return [Heading(_("Provenance")), Table(_("Where this document comes from"), (_("what"), _("value")), tuple(rows))]
