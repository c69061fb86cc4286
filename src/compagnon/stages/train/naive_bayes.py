"""Naive Bayes: counts which terms go with which class; cheapest of those that learn, and strong on short texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import Field

from compagnon.spec.model import EstimatorOptions, TaskName
from compagnon.stages.train.affine import Affine
from compagnon.stages.train.port import Candidate, Fitted, grid
from compagnon.stages.train.text_options import Grid, TextOptions
from compagnon.stages.train.view_table import TableView

if TYPE_CHECKING:
    import numpy as np

    from compagnon.stages.train.graph import Graph


class NaiveBayesOptions(TextOptions):
    """Complement naive Bayes on text (Rennie et al. 2003), Gaussian naive Bayes on columns."""

    kind: Literal["naive_bayes"] = "naive_bayes"
    alpha: Grid = Field(0.1, description="Smoothing of term counts (text); a list is compared on the folds.")


@dataclass(frozen=True)
class Gaussian:
    """Log-likelihood of independent normal columns: weights for squares and for values, and an intercept."""

    squares: np.ndarray[Any, Any]
    values: Affine

    def scores(self, features: Any) -> np.ndarray[Any, Any]:
        import numpy as np

        return np.asarray((features * features) @ self.squares + self.values.scores(features))

    def export(self, graph: Graph, features: str) -> str:
        squared = graph.add("MatMul", [graph.add("Mul", [features, features]), graph.constant(self.squares)])
        return graph.add("Add", [squared, self.values.export(graph, features)])


class NaiveBayes:
    name: ClassVar[str] = "naive_bayes"
    extra: ClassVar[str | None] = None
    rank: ClassVar[int] = 10
    Options: ClassVar[type[EstimatorOptions]] = NaiveBayesOptions

    def candidates(self, options: EstimatorOptions, task: TaskName) -> list[Candidate]:
        options = cast(NaiveBayesOptions, options)
        if task == "text-classification":
            return [Candidate(params, options.view()) for params in grid(alpha=options.alpha)]
        return [Candidate((), TableView(scaled=True))]

    def fit(
        self, params: dict[str, Any], features: Any, target: np.ndarray[Any, Any], classes: int, seed: int
    ) -> Fitted:
        if "alpha" in params:
            from sklearn.naive_bayes import ComplementNB

            model = ComplementNB(alpha=params["alpha"]).fit(features, target)
            return complement(model.feature_log_prob_)
        return _gaussian(features, target)


def complement(weights: np.ndarray[Any, Any]) -> Affine:
    """Scores of complement naive Bayes; weights are centered over classes, which no softmax sees."""
    import numpy as np

    centered = weights - weights.mean(axis=0)
    return Affine(np.ascontiguousarray(centered.T), np.zeros(len(weights)))


def _gaussian(features: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> Gaussian:
    import numpy as np
    from sklearn.naive_bayes import GaussianNB

    # Columns of rare categories are constant within a class: without this floor one of them would outvote all others.
    model = GaussianNB(var_smoothing=1e-2).fit(features.astype(np.float64), target)
    precision = 1.0 / model.var_
    constant = np.log(model.class_prior_) - 0.5 * (np.log(model.var_) + model.theta_**2 * precision).sum(axis=1)
    return Gaussian(-0.5 * precision.T, Affine((model.theta_ * precision).T, constant))
