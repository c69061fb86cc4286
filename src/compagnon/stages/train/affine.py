"""What most estimators end up as: one weight per feature and class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from compagnon.stages.train.graph import Graph


@dataclass(frozen=True)
class Affine:
    """Scores ``features @ weights + intercept``; weights of shape (features, classes), intercept (classes,)."""

    weights: np.ndarray[Any, Any]
    intercept: np.ndarray[Any, Any]

    def scores(self, features: Any) -> np.ndarray[Any, Any]:
        import numpy as np

        return np.asarray(features @ self.weights + self.intercept)

    def export(self, graph: Graph, features: str) -> str:
        return graph.affine(features, self.weights, self.intercept)


def of_linear(coefficients: np.ndarray[Any, Any], intercept: np.ndarray[Any, Any]) -> Affine:
    """From scikit-learn's ``coef_`` and ``intercept_``; with two classes its one row speaks for the second."""
    import numpy as np

    if coefficients.shape[0] == 1:
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercept = np.concatenate([np.zeros_like(intercept), intercept])
    return Affine(np.ascontiguousarray(coefficients.T), intercept)
