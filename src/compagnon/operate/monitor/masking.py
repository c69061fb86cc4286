"""What may be kept of a model's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compagnon.privacy.classes import keep_of
from compagnon.privacy.patterns import mask_text
from compagnon.spec.model import Spec


def mask_row(spec: Spec, model: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """``row`` without the columns that must not leave the raw zone, and every text masked."""
    kept = {}
    table = spec.tables.get(spec.models[model].table) if model in spec.models else None
    for name, value in row.items():
        column = table.columns.get(name) if table else None
        if column is not None and keep_of(column) in ("drop", "pseudonym"):
            continue
        if isinstance(value, str):
            value = mask_text(value)
        elif value is not None and not isinstance(value, bool | int | float):
            value = str(value)
        kept[name] = value
    return kept
