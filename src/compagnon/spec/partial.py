"""As much of a spec as can be read: what has a wrong shape is left out, so that the rest can still be checked."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from compagnon.spec.finding import Finding
from compagnon.spec.locator import Path
from compagnon.spec.model import Spec
from compagnon.spec.shape import findings

_ROUNDS = 20


def validate(model: type[Spec], data: dict[str, Any]) -> tuple[Spec | None, list[Finding]]:
    """The spec, whole or without what is wrong in it (None if nothing can be kept), and the mistakes of shape."""
    first: list[Finding] = []
    kept: dict[str, Any] = data
    for _round in range(_ROUNDS):
        try:
            return model.model_validate(kept, by_alias=True, by_name=False), first
        except ValidationError as error:
            found = findings(error, model, kept)
        if kept is data:
            first, kept = found, copy.deepcopy(data)
        _leave_out(kept, found)
    return None, first


def _leave_out(data: dict[str, Any], found: Iterable[Finding]) -> None:
    for finding in found:
        path = _to_mapping_key(finding.path)
        # What is missing, or was left out by an earlier round, takes the section that needs it along.
        while path and not _drop(data, path):
            path = path[:-1]
    data.setdefault("version", 1)
    data.setdefault("name", "unnamed")


def _drop(data: dict[str, Any], path: Path) -> bool:
    holder: Any = data
    for part in path[:-1]:
        holder = holder.get(part) if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or path[-1] not in holder:
        return False
    del holder[path[-1]]
    return True


def _to_mapping_key(path: Path) -> Path:
    """``path`` up to its first list: leaving out one item would move the others."""
    return next((path[:index] for index, part in enumerate(path) if isinstance(part, int)), path)
