"""Linear support vector machine: the widest margin between each class and the rest."""

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


class SvmOptions(TextOptions):
    """Linear support vector machine (squared hinge); probabilities come from the temperature fitted on the folds."""

    kind: Literal["svm"] = "svm"
    C: Grid | None = Field(
        None,
        description="Inverse strength of the penalty (1 for text, 0.1 for columns); a list is compared on the folds.",
    )
    balanced: bool = Field(False, description="Weigh classes by the inverse of their frequency.")


class Svm:
    name: ClassVar[str] = "svm"
    extra: ClassVar[str | None] = None
    rank: ClassVar[int] = 20
    Options: ClassVar[type[EstimatorOptions]] = SvmOptions

    def candidates(self, options: EstimatorOptions, task: TaskName) -> list[Candidate]:
        options = cast(SvmOptions, options)
        text = task == "text-classification"
        view = options.view() if text else TableView(scaled=True)
        strengths = options.C if options.C is not None else (1.0 if text else 0.1)
        shared = {"balanced": options.balanced, "dual": text}
        return [Candidate(params, view) for params in grid(C=strengths, **shared)]

    def fit(
        self, params: dict[str, Any], features: Any, target: np.ndarray[Any, Any], classes: int, seed: int
    ) -> Affine:
        return support_vectors(features, target, params["C"], params["balanced"], params["dual"], seed)


def support_vectors(
    features: Any, target: np.ndarray[Any, Any], strength: float, balanced: bool, dual: bool, seed: int
) -> Affine:
    """One machine per class against the rest; ``dual`` suits more features than rows."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    weight = "balanced" if balanced else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # close enough: folds judge the result
        model = LinearSVC(C=strength, class_weight=weight, dual=dual, random_state=seed).fit(features, target)
    return of_linear(model.coef_, model.intercept_)
