"""The keys of a running server: in memory, read again every second so that what another process did counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from compagnon.access.keys import Key, list_keys, match
from compagnon.chain.clock import Clock
from compagnon.errors import UserError

if TYPE_CHECKING:
    from sqlalchemy import Engine

FRESH_FOR = 1.0
"""Seconds during which keys are believed without looking again: a revoked key may live that long."""
NEW_AFTER = 0.1
"""Seconds after which an unknown key is worth another look: it may have been made a moment ago."""
REFRESH_AFTER = 0.5
"""Seconds after which a busy server reads again in the background, so that no request has to wait for it."""
BLIND_FOR = 10.0
"""Seconds during which the last known keys serve while the database does not answer."""


@dataclass
class Keyring:
    """All keys, looked up without the database; ``find`` may read it, so it belongs in a thread."""

    engine: Engine
    clock: Clock
    read: Callable[[Engine], list[Key]] = list_keys
    _keys: dict[str, Key] = field(default_factory=dict, init=False, repr=False)
    _read_at: float | None = field(default=None, init=False)
    _reading: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def find(self, text: str, now: datetime) -> Key | None:
        """The valid key that ``text`` is, else None; reads the database when what is known is old."""
        if not self.is_fresh():
            self._look(FRESH_FOR)
        key = match(text, self._keys)
        if key is None and self._age() >= NEW_AFTER:
            self._look(NEW_AFTER)
            key = match(text, self._keys)
        return key if key is not None and key.is_valid(now) else None

    def known(self, text: str, now: datetime) -> Key | None:
        """As ``find`` without ever reading: None also when that would be needed. For an event loop."""
        key = match(text, self._keys) if self.is_fresh() else None
        return key if key is not None and key.is_valid(now) else None

    def is_fresh(self) -> bool:
        return self._age() < FRESH_FOR

    def is_due(self) -> bool:
        """Whether reading again now would spare the next requests the wait."""
        return self._age() >= REFRESH_AFTER

    def refresh(self) -> None:
        """Read again if that is due; belongs in a thread. Raises UserError after a long while without the database."""
        self._look(REFRESH_AFTER)

    @property
    def generation(self) -> float | None:
        """Changes each time that keys are read: what was remembered of older ones no longer counts."""
        return self._read_at

    def _age(self) -> float:
        return float("inf") if self._read_at is None else self.clock.monotonic() - self._read_at

    def _look(self, younger_than: float) -> None:
        with self._reading:
            if self._age() < younger_than:
                return  # another thread has just looked
            moment = self.clock.monotonic()
            try:
                keys = self.read(self.engine)
            except UserError:
                if self._age() > BLIND_FOR:
                    raise
                return
            self._keys, self._read_at = {key.id: key for key in keys}, moment
