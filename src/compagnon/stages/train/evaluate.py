"""The evaluation of a model: everything a page or a card shows of how good it is, as one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from compagnon.i18n import LANGUAGES, _, use
from compagnon.render import chart
from compagnon.stages.train import metrics
from compagnon.stages.train.choose import Comparison, Refusal, Trial

if TYPE_CHECKING:
    import numpy as np

EVALUATION_VERSION = 1
DRAWN_CURVES = 30


def families(comparison: Comparison, chosen: Trial) -> list[dict[str, Any]]:
    """Each candidate that was tried: its parameters, its scores by fold."""
    return [
        {
            "family": trial.family,
            "params": dict(trial.candidate.params),
            "view": type(trial.candidate.view).__name__,
            "scores": [_rounded(score) for score in trial.scores],
            "mean": _rounded(trial.mean),
            "macro_f1": _rounded(trial.macro_f1),
            "temperature": trial.temperature,
            "chosen": trial is chosen,
        }
        for trial in comparison.trials
    ]


def measured(comparison: Comparison) -> dict[str, Any]:
    """What depends on the machine: times, and what the budget refused. Not part of the digest."""
    return {
        "seconds": [
            {"family": t.family, "params": dict(t.candidate.params), "seconds": round(t.seconds, 3)}
            for t in comparison.trials
        ],
        "refused": [_refusal(refusal) for refusal in comparison.refused],
    }


def _refusal(refusal: Refusal) -> dict[str, Any]:
    return {
        "family": refusal.family,
        "params": dict(refusal.candidate.params),
        "expected_seconds": round(refusal.expected, 1),
    }


def test_report(
    labels: Sequence[str], true: np.ndarray[Any, Any], probabilities: np.ndarray[Any, Any], seed: int
) -> dict[str, Any]:
    """Metrics on the test part with their intervals, the matrix, curves, reliability.

    ``labels`` may name more classes than the model knows: rows of those count as errors.
    """
    import numpy as np

    known = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    matrix = metrics.confusion(true, predicted, len(labels))
    bounds = metrics.intervals(matrix, seed)
    values = metrics.summary(matrix)
    inside = true < known
    areas = metrics.areas(true[inside], probabilities[inside])
    part = metrics.per_class(matrix)
    reliability = metrics.reliability(true, probabilities)
    return {
        "rows": len(true),
        "metrics": {
            **{
                name: {
                    "value": _rounded(value),
                    "low": _rounded(bounds[name][0]),
                    "high": _rounded(bounds[name][1]),
                }
                for name, value in values.items()
            },
            "roc_auc": {
                "value": _rounded(sum(areas.values()) / len(areas)) if areas else None,
                "low": None,
                "high": None,
            },
        },
        "confusion": matrix.tolist(),
        "worst_confusions": [
            {"true": t, "predicted": p, "rows": n} for t, p, n in chart.worst_confusions(labels, matrix.tolist())
        ],
        "classes": [
            {
                "label": label,
                "precision": _rounded(part["precision"][code]),
                "recall": _rounded(part["recall"][code]),
                "f1": _rounded(part["f1"][code]),
                "support": int(part["support"][code]),
                "roc_auc": _rounded(areas[code]) if code in areas else None,
            }
            for code, label in enumerate(labels)
        ],
        "roc": _curves(labels, true[inside], probabilities[inside], areas),
        "reliability": {
            "bins": [
                {k: _rounded(v) if isinstance(v, float) else v for k, v in row.items()} for row in reliability["bins"]
            ],
            "expected_calibration_error": _rounded(reliability["expected_calibration_error"]),
        },
        "confidence": _confidence(np.asarray(probabilities.max(axis=1))),
    }


def charts(labels: Sequence[str], report: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Sentences and tables by chart and language; and the SVG files by name."""
    described: dict[str, Any] = {}
    files: dict[str, str] = {}
    for language in LANGUAGES:
        with use(language):
            for name, drawn in _draw(labels, report).items():
                described.setdefault(name, {})[language] = drawn.as_dict()
                files[f"{name}.svg" if language == "fr" else f"{name}.{language}.svg"] = drawn.svg
    return described, files


def _draw(labels: Sequence[str], report: dict[str, Any]) -> dict[str, chart.Chart]:
    drawn = {"confusion": chart.confusion(labels, report["confusion"])}
    if report["roc"]:
        curves = [
            (_("mean of the classes") if c["mean"] else c["label"], c["fpr"], c["tpr"], c["auc"]) for c in report["roc"]
        ]
        drawn["roc"] = chart.roc(curves)
    by_class = sorted(report["classes"], key=lambda row: (row["f1"], row["label"]))
    drawn["classes"] = chart.bars(_("F1 by class"), [chart.Bar(row["label"], row["f1"]) for row in by_class])
    confidence = report["confidence"]
    drawn["confidence"] = chart.histogram(_("Confidence on the test part"), confidence["edges"], confidence["counts"])
    return drawn


def _curves(
    labels: Sequence[str], true: np.ndarray[Any, Any], probabilities: np.ndarray[Any, Any], areas: dict[int, float]
) -> list[dict[str, Any]]:
    """The mean curve first, then those of the classes (the hardest ones when they are many)."""
    import numpy as np

    found = []
    for code in sorted(areas, key=lambda code: (areas[code], code)):
        grid, rates, area = metrics.roc(true == code, probabilities[:, code])
        found.append((False, labels[code], grid, rates, area))
    if len(found) > 1:
        mean = np.mean([curve[3] for curve in found], axis=0)
        found.insert(0, (True, "", found[0][2], mean, sum(areas.values()) / len(areas)))
    return [
        {
            "mean": is_mean,
            "label": label,
            "fpr": np.round(grid, 4).tolist(),
            "tpr": np.round(rates, 4).tolist(),
            "auc": _rounded(area),
        }
        for is_mean, label, grid, rates, area in found[: DRAWN_CURVES + 1]
    ]


def _confidence(confidence: np.ndarray[Any, Any]) -> dict[str, Any]:
    import numpy as np

    counts, edges = np.histogram(np.clip(confidence, 0.0, 1.0), bins=20, range=(0.0, 1.0))
    return {"edges": np.round(edges, 4).tolist(), "counts": counts.tolist()}


def _rounded(value: Any) -> float:
    """Six digits: more would only show the last bits of one machine."""
    return round(float(value), 6)
