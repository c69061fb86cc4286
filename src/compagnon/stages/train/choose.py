"""Choosing a family: all on the same folds, the cheap ones first, within the time budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from compagnon.i18n import _
from compagnon.spec.model import EstimatorOptions, TaskName
from compagnon.stages.train import metrics, temperature
from compagnon.stages.train.port import Candidate, Estimator, Fitted, FittedView, View

if TYPE_CHECKING:
    import numpy as np

    from compagnon.features.inputs import Feeds, Input
    from compagnon.stages.train.split import Codes, Fold

KEPT = 1_000_000_000
"""Bytes of features that are kept for the next family; beyond, they are made again."""


@dataclass(frozen=True)
class Learning:
    """What there is to learn: training rows as feeds, their class codes, and the folds."""

    task: TaskName
    inputs: tuple[Input, ...]
    feeds: Feeds
    target: Codes
    classes: int
    folds: Sequence[Fold]
    seed: int


@dataclass(frozen=True)
class Trial:
    """One candidate on the folds. ``seconds`` is measured; all else is reproducible."""

    family: str
    rank: int
    candidate: Candidate
    scores: tuple[float, ...]
    """The metric on each fold."""
    macro_f1: float
    """Mean macro-F1 over the folds, whatever the metric."""
    temperature: float
    seconds: float

    @property
    def mean(self) -> float:
        return sum(self.scores) / len(self.scores)


@dataclass(frozen=True)
class Refusal:
    """A candidate that was not tried to its end, and the seconds it would have taken."""

    family: str
    candidate: Candidate
    expected: float


@dataclass
class Comparison:
    """Families on the same folds; views are made once per fold and shared."""

    learning: Learning
    metric: str
    budget: float
    now: Callable[[], float]
    progress: Callable[[str, int, int], None] = lambda message, done, total: None
    trials: list[Trial] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    _views: dict[tuple[View, int], tuple[Any, Any]] = field(default_factory=dict)

    def run(self, families: Sequence[tuple[Estimator, EstimatorOptions]]) -> Trial:
        """Try all, in the order of their rank; returns the best, ties going to the simpler."""
        started = self.now()
        todo = [
            (estimator, candidate)
            for estimator, options in sorted(families, key=lambda family: family[0].rank)
            for candidate in estimator.candidates(options, self.learning.task)
        ]
        for position, (estimator, candidate) in enumerate(todo):
            self.progress(_("comparing {family}").format(family=estimator.name), position, len(todo))
            self._try(estimator, candidate, started)
        # The first of equals: trials stand in the order of rank. Last bits do not decide.
        return max(self.trials, key=lambda trial: (round(trial.mean, 9), -self.trials.index(trial)))

    def _try(self, estimator: Estimator, candidate: Candidate, started: float) -> None:
        begin = self.now()
        count = len(self.learning.folds)
        left = self.budget - (begin - started)
        always = estimator.rank == 0 or not self.trials
        if candidate.probe and not always:
            params, times = candidate.probe
            self._features(candidate.view, 0)
            viewed = self.now()
            self._fit_fold(estimator, dict(params), candidate.view, 0)
            expected = (viewed - begin) * count + (self.now() - viewed) * times * (count + 1)
            if expected > left:
                self.refused.append(Refusal(estimator.name, candidate, expected))
                return
        outcomes = []
        for fold in range(count):
            outcomes.append(self._fit_fold(estimator, dict(candidate.params), candidate.view, fold))
            expected = (self.now() - begin) * (count + 1)
            if fold == 0 and expected > left and not always:
                self.refused.append(Refusal(estimator.name, candidate, expected))
                return
        self.trials.append(self._trial(estimator, candidate, outcomes, self.now() - begin))

    def _trial(
        self, estimator: Estimator, candidate: Candidate, outcomes: list[np.ndarray[Any, Any]], seconds: float
    ) -> Trial:
        import numpy as np

        truths = [self.learning.target[held] for _train, held in self.learning.folds]
        # The baseline answers the shares of the classes as they are.
        learned = estimator.rank > 0
        chosen = temperature.fit(np.concatenate(outcomes), np.concatenate(truths)) if learned else 1.0
        pairs = [(t, temperature.softmax(s, chosen)) for t, s in zip(truths, outcomes, strict=True)]
        scores = tuple(metrics.of_name(self.metric, *pair) for pair in pairs)
        f1 = sum(metrics.of_name("macro_f1", *pair) for pair in pairs) / len(pairs)
        return Trial(estimator.name, estimator.rank, candidate, scores, f1, chosen, seconds)

    def _features(self, view: View, fold: int) -> tuple[Any, Any]:
        key = (view, fold)
        if key not in self._views:
            train, held = self.learning.folds[fold]
            rows, others = (take(self.learning.feeds, part) for part in (train, held))
            fitted = view.fit(self.learning.inputs, rows)
            made = (fitted.transform(rows), fitted.transform(others))
            if sum(_size(part) for part in made) * len(self.learning.folds) > KEPT:
                return made
            self._views[key] = made
        return self._views[key]

    def _fit_fold(self, estimator: Estimator, params: dict[str, Any], view: View, fold: int) -> np.ndarray[Any, Any]:
        features, others = self._features(view, fold)
        target = self.learning.target[self.learning.folds[fold][0]]
        return _fit(estimator, params, features, target, self.learning.classes, self.learning.seed, others)


def refit(estimator: Estimator, trial: Trial, learning: Learning) -> tuple[FittedView, Fitted]:
    """The chosen candidate, learned from all training rows."""
    view = trial.candidate.view.fit(learning.inputs, learning.feeds)
    features = view.transform(learning.feeds)
    params = dict(trial.candidate.params)
    return view, estimator.fit(params, features, learning.target, learning.classes, learning.seed)


def _size(matrix: Any) -> int:
    """Bytes of a dense or sparse matrix."""
    return int(matrix.data.nbytes)


def take(feeds: Feeds, rows: Codes) -> Feeds:
    """The feeds of some rows."""
    return {name: values[rows] for name, values in feeds.items()}


def _fit(
    estimator: Estimator, params: dict[str, Any], features: Any, target: Codes, classes: int, seed: int, others: Any
) -> np.ndarray[Any, Any]:
    """Scores for ``others``; a class that is absent from this fold's training rows scores below all others."""
    import numpy as np

    present = np.unique(target)
    if len(present) == classes:
        return estimator.fit(params, features, target, classes, seed).scores(others)
    compact = np.searchsorted(present, target)
    if len(present) == 1:
        found = np.zeros((others.shape[0], 1))
    else:
        found = estimator.fit(params, features, compact, len(present), seed).scores(others)
    scores = np.full((others.shape[0], classes), found.min(initial=0.0) - 10.0)
    scores[:, present] = found
    return scores
