"""The clock is injected, so that plans are pure and tests can move time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The moment in UTC."""

    def monotonic(self) -> float:
        """Seconds from some point, never going back: for durations and leases."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
