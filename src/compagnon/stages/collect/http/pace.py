"""Time as a source sees it: injected, so that tests wait for nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

_SLICE = 0.5
"""Seconds after which a wait looks whether the run was asked to stop."""


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Pace:
    """``now`` in seconds from some point, ``utc`` the date, ``sleep``, and ``chance`` from 0 to 1 for the jitter."""

    now: Callable[[], float] = time.monotonic
    utc: Callable[[], datetime] = _utc
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def wait(self, seconds: float, look: Callable[[], None]) -> None:
        """Wait, calling ``look`` (which may raise Cancelled) now and then."""
        end = self.now() + seconds
        while (left := end - self.now()) > 0:
            look()
            self.sleep(min(left, _SLICE))
