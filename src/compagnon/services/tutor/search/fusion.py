"""Several rankings of the same documents made one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from compagnon.services.tutor.search.bm25 import Scores


def fused(rankings: Iterable[tuple[float, Scores]]) -> Scores:
    """The weighted sum of rankings, each brought to the same scale: standard deviations above its mean.

    What stands below the mean of a ranking counts as 0 there: it is no evidence against a document. Summing
    standardized scores keeps how far ahead the first is, which rank fusion (RRF) loses.
    """
    total: Scores | None = None
    for weight, scores in rankings:
        spread = float(scores.std()) if scores.size else 0.0
        above = np.maximum((scores - scores.mean()) / spread, 0.0) if spread > 1e-9 else np.zeros_like(scores)
        total = weight * above if total is None else total + weight * above
    return np.zeros(0) if total is None else total
