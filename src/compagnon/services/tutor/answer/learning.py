"""Learning from examples which questions are answered and which refused, measured on examples held out in turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from compagnon.errors import Location, Problem, UserError, UserErrors
from compagnon.i18n import _
from compagnon.services.tutor.answer.learned import (
    BESIDE_MEANING,
    FEATURES,
    KINDS,
    VERSION,
    Learned,
    digest_of,
)
from compagnon.services.tutor.answer.scope import Boundary
from compagnon.services.tutor.knowledge.model import Filled, Language
from compagnon.services.tutor.search.index import Index
from compagnon.services.tutor.search.language import language_of
from compagnon.spec.model import Section
from compagnon.spec.text import read_text

LEAST = 40
"""Examples of each side under which nothing is learned."""
FOLDS, TURNS = 10, 2
GAMMA, COST = 1.5, 2.0
FALSE_REFUSALS = 0.05
"""Share of the questions to be answered that may be refused, on examples held out. The threshold is chosen on them, so
new questions are refused somewhat more often."""
SURE = 0.92
"""Share of the answers called sure that are to questions to be answered, likewise."""

Kind = Literal["course", "out_of_scope", "near", "unanswerable", "uncovered"]


class Example(Section):
    """A question, and whether the tutor is to answer it."""

    question: Filled = Field(description="As a learner types it.")
    answerable: bool = Field(description="Whether the knowledge base answers it.")
    kind: Kind | None = Field(None, description="Why it is refused; it chooses the words of the refusal.")
    language: Language | None = Field(None, description="Its language; told by its words if absent.")


@dataclass(frozen=True)
class Measured:
    """How well examples held out in turn are decided."""

    examples: int
    f1: float
    """Of refusing."""
    recall: float
    """Share of the questions to be refused that are."""
    false_refusals: float
    """Share of the questions to be answered that are refused."""

    def as_dict(self) -> dict[str, Any]:
        """What scripts read."""
        return {
            "examples": self.examples,
            "f1": round(self.f1, 3),
            "recall": round(self.recall, 3),
            "false_refusals": round(self.false_refusals, 3),
        }


def read_examples(path: Path, shown: str) -> list[Example]:
    """The examples of a JSON Lines file. Raises UserErrors with each line that is wrong."""
    found: list[Example] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, line in enumerate(read_text(path, shown).splitlines(), 1):
        if not line.strip():
            continue
        try:
            example = Example.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            what = _("This line is no example of a question: {why}.").format(why=why)
            problems.append(Problem("scope.bad-example", what, Location(shown, number)))
            continue
        said = " ".join(example.question.casefold().split())
        if said in seen:
            problems.append(Problem("scope.example-twice", _("This question is there twice."), Location(shown, number)))
        seen.add(said)
        found.append(example)
    if problems:
        raise UserErrors(problems)
    for answerable in (True, False):
        count = sum(example.answerable == answerable for example in found)
        if count < LEAST:
            raise UserError(
                "scope.few-examples",
                _("There are {count} examples with `answerable: {value}`; at least {least} are needed.").format(
                    count=count, value=str(answerable).lower(), least=LEAST
                ),
                where=Location(shown),
            )
    return found


def learn(
    examples: Sequence[Example], path: Path, index: Index, told: Callable[[int, int], None] = lambda _done, _all: None
) -> tuple[Learned, Measured]:
    """What is learned from ``examples`` (of the file ``path``) about the base of ``index``, and how well it decides.

    ``told`` hears how many examples were looked at. Raises UserError where the base has no embedder.
    """
    if index.embedder is None:
        raise UserError(
            "scope.no-embedder",
            _("Learning from examples needs an embedder."),
            where=Location("solution.yaml"),
            next=_("Add `embedder: light` to `tutor` in solution.yaml."),
        )
    examples, seen, vectors, found = _looked_at(examples, index, told)
    center, spread = seen.mean(axis=0), seen.std(axis=0) + 1e-9
    rows = np.hstack([BESIDE_MEANING * (seen - center) / spread, vectors])
    right = np.array([example.answerable for example in examples])
    scores = _held_out(rows, right)
    threshold = _threshold(scores, right, found)
    refused = (scores < threshold) | ~found
    fitted = _machine().fit(rows, right)
    kinds = [KINDS.index(e.kind or ("course" if e.answerable else "uncovered")) for e in examples]
    learned = Learned(
        version=VERSION,
        examples=digest_of(path),
        embedder=index.embedder,
        center=center,
        spread=spread,
        support=fitted.support_vectors_.astype(np.float32),
        weights=fitted.dual_coef_[0],
        kinds=np.array(kinds, dtype=np.int8)[fitted.support_],
        start=float(fitted.intercept_[0]),
        gamma=GAMMA,
        threshold=threshold,
        sure=_sure(scores, right, threshold),
    )
    both = int((refused & ~right).sum())
    measured = Measured(
        examples=len(examples),
        f1=2 * both / max(1, int(refused.sum() + (~right).sum())),
        recall=both / max(1, int((~right).sum())),
        false_refusals=float(refused[right].mean()),
    )
    return learned, measured


def _looked_at(
    examples: Sequence[Example], index: Index, told: Callable[[int, int], None]
) -> tuple[list[Example], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """The examples that ask something, and for each: its features, its vector, and whether anything was found."""
    kept, seen, vectors, found = [], [], [], []
    boundaries: dict[str, Boundary] = {}
    for number, example in enumerate(examples, 1):
        spoken = index.spoken(example.language or language_of(example.question, index.base.language))
        boundary = boundaries.setdefault(spoken.base.language, Boundary(spoken.base))
        one = spoken.find(example.question)
        told(number, len(examples))
        if one.nearness is None:  # only small words: there is nothing to learn from
            continue
        features = boundary.features(one)
        kept.append(example)
        seen.append([features[name] for name in FEATURES])
        vectors.append(one.nearness.vector)
        found.append(bool(one.hits))
    return kept, np.array(seen), np.array(vectors, dtype=np.float64), np.array(found)


def _machine() -> Any:
    from sklearn.svm import SVC

    return SVC(C=COST, gamma=GAMMA)


def _held_out(rows: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The score of each example by machines that did not see it."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    turns = [
        cross_val_predict(
            _machine(), rows, right, cv=StratifiedKFold(FOLDS, shuffle=True, random_state=turn),
            method="decision_function",
        )
        for turn in range(TURNS)
    ]  # fmt: skip
    return np.asarray(np.mean(turns, axis=0))


def _threshold(scores: NDArray[np.float64], right: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    """Where refusing is best, among thresholds that refuse few questions to be answered."""
    best, value = -1.0, float(scores.min())
    for threshold in np.unique(scores):
        refused = (scores < threshold) | ~found
        if refused[right].mean() > FALSE_REFUSALS:
            continue
        f1 = 2 * float((refused & ~right).sum()) / max(1.0, float(refused.sum() + (~right).sum()))
        if f1 > best:
            best, value = f1, float(threshold)
    return value


def _sure(scores: NDArray[np.float64], right: NDArray[np.bool_], threshold: float) -> float:
    """The lowest score from which nearly all questions are to be answered."""
    for score in np.unique(scores[scores >= threshold]):
        if right[scores >= score].mean() >= SURE:
            return float(score)
    return float("inf")
