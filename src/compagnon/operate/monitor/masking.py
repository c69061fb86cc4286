"""What may be kept of a model's inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from compagnon.privacy.classes import keep_of
from compagnon.privacy.patterns import mask_text
from compagnon.spec.model import Spec

Mask = Callable[[Mapping[str, Any]], dict[str, Any]]


def mask_of(spec: Spec, model: str) -> Mask:
    """What takes from a row of ``model`` the columns that must not leave the raw zone, and masks every text."""
    table = spec.tables.get(spec.models[model].table) if model in spec.models else None
    columns = table.columns if table else {}
    secret = frozenset(name for name, column in columns.items() if keep_of(column) in ("drop", "pseudonym"))

    def mask(row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value if type(value) is float else _value(value) for name, value in row.items() if name not in secret
        }

    return mask


def mask_row(spec: Spec, model: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """``row`` without the columns that must not leave the raw zone, and every text masked."""
    return mask_of(spec, model)(row)


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)
