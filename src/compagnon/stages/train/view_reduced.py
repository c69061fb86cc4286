"""Text as a few dense features, for estimators that cannot take a hundred thousand sparse ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compagnon.stages.train.port import FittedView
from compagnon.stages.train.view_text import TextView

if TYPE_CHECKING:
    from compagnon.features.inputs import Feeds, Input
    from compagnon.stages.train.graph import Graph


@dataclass(frozen=True)
class ReducedText:
    """The first ``size`` directions of the TF-IDF features (latent semantic analysis, Deerwester et al. 1990)."""

    text: TextView
    size: int = 100

    def fit(self, inputs: Sequence[Input], feeds: Feeds) -> FittedView:
        import numpy as np
        from sklearn.decomposition import TruncatedSVD

        text = self.text.fit(inputs, feeds)
        features = text.transform(feeds)
        size = min(self.size, min(features.shape) - 1)
        if size < 1:
            return FittedReduced(text, np.ones((features.shape[1], 1)))
        reduction = TruncatedSVD(size, algorithm="randomized", n_iter=4, random_state=0).fit(features)
        return FittedReduced(text, reduction.components_.T)


@dataclass(frozen=True)
class FittedReduced:
    text: FittedView
    directions: Any

    def transform(self, feeds: Feeds) -> Any:
        import numpy as np

        return np.asarray(self.text.transform(feeds) @ self.directions, dtype=np.float32)

    def export(self, graph: Graph) -> str:
        return graph.add("MatMul", [self.text.export(graph), graph.constant(self.directions)])
