"""Sealing: a package speaks for a model only if both answer the same."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compagnon.errors import UserError
from compagnon.i18n import _

if TYPE_CHECKING:
    import numpy as np

TOLERANCE = 1e-4
TIMED_ROWS = 200


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one prediction of one row."""

    p50: float
    p95: float


def difference(model: np.ndarray[Any, Any], package: np.ndarray[Any, Any]) -> float:
    """The largest difference of probability; raises UserError ``package.disagrees`` where it exceeds 1e-4.

    Labels must be the same unless the model's two best differ by less than that.
    """
    import numpy as np

    found = float(np.abs(model - package).max(initial=0.0))
    ordered = np.sort(model, axis=1)
    decided = ordered[:, -1] - ordered[:, -2] >= TOLERANCE
    other = (model.argmax(axis=1) != package.argmax(axis=1)) & decided
    if not np.isfinite(package).all() or found > TOLERANCE or other.any():
        raise UserError(
            "package.disagrees",
            _(
                "On {count} of {rows} rows the package does not answer as the model does (largest difference {gap})."
            ).format(
                count=int(((np.abs(model - package).max(axis=1) > TOLERANCE) | other).sum()),
                rows=len(model),
                gap=f"{found:.2g}",
            ),
            next=_("Leave out the family that was chosen, and report this: an exported model must be exact."),
        )
    return found


def latency(predict: Callable[[int], object], rows: int, now: Callable[[], float]) -> Latency:
    """Time single predictions of up to 200 rows after a short warm-up."""
    for row in range(min(rows, 5)):
        predict(row)
    times = []
    for row in range(min(rows, TIMED_ROWS)):
        start = now()
        predict(row)
        times.append((now() - start) * 1000)
    ordered = sorted(times)
    return Latency(statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))])
