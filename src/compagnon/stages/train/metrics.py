"""How good predictions are: scores, their intervals, curves. All from codes and probabilities, in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

RESAMPLES = 1000
CURVE_POINTS = 101
BINS = 10


def confusion(true: Array, predicted: Array, classes: int) -> Array:
    """Counts of shape (classes, classes): rows are what is true, columns what was predicted."""
    import numpy as np

    return np.bincount(true * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def per_class(matrix: Array) -> dict[str, Array]:
    """Precision, recall and F1 (0 where undefined) and support, over the last two axes of ``matrix``."""
    import numpy as np

    hits = np.diagonal(matrix, axis1=-2, axis2=-1).astype(float)
    support, answers = matrix.sum(axis=-1), matrix.sum(axis=-2)
    zero = np.zeros_like(hits)
    return {
        "precision": np.divide(hits, answers, out=zero.copy(), where=answers > 0),
        "recall": np.divide(hits, support, out=zero.copy(), where=support > 0),
        "f1": np.divide(2 * hits, support + answers, out=zero.copy(), where=support + answers > 0),
        "support": support,
        "answers": answers,
    }


def summary(matrix: Array) -> dict[str, Array]:
    """Macro-F1 over classes that are true or predicted somewhere, accuracy, balanced accuracy, of any matrices."""
    import numpy as np

    part = per_class(matrix)
    seen = (part["support"] + part["answers"]) > 0
    present = part["support"] > 0
    hits = np.diagonal(matrix, axis1=-2, axis2=-1).sum(axis=-1)
    return {
        "macro_f1": (part["f1"] * seen).sum(axis=-1) / np.maximum(seen.sum(axis=-1), 1),
        "accuracy": hits / np.maximum(matrix.sum(axis=(-2, -1)), 1),
        "balanced_accuracy": (part["recall"] * present).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1),
    }


def intervals(matrix: Array, seed: int, resamples: int = RESAMPLES) -> dict[str, tuple[float, float]]:
    """95 % percentile bootstrap intervals of ``summary``, rows drawn with replacement.

    Drawing rows and counting them again is one multinomial draw over the cells of the matrix. Source: Efron and
    Tibshirani, An Introduction to the Bootstrap, chapter 13.
    """
    import numpy as np

    total = int(matrix.sum())
    cells = np.flatnonzero(matrix.ravel())
    generator = np.random.default_rng(seed)
    draws = generator.multinomial(total, matrix.ravel()[cells] / total, size=resamples)
    found: dict[str, list[Array]] = {}
    for start in range(0, resamples, 100):  # a matrix of 77 classes a thousand times over would fill the memory
        block = np.zeros((len(draws[start : start + 100]), matrix.size), dtype=np.int64)
        block[:, cells] = draws[start : start + 100]
        for name, values in summary(block.reshape(-1, *matrix.shape)).items():
            found.setdefault(name, []).append(values)
    bounds = {name: np.percentile(np.concatenate(values), [2.5, 97.5]) for name, values in found.items()}
    return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}


def roc(true: Array, score: Array) -> tuple[Array, Array, float]:
    """False and true positive rates on a fixed grid, and the area under the whole curve; ties count half."""
    import numpy as np

    order = np.argsort(-score, kind="stable")
    hits, last = true[order].astype(float), np.append(np.diff(score[order]) != 0, True)
    true_positive = np.concatenate([[0.0], np.cumsum(hits)[last]])
    false_positive = np.concatenate([[0.0], np.cumsum(1 - hits)[last]])
    rates = true_positive / true_positive[-1], false_positive / false_positive[-1]
    area = float(np.trapezoid(rates[0], rates[1]))
    grid = np.linspace(0, 1, CURVE_POINTS)
    # np.interp takes the last of equal abscissas only at its right: the curve must rise at once where it is vertical.
    return grid, np.interp(grid, rates[1] + 1e-12 * np.arange(len(rates[1])), rates[0]), area


def areas(true: Array, probabilities: Array) -> dict[int, float]:
    """Area under each class's curve against the rest; two classes have one curve, of the second."""
    classes = probabilities.shape[1]
    wanted = [1] if classes == 2 else range(classes)
    found = {}
    for code in wanted:
        positive = true == code
        if positive.any() and not positive.all():
            found[code] = roc(positive, probabilities[:, code])[2]
    return found


def mean_area(true: Array, probabilities: Array) -> float | None:
    """Mean of ``areas``; None where no class can be told from the rest."""
    found = areas(true, probabilities)
    return sum(found.values()) / len(found) if found else None


def reliability(true: Array, probabilities: Array) -> dict[str, Any]:
    """How often the model is right at each confidence, and the expected calibration error.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks.
    """
    import numpy as np

    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == true
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    found, error = [], 0.0
    for index in range(BINS):
        inside = bins == index
        count = int(inside.sum())
        row: dict[str, Any] = {"from": index / BINS, "to": (index + 1) / BINS, "rows": count}
        row["confidence"] = float(confidence[inside].mean()) if count else None
        row["right"] = float(right[inside].mean()) if count else None
        if count:
            error += count / len(true) * abs(row["confidence"] - row["right"])
        found.append(row)
    return {"bins": found, "expected_calibration_error": error}


def of_name(name: str, true: Array, probabilities: Array) -> float:
    """The metric ``name`` of a model's declaration; 0 where the area under the curve is undefined."""
    classes = probabilities.shape[1]
    if name == "roc_auc":
        return mean_area(true, probabilities) or 0.0
    return float(summary(confusion(true, probabilities.argmax(axis=1), classes))[name])
