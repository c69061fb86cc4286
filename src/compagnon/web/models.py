"""A model: families compared on the same folds, its test, what it confuses, its card. All from its evaluation."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from compagnon.chain.artifact import Artifact
from compagnon.i18n import _, current, format_number
from compagnon.operate.feedback.store import count_feedback
from compagnon.render.chart import on_dark
from compagnon.services.model_api.problem import Refused
from compagnon.spec.model import Model, text_of
from compagnon.web import markdown
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

WORST = 20
CHARTS = ("confusion", "roc", "confidence", "classes")
_SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')


@dataclass(frozen=True)
class Models:
    """Handlers of ``/models/{name}``, its card and its charts."""

    view: View

    def show(self, request: Request) -> Response:
        name, model = self._model(request)
        solution = self.view.solution
        run = solution.current(f"train/{name}")
        artifact = self._evaluation(name)
        values: dict[str, Any] = {
            "name": name,
            "title": self._title(name, model),
            "model": model,
            "run": run,
            "evaluation": None,
        }
        if artifact is not None:
            solution.artifacts.verify(artifact)
            text = solution.artifacts.path(artifact, "evaluation.json").read_text(encoding="utf-8")
            values |= described(json.loads(text))
            values["drawn"] = {chart: self._size(artifact, chart) for chart in CHARTS if _has(artifact, chart)}
        told = visitor_of(request).may("feedback.read")
        values["feedback"] = count_feedback(solution.engine, name) if told else None
        values["card"] = solution.artifact(f"package/{name}", f"package/{name}") is not None
        return self.view.page(request, "model.html", values)

    def card(self, request: Request) -> Response:
        name, model = self._model(request)
        solution = self.view.solution
        artifact = solution.artifact(f"package/{name}", f"package/{name}")
        if artifact is None:
            raise Refused(404, "page.no-card", _("There is no card for this model yet."))
        segment = f"card.{current()}.md"
        solution.artifacts.verify(artifact, segment)
        text = solution.artifacts.path(artifact, segment).read_text(encoding="utf-8")
        body = re.sub(r"^# .*\n", "", text.partition("\n---\n")[2].lstrip(), count=1)
        values = {
            "name": name,
            "title": self._title(name, model),
            "card": markdown.render(body),
            "run": solution.current(f"package/{name}"),
        }
        return self.view.page(request, "card.html", values)

    def chart(self, request: Request) -> Response:
        name, _model = self._model(request)
        chart, artifact = request.path_params["chart"], self._evaluation(name)
        if artifact is None or chart not in CHARTS or not _has(artifact, chart):
            raise Refused(404, "page.no-chart", _("There is no such chart for this model."))
        solution = self.view.solution
        solution.artifacts.verify(artifact)
        body = solution.artifacts.path(artifact, _file(chart)).read_text(encoding="utf-8")
        if request.query_params.get("on") == "dark":
            body = on_dark(body)
        return Response(body, media_type="image/svg+xml", headers={"vary": "Accept-Language, Cookie"})

    def _model(self, request: Request) -> tuple[str, Model]:
        name = request.path_params["name"]
        model = self.view.solution.spec.models.get(name)
        if model is None:
            raise Refused(404, "page.unknown-model", _("There is no model of that name."))
        return name, model

    @staticmethod
    def _title(name: str, model: Model) -> str:
        return text_of(model.title, current()) or name

    def _evaluation(self, name: str) -> Artifact | None:
        return self.view.solution.artifact(f"train/{name}", f"evaluation/{name}")

    def _size(self, artifact: Artifact, chart: str) -> tuple[str, str]:
        """Width and height, so that the page does not jump when the picture comes."""
        head = self.view.solution.artifacts.path(artifact, _file(chart)).read_text(encoding="utf-8")[:600]
        found = _SIZE.search(head)
        return (found[1], found[2]) if found else ("380", "370")


def described(document: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of an evaluation."""
    language = current()
    families = sorted(document["families"], key=lambda family: -family["mean"])
    report = document["test_part"]
    return {
        "evaluation": document,
        "metric": metric_word(document["metric"]),
        "families": [
            {
                **family,
                "low": min(family["scores"]),
                "high": max(family["scores"]),
                "options": ", ".join(f"{key} = {_option(value)}" for key, value in family["params"].items()),
            }
            for family in families
        ],
        "refused": document.get("measured", {}).get("refused", []),
        "metrics": [
            {"name": metric_word(name), **value}
            for name, value in report["metrics"].items()
            if value["value"] is not None
        ],
        "worst": report["worst_confusions"][:WORST],
        "charts": {chart: texts[language] for chart, texts in document["charts"].items() if language in texts},
        "calibration": report["reliability"]["expected_calibration_error"],
    }


def metric_word(name: str) -> str:
    """A metric in words."""
    return {
        "macro_f1": _("F1, mean of the classes"),
        "accuracy": _("share of right answers"),
        "balanced_accuracy": _("recall, mean of the classes"),
        "roc_auc": _("area under the ROC curve"),
    }.get(name, name)


def _option(value: Any) -> str:
    return format_number(value, 4) if isinstance(value, float) and abs(value) >= 0.0001 else str(value)


def _file(chart: str) -> str:
    return f"{chart}.svg" if current() == "fr" else f"{chart}.{current()}.svg"


def _has(artifact: Artifact, chart: str) -> bool:
    return any(segment.name == _file(chart) for segment in artifact.segments)
