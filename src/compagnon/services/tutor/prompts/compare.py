"""Two prompts on the same questions: the difference of each measure, with an interval that says what can be told apart.

The interval is a percentile bootstrap over questions, in pairs: the same question answered by both. It speaks of other
questions of the kind of the set, not of another day of the service.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from compagnon.services.tutor.prompts.measure import MEASURES
from compagnon.services.tutor.prompts.scores import Answer

DRAWS = 4000
SEED = 1
LEVEL = 0.95
FEW = 6
"""Questions under which nothing is told apart: five that all agree may still be chance (sign test, 6 %)."""

Verdict = Literal["same", "unclear", "better", "worse", "more", "less"]


@dataclass(frozen=True)
class Difference:
    """One measure of two prompts over the questions where both have it; ``low`` and ``high`` bound ``change``."""

    measure: str
    questions: int
    before: float
    after: float
    change: float
    low: float
    high: float
    verdict: Verdict

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def compare(before: Sequence[Answer], after: Sequence[Answer]) -> list[Difference]:
    """The measures that both have of the same questions, in the usual order."""
    others = {answer.number: answer for answer in after}
    pairs = [(answer.values, others[answer.number].values) for answer in before if answer.number in others]
    found = []
    for name in MEASURES:
        both = [
            (a, b) for one, other in pairs if (a := one.get(name)) is not None and (b := other.get(name)) is not None
        ]
        if both:
            found.append(_difference(name, np.array(both, dtype=float)))
    return found


def _difference(name: str, pairs: np.ndarray[Any, np.dtype[np.float64]]) -> Difference:
    changes = pairs[:, 1] - pairs[:, 0]
    drawn = np.random.default_rng(SEED).integers(0, len(changes), (DRAWS, len(changes)))
    low, high = np.quantile(changes[drawn].mean(axis=1), ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    change = float(changes.mean())
    before, after = (float(value) for value in pairs.mean(axis=0))
    verdict: Verdict
    if not changes.any():
        verdict = "same"
    elif len(changes) < FEW or low <= 0 <= high:
        verdict = "unclear"
    elif not MEASURES[name].gated and not MEASURES[name].less_is_better:
        verdict = "more" if change > 0 else "less"
    else:
        verdict = "better" if (change > 0) != MEASURES[name].less_is_better else "worse"
    return Difference(name, len(changes), before, after, change, float(low), float(high), verdict)
