"""Who asks: a person with an account, a machine with a key, or nobody known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["person", "key", "anonymous"]


@dataclass(frozen=True)
class Identity:
    """Who asks, and what they may do; ``name`` and ``role`` are for display, ``rights`` decide."""

    kind: Kind
    id: str
    name: str
    role: str
    rights: frozenset[str]
    language: str | None = None

    def may(self, right: str) -> bool:
        return right in self.rights

    @property
    def author(self) -> str:
        """What is written beside a note, a correction or a run: never a name, so that an erased person leaves none."""
        return "anonymous" if self.kind == "anonymous" else f"{self.kind}:{self.id}"


def anonymous(rights: Iterable[str] = ()) -> Identity:
    """Somebody who has not signed in, with what the administrator allows."""
    return Identity("anonymous", "", "", "anonymous", frozenset(rights))
