"""The documents that there are, by kind: what the command line and the pages ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from compagnon.chain.artifact import ArtifactStore
from compagnon.chain.ledger import Ledger
from compagnon.evidence.logbook import logbook
from compagnon.evidence.model_card import model_card
from compagnon.evidence.quality import quality_report
from compagnon.render.document import Document, Language
from compagnon.spec.model import Spec

Kind = Literal["quality", "card", "logbook"]


def document_of(
    kind: Kind,
    name: str | None,
    language: Language,
    *,
    spec: Spec,
    ledger: Ledger,
    artifacts: ArtifactStore,
    named: Callable[[str], str] = str,
) -> Document:
    """The document of that kind about ``name`` (a table, a model; nothing for the logbook).

    ``named`` gives the name to show for an author as it is kept.
    """
    if kind == "logbook":
        return logbook(language, spec=spec, ledger=ledger, named=named)
    write = quality_report if kind == "quality" else model_card
    return write(name or "", language, spec=spec, ledger=ledger, artifacts=artifacts)
