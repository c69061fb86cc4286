"""Two opinions in one: naive Bayes (what is frequent) and a support vector machine (what separates), averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import Field

from compagnon.spec.model import EstimatorOptions, TaskName
from compagnon.stages.train.affine import Affine
from compagnon.stages.train.naive_bayes import complement
from compagnon.stages.train.port import Candidate, grid
from compagnon.stages.train.svm import support_vectors
from compagnon.stages.train.text_options import Grid, Share, TextOptions

if TYPE_CHECKING:
    import numpy as np


class BlendOptions(TextOptions):
    """Mean of the standardized scores of complement naive Bayes and a linear support vector machine. Text only."""

    kind: Literal["blend"] = "blend"
    alpha: Grid = Field(0.1, description="Smoothing of naive Bayes; a list is compared on the folds.")
    C: Grid = Field(1.0, description="Inverse strength of the machine's penalty; a list is compared on the folds.")
    share: Share | tuple[Share, ...] = Field(
        0.5, description="Share of naive Bayes, from 0 to 1; a list is compared on the folds."
    )


class Blend:
    name: ClassVar[str] = "blend"
    extra: ClassVar[str | None] = None
    rank: ClassVar[int] = 30
    Options: ClassVar[type[EstimatorOptions]] = BlendOptions

    def candidates(self, options: EstimatorOptions, task: TaskName) -> list[Candidate]:
        options = cast(BlendOptions, options)
        if task != "text-classification":
            return []
        combinations = grid(alpha=options.alpha, C=options.C, share=options.share)
        return [Candidate(params, options.view()) for params in combinations]

    def fit(
        self, params: dict[str, Any], features: Any, target: np.ndarray[Any, Any], classes: int, seed: int
    ) -> Affine:
        from sklearn.naive_bayes import ComplementNB

        counts = complement(ComplementNB(alpha=params["alpha"]).fit(features, target).feature_log_prob_)
        machine = support_vectors(features, target, params["C"], False, True, seed)
        first, second = (_standardized(part, features) for part in (counts, machine))
        share = params["share"]
        return Affine(
            share * first.weights + (1 - share) * second.weights,
            share * first.intercept + (1 - share) * second.intercept,
        )


def _standardized(part: Affine, features: Any) -> Affine:
    """``part`` with scores of mean 0 per row and deviation 1 over the training rows."""
    weights = part.weights - part.weights.mean(axis=1, keepdims=True)
    intercept = part.intercept - part.intercept.mean()
    deviation = Affine(weights, intercept).scores(features).std() or 1.0
    return Affine(weights / deviation, intercept / deviation)
