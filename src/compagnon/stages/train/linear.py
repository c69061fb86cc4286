"""Logistic regression: one weight per feature and class, with honest probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import Field

from compagnon.spec.model import EstimatorOptions, TaskName
from compagnon.stages.train.affine import Affine, of_linear
from compagnon.stages.train.port import Candidate, grid
from compagnon.stages.train.text_options import Grid, TextOptions
from compagnon.stages.train.view_table import TableView

if TYPE_CHECKING:
    import numpy as np


class LinearOptions(TextOptions):
    """Logistic regression, L2-penalized."""

    kind: Literal["linear"] = "linear"
    C: Grid | None = Field(
        None,
        description="Inverse strength of the penalty (10 for text, 1 for columns); a list is compared on the folds.",
    )
    balanced: bool = Field(False, description="Weigh classes by the inverse of their frequency.")


class Linear:
    name: ClassVar[str] = "linear"
    extra: ClassVar[str | None] = None
    rank: ClassVar[int] = 40
    Options: ClassVar[type[EstimatorOptions]] = LinearOptions

    def candidates(self, options: EstimatorOptions, task: TaskName) -> list[Candidate]:
        options = cast(LinearOptions, options)
        text = task == "text-classification"
        view = options.view() if text else TableView(scaled=True)
        strengths = options.C if options.C is not None else (10.0 if text else 1.0)
        shared = {"balanced": options.balanced, "sparse": text}
        return [Candidate(params, view) for params in grid(C=strengths, **shared)]

    def fit(
        self, params: dict[str, Any], features: Any, target: np.ndarray[Any, Any], classes: int, seed: int
    ) -> Affine:
        import warnings

        import numpy as np
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier

        weight = "balanced" if params["balanced"] else None
        if not params["sparse"]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # close enough: folds judge the result
                model = LogisticRegression(C=params["C"], class_weight=weight, max_iter=300)
                model.fit(features.astype(np.float64), target)
            return of_linear(model.coef_, model.intercept_)
        # One class against the rest by coordinate descent: several times faster than all at once on sparse features.
        one = LogisticRegression(C=params["C"], class_weight=weight, solver="liblinear", random_state=seed)
        if classes == 2:
            one.fit(features, target)
            return of_linear(one.coef_, one.intercept_)
        parts = OneVsRestClassifier(one).fit(features, target).estimators_
        return Affine(
            np.ascontiguousarray(np.concatenate([p.coef_ for p in parts]).T),
            np.concatenate([p.intercept_ for p in parts]),
        )
