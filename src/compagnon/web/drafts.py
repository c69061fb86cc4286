"""What was written in a form whose session ended: kept in memory for half an hour, for whoever wrote it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from compagnon.access.token import new_token
from compagnon.chain.clock import Clock

KEEP_SECONDS = 1800.0
MOST = 200
LONGEST = 60_000
"""Characters of one draft; a longer one is not kept."""


@dataclass(frozen=True)
class _Draft:
    owner: str
    at: float
    fields: dict[str, str]


@dataclass
class Drafts:
    """Drafts by a random token; the oldest goes where there are too many."""

    clock: Clock
    _kept: dict[str, _Draft] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def keep(self, owner: str, fields: dict[str, str]) -> str:
        """Keep ``fields`` for ``owner``; returns the token, empty where nothing was kept."""
        if not owner or sum(map(len, fields.values())) > LONGEST:
            return ""
        token, now = new_token(), self.clock.monotonic()
        with self._lock:
            self._kept = {name: draft for name, draft in self._kept.items() if now - draft.at < KEEP_SECONDS}
            while len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[token] = _Draft(owner, now, fields)
        return token

    def find(self, owner: str, token: str) -> dict[str, str]:
        """What was kept, as often as it is asked for (a page may be loaded again); empty for others."""
        with self._lock:
            draft = self._kept.get(token)
        if draft is None or draft.owner != owner or self.clock.monotonic() - draft.at >= KEEP_SECONDS:
            return {}
        return dict(draft.fields)
