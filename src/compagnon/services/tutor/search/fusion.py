"""Several rankings of the same documents made one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from compagnon.services.tutor.search.bm25 import Scores

Weight = float | Scores
"""What a ranking counts for: the same for all documents, or for each its own."""


def fused(rankings: Iterable[tuple[Weight, Scores]]) -> Scores:
    """The weighted sum of rankings, each brought to the same scale: standard deviations above its mean.

    What stands below the mean of a ranking counts as 0 there: it is no evidence against a document. Summing
    standardized scores keeps how far ahead the first is, which rank fusion (RRF) loses.
    """
    total: Scores | None = None
    for weight, scores in rankings:
        spread = float(scores.std()) if scores.size else 0.0
        # Documents that are all alike (one alone, say) are told apart by nothing: each counts where it has anything.
        above = np.maximum((scores - scores.mean()) / spread, 0.0) if spread > 1e-9 else (scores > 0).astype(np.float64)
        total = weight * above if total is None else total + weight * above
    return np.zeros(0) if total is None else total
