"""How often a key may ask: a token bucket for each."""

from __future__ import annotations

from dataclasses import dataclass, field

from compagnon.chain.clock import Clock

MOST_BUCKETS = 10_000


@dataclass
class _Bucket:
    tokens: float
    at: float


@dataclass
class Limiter:
    """Buckets by name, in memory of one process: a full minute's worth at first, then refilled evenly."""

    clock: Clock
    _buckets: dict[str, _Bucket] = field(default_factory=dict, init=False, repr=False)

    def take(self, name: str, per_minute: int) -> float:
        """Take one of ``per_minute`` tokens; returns 0, or the seconds after which there will be one again."""
        now, rate = self.clock.monotonic(), per_minute / 60.0
        bucket = self._buckets.get(name)
        if bucket is None:
            self._forget_full(now, rate)
            bucket = self._buckets[name] = _Bucket(float(per_minute), now)
        bucket.tokens = min(float(per_minute), bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.tokens >= 1.0:
            bucket.tokens -= 1.0
            return 0.0
        return (1.0 - bucket.tokens) / rate

    def _forget_full(self, now: float, rate: float) -> None:
        """Buckets untouched for a minute are full again: forgetting them changes nothing and bounds memory."""
        if len(self._buckets) >= MOST_BUCKETS:
            self._buckets = {name: b for name, b in self._buckets.items() if now - b.at < 60.0}
