"""Estimators as a port: how a model is learned, and how what was learned is written as an ONNX graph.

An adapter says which view of the inputs each of its candidates learns from; the stage makes each view once per fold and
shares it. A fitted estimator gives *scores* (log-odds or log-probabilities, up to a constant per row); the stage turns
scores into probabilities by one temperature, fitted on the folds, the same for every family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from compagnon.spec.model import EstimatorOptions, TaskName

if TYPE_CHECKING:
    import numpy as np

    from compagnon.features.inputs import Feeds, Input
    from compagnon.stages.train.graph import Graph

    Matrix = Any
    """A NumPy array or a SciPy sparse matrix of shape (rows, features)."""


class FittedView(Protocol):
    """A view with what it learned from the training rows: vocabularies, means, categories."""

    def transform(self, feeds: Feeds) -> Matrix:
        """Features of shape (rows, features)."""

    def export(self, graph: Graph) -> str:
        """Write the same into the graph; returns the name of the float32 features."""


class View(Protocol):
    """How inputs become features. Views are frozen and compare by value, so that equal views are made once."""

    def fit(self, inputs: Sequence[Input], feeds: Feeds) -> FittedView:
        """Learn from training rows."""


class Fitted(Protocol):
    """What an estimator learned."""

    def scores(self, features: Matrix) -> np.ndarray[Any, Any]:
        """Scores of shape (rows, classes); the highest is the prediction."""

    def export(self, graph: Graph, features: str) -> str:
        """Write the same into the graph, behind ``features``; returns the name of the float32 scores."""


@dataclass(frozen=True)
class Candidate:
    """One setting of an estimator: the hyper-parameters to show, and the view it learns from."""

    params: tuple[tuple[str, Any], ...]
    view: View
    probe: tuple[tuple[tuple[str, Any], ...], float] | None = None
    """Cheaper parameters, and how many times longer the real ones take: tells the cost without paying it."""


class Estimator(Protocol):
    """One family. Adapters import light: heavy libraries wait inside ``fit``."""

    name: ClassVar[str]
    extra: ClassVar[str | None]
    """The extra that brings its library; None when it is always there."""
    rank: ClassVar[int]
    """Cheap and simple first: the order in which families are tried, and what settles a tie."""
    Options: ClassVar[type[EstimatorOptions]]

    def candidates(self, options: EstimatorOptions, task: TaskName) -> list[Candidate]:
        """The settings to compare, simplest first."""

    def fit(
        self, params: dict[str, Any], features: Matrix, target: np.ndarray[Any, Any], classes: int, seed: int
    ) -> Fitted:
        """Learn ``target`` (codes from 0 to classes - 1, each present) from ``features``."""


def grid(**choices: Any) -> list[tuple[tuple[str, Any], ...]]:
    """All combinations of the values given, a single value or a list of them, in the order written."""
    import itertools

    names = list(choices)
    values = [v if isinstance(v, list | tuple) else (v,) for v in choices.values()]
    return [tuple(zip(names, combination, strict=True)) for combination in itertools.product(*values)]
