"""What the checks look at: the spec as far as it could be read, and the names that the user wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Literal

from compagnon.errors import Problem
from compagnon.spec.finding import Finding, nearest
from compagnon.spec.locator import Path
from compagnon.spec.model import Spec

STORE_INSTANCE = "store/data"


class Unreadable(list[str]):
    """Names that could not be read: none is listed, none is said to be absent."""

    def __contains__(self, name: object) -> bool:
        return True


@dataclass
class Scene:
    """One check: parts of ``raw`` that have a wrong shape are absent from ``spec``, but their names still count."""

    spec: Spec
    raw: dict[str, Any]
    root: FilePath
    known_facts: Collection[str] | None = None
    findings: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def error(self, code: str, what: str, *path: str | int, next: str | None = None, key: bool = False) -> None:
        self.findings.append(Finding(code, what, path, next, "key" if key else "value"))

    def warn(self, code: str, what: str, *path: str | int, next: str | None = None, key: bool = False) -> None:
        at: Literal["key", "value"] = "key" if key else "value"
        self.findings.append(Finding(code, what, path, next, at, "warning"))

    def known(self, code: str, what: str, name: str, valid: Collection[str], path: Path, key: bool = False) -> bool:
        """Whether ``name`` is among ``valid``; if not, an error ``what`` with the nearest."""
        if name in valid:
            return True
        self.error(code, what, *path, next=nearest(name, valid), key=key)
        return False

    def names(self, *path: str) -> list[str]:
        """The keys written at ``path``; when no keys can be read there, a list that seems to hold every name."""
        value: Any = self.raw
        for part in path:
            if part not in value:
                return []
            value = value[part]
            if not isinstance(value, dict):
                return Unreadable()
        return list(value)

    def raw_at(self, *path: str) -> Any:
        """What the user wrote at ``path``; None when there is nothing."""
        value: Any = self.raw
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def columns(self, table: str) -> list[str]:
        return self.names("tables", table, "columns")

    def written(self, *path: str) -> bool:
        """Whether the user wrote a key at ``path``."""
        return path[-1] in self.names(*path[:-1])

    def stage_instances(self) -> Iterator[str]:
        """Names of all stage instances of the solution."""
        yield from (f"collect/{name}" for name in self.names("sources"))
        yield from (f"prepare/{name}" for name in self.names("tables"))
        if self.names("tables"):
            yield STORE_INSTANCE
        for stage in ("train", "package"):
            yield from (f"{stage}/{name}" for name in self.names("models"))
