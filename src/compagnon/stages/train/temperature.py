"""From scores to probabilities: one temperature, fitted where the model had not seen the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

LOWEST, HIGHEST = 0.01, 100.0


def softmax(scores: np.ndarray[Any, Any], temperature: float = 1.0) -> np.ndarray[Any, Any]:
    """Probabilities of shape (rows, classes) from scores divided by ``temperature``."""
    import numpy as np

    scaled = np.asarray(scores, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit(scores: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> float:
    """The temperature with the smallest log loss, found by golden section on its logarithm.

    Each row leaves a little doubt, 1 in as many rows as its class has on average plus 2: few rows told apart without a
    mistake are no reason for certainty. Sources: Guo et al. 2017; Platt 1999 for the doubt. One number cannot change
    which class is best, so it changes no label.
    """
    import numpy as np

    rows, classes = np.arange(len(target)), scores.shape[1]
    doubt = 1.0 / (len(target) / classes + 2.0)

    def loss(logarithm: float) -> float:
        scaled = scores / float(np.exp(logarithm))
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        logs = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        right = logs[rows, target]
        wrong = (logs.sum(axis=1) - right) / (classes - 1)
        return float(-((1 - doubt) * right + doubt * wrong).mean())

    low, high = float(np.log(LOWEST)), float(np.log(HIGHEST))
    ratio = (5**0.5 - 1) / 2
    for _step in range(40):
        first, second = high - ratio * (high - low), low + ratio * (high - low)
        if loss(first) <= loss(second):
            high = second
        else:
            low = first
    # Few digits: the same on every machine, whatever the last bits of the scores.
    return float(f"{np.exp((low + high) / 2):.4g}")
