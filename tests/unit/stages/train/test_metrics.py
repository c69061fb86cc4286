"""Metrics, against scikit-learn's and against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from compagnon.stages.train import metrics, temperature

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


@given(PAIRS)
@pytest.mark.filterwarnings("ignore:y_pred contains classes:UserWarning")
def test_summary_is_scikit_learn_s(pairs: list[tuple[int, int]]) -> None:
    true, predicted = (np.array(side) for side in zip(*pairs, strict=True))
    found = metrics.summary(metrics.confusion(true, predicted, 4))
    assert found["macro_f1"] == pytest.approx(reference.f1_score(true, predicted, average="macro", zero_division=0))
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(true, predicted))
    recalls = reference.recall_score(true, predicted, average=None, labels=sorted(set(true.tolist())), zero_division=0)
    assert found["balanced_accuracy"] == pytest.approx(recalls.mean())


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_area_is_scikit_learn_s_ties_included(pairs: list[tuple[bool, int]]) -> None:
    true, score = (np.array(side) for side in zip(*pairs, strict=True))
    if true.all() or not true.any():
        return
    grid, rates, area = metrics.roc(true, score / 5)
    assert area == pytest.approx(reference.roc_auc_score(true, score))
    assert (np.diff(rates) >= -1e-9).all()
    assert len(grid) == len(rates)


def test_interval_holds_the_value_and_narrows_with_rows() -> None:
    matrix = np.array([[40, 10], [5, 45]])
    value = float(metrics.summary(matrix)["macro_f1"])
    low, high = metrics.intervals(matrix, 1)["macro_f1"]
    more_low, more_high = metrics.intervals(matrix * 20, 1)["macro_f1"]
    assert low < value < high
    assert low < more_low < more_high < high
    assert metrics.intervals(matrix, 1) == metrics.intervals(matrix, 1)


def test_interval_is_that_of_drawing_rows() -> None:
    matrix = np.array([[30, 8, 2], [6, 25, 4], [1, 3, 21]])
    true, predicted = (np.repeat(index.ravel(), matrix.ravel()) for index in np.indices((3, 3)))
    generator = np.random.default_rng(5)
    drawn = []
    for _round in range(2000):
        rows = generator.integers(0, len(true), len(true))
        drawn.append(float(metrics.summary(metrics.confusion(true[rows], predicted[rows], 3))["macro_f1"]))
    assert metrics.intervals(matrix, 1, 4000)["macro_f1"] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.01)


def test_reliability_counts_every_row_and_is_zero_for_an_honest_model() -> None:
    probabilities = np.array([[0.75, 0.25]] * 4)
    found = metrics.reliability(np.array([0, 0, 0, 1]), probabilities)
    assert sum(row["rows"] for row in found["bins"]) == 4
    assert found["expected_calibration_error"] == pytest.approx(0)


def test_temperature_cools_the_doubtful_and_changes_no_label() -> None:
    generator = np.random.default_rng(0)
    target = generator.integers(0, 3, 3000)
    scores = np.eye(3)[target] * 2 + generator.normal(size=(3000, 3))
    fitted = temperature.fit(scores * 5, target)
    assert fitted == pytest.approx(5 * temperature.fit(scores, target), rel=0.01)
    assert (temperature.softmax(scores, fitted).argmax(1) == scores.argmax(1)).all()
    sure = metrics.reliability(target, temperature.softmax(scores * 5))["expected_calibration_error"]
    fair = metrics.reliability(target, temperature.softmax(scores * 5, fitted))["expected_calibration_error"]
    assert fair < sure / 3


def test_softmax_bears_huge_scores() -> None:
    found = temperature.softmax(np.array([[1e300, 0.0], [-1e300, 0.0]]))
    assert found.tolist() == [[1.0, 0.0], [0.0, 1.0]]
