"""Counters of the server in Prometheus' text format (version 0.0.4), without a library: four kinds of lines."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Labels = tuple[tuple[str, str], ...]


@dataclass
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(BUCKETS, value)] += 1
        self.total += value


@dataclass
class Metrics:
    """Counts since the server started. Routes are templates (``/api/models/{name}``), never what was asked for."""

    requests: Counter[Labels] = field(default_factory=Counter)
    seconds: dict[str, _Histogram] = field(default_factory=dict)
    predictions: Counter[Labels] = field(default_factory=Counter)
    fallbacks: Counter[Labels] = field(default_factory=Counter)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        with self._guard:
            self.requests[(("method", method), ("route", route), ("status", str(status)))] += 1
            self.seconds.setdefault(route, _Histogram()).add(seconds)

    def requests_of(self, method: str, route: str, status: int, seconds: Iterable[float]) -> None:
        """Several requests that were answered alike, together."""
        with self._guard:
            histogram = self.seconds.setdefault(route, _Histogram())
            count = 0
            for count, value in enumerate(seconds, 1):  # noqa: B007
                histogram.add(value)
            self.requests[(("method", method), ("route", route), ("status", str(status)))] += count

    def predicted(self, model: str, version: str, decisions: Iterable[str]) -> None:
        with self._guard:
            for decide, count in Counter(decisions).items():
                self.predictions[(("model", model), ("version", version), ("decide", decide))] += count

    def fell_back(self, model: str, code: str, rows: int) -> None:
        with self._guard:
            self.fallbacks[(("model", model), ("code", code))] += rows

    def text(self, gauges: Mapping[str, tuple[str, str, Mapping[Labels, float]]]) -> str:
        """The whole page. ``gauges`` by name: type, meaning, values by labels."""
        with self._guard:
            lines = _family("compagnon_requests_total", "counter", "Requests answered.", self.requests)
            lines += _family("compagnon_predictions_total", "counter", "Rows predicted.", self.predictions)
            lines += _family("compagnon_fallbacks_total", "counter", "Rows answered by the fall-back.", self.fallbacks)
            name = "compagnon_request_seconds"
            lines += [f"# HELP {name} Time to answer.", f"# TYPE {name} histogram"]
            for route, histogram in sorted(self.seconds.items()):
                running = 0
                for bound, count in zip((*BUCKETS, "+Inf"), histogram.counts, strict=True):
                    running += count
                    lines.append(f"{name}_bucket{_braces((('route', route), ('le', str(bound))))} {running}")
                lines.append(f"{name}_sum{_braces((('route', route),))} {histogram.total:.6f}")
                lines.append(f"{name}_count{_braces((('route', route),))} {running}")
        for family, (kind, meaning, values) in gauges.items():
            lines += _family(family, kind, meaning, values)
        return "\n".join(lines) + "\n"


def _family(name: str, kind: str, meaning: str, values: Mapping[Labels, float]) -> list[str]:
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
    return lines + [f"{name}{_braces(labels)} {value:.15g}" for labels, value in sorted(values.items())]


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    escaped = ((key, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for key, value in labels)
    return "{" + ",".join(f'{key}="{value}"' for key, value in escaped) + "}"
