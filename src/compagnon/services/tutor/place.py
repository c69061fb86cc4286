"""Where the tutor of a solution keeps what it knows."""

from __future__ import annotations

from pathlib import Path

from compagnon.errors import Location, UserError
from compagnon.i18n import _
from compagnon.spec.model import Spec, Tutor


def tutor_of(spec: Spec) -> Tutor:
    """The section ``tutor`` of ``spec``; raises UserError ``tutor.none`` when there is none."""
    if spec.tutor is None:
        raise UserError(
            "tutor.none",
            _("This solution has no tutor."),
            where=Location("solution.yaml"),
            next=_("Add `tutor:` to solution.yaml, with `knowledge:` and the folder of its knowledge base."),
        )
    return spec.tutor


def knowledge_folder(root: Path, spec: Spec) -> Path:
    """The folder of the knowledge base of the solution in ``root``; raises UserError ``tutor.none``."""
    return root / tutor_of(spec).knowledge
