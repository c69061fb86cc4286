"""What the documents share: facts in words, sentences with names in them, and where a document comes from."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from compagnon.chain.artifact import Artifact, ArtifactStore
from compagnon.chain.fact import FACTS, Fact
from compagnon.chain.ledger import Ledger
from compagnon.chain.run import Run
from compagnon.i18n import _, current, format_datetime, format_duration, format_number
from compagnon.render.document import Block, Code, Heading, Inline, Table

_PLACE = re.compile(r"\{(\w+)\}")
_SMALLEST = 0.001
_WRITTEN = ("ms", "µs", "kB", "MB", "%")
"""Units that are written after a value; those of counts (row, class) are in the meaning of the fact."""


def fill(sentence: str, **parts: Inline) -> tuple[Inline, ...]:
    """``sentence`` with its ``{names}`` replaced by parts: a name in code, a link, a gap, or words."""
    pieces = _PLACE.split(sentence)
    found: list[Inline] = [parts[piece] if place % 2 else piece for place, piece in enumerate(pieces)]
    return tuple(piece for piece in found if piece != "")


def meaning(name: str) -> str:
    """What a fact says, in the language in use; its name if it is not listed."""
    definition = FACTS.get(name)
    return name if definition is None else definition.fr if current() == "fr" else definition.en


def value(fact: Fact) -> str:
    """A fact's value with its unit, as the language writes it."""
    found = fact.value
    if found is None or found == "":
        return "–"
    if isinstance(found, bool):
        return _("yes") if found else _("no")
    if isinstance(found, str):
        return found
    if fact.unit == "second":
        return format_duration(float(found))
    if 0 < abs(found) < _SMALLEST:
        number = f"< {format_number(_SMALLEST, 3)}"  # not "0.000", which would say that there is nothing
    else:
        number = format_number(found, 3) if isinstance(found, float) else format_number(found)
    unit = {"byte": _("bytes")}.get(fact.unit, fact.unit if fact.unit in _WRITTEN else "")
    return f"{number} {unit}".rstrip()


def told(fact: Fact) -> str:
    """A fact in words: ``macro-F1 on the test part: 0.871``."""
    return _("{meaning}: {value}").format(meaning=meaning(fact.name), value=value(fact))


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
