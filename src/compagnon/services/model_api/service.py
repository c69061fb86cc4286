"""Everything a prediction goes through, for the API and the pages alike."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from compagnon.access.keyring import Keyring
from compagnon.access.limits import Limiter
from compagnon.i18n import _
from compagnon.operate.monitor.recorder import Answered, Recorder
from compagnon.services.model_api.decode import Rows
from compagnon.services.model_api.log import predicted
from compagnon.services.model_api.metrics import Labels, Metrics
from compagnon.services.model_api.package import Outcome
from compagnon.services.model_api.problem import FieldError, Refused
from compagnon.services.model_api.shelf import Shelf, Shelved
from compagnon.services.model_api.work import Work

if TYPE_CHECKING:
    from compagnon.solution import Solution

_log = logging.getLogger(__name__)
T = TypeVar("T")
REASONS = 5
"""Terms given for one prediction."""
MOST_EXPLAINED = 20
"""Rows explained in one request: reasons cost many predictions each."""


@dataclass(frozen=True)
class Answer:
    """What a model says of some rows; ``because`` by row where it was asked for."""

    model: str
    version: str
    labels: Sequence[str]
    outcomes: Sequence[Outcome]
    because: Sequence[Sequence[Mapping[str, Any]]] | None = None

    def as_dict(self) -> dict[str, Any]:
        predictions: list[dict[str, Any]] = [
            {"label": o.label, "confidence": round(float(o.confidence), 6), "decide": o.decide} for o in self.outcomes
        ]
        for prediction, reasons in zip(predictions, self.because or (), strict=False):
            prediction["because"] = [{"term": r["term"], "effect": round(float(r["effect"]), 6)} for r in reasons]
        return {"model": self.model, "version": self.version, "predictions": predictions}


@dataclass
class ModelService:
    """Packages, threads, keys, limits, counters and the record of predictions of one server process."""

    solution: Solution
    shelf: Shelf
    keyring: Keyring
    limiter: Limiter
    recorder: Recorder
    metrics: Metrics = field(default_factory=Metrics)
    work: Work = field(default_factory=Work)

    def start(self) -> None:
        self.recorder.start()
        self.shelf.start()

    def close(self) -> None:
        """Stop taking work, then write what was answered: nothing answered is lost."""
        self.shelf.close()
        self.work.close()
        self.recorder.close()

    def compute(self, shelved: Shelved, rows: Rows, explain: bool) -> Answer:
        """Predict (and explain) in the calling thread."""
        if explain and len(rows) > MOST_EXPLAINED:
            what = _("Reasons are given for at most {most} rows in one request.").format(most=MOST_EXPLAINED)
            raise Refused(
                422, "predict.too-many-explained", what, errors=[FieldError(None, "rows", "too-many-rows", what)]
            )
        package = shelved.package
        outcomes = package.predict(rows)
        because = [package.explain(row, REASONS) for row in rows] if explain else None
        return Answer(shelved.name, shelved.version, package.labels, outcomes, because)

    async def predict(
        self, shelved: Shelved, decode: Callable[[], Rows], *, request_id: str, by: str, explain: bool = False
    ) -> tuple[Rows, Answer]:
        """Decode and predict in a thread, count and record; raises Refused."""

        def job() -> tuple[Rows, Answer]:
            rows = decode()
            return rows, self.compute(shelved, rows, explain)

        rows, answer = await self.work.run(shelved.name, shelved.model.serve.limits.queue, job)
        self.metrics.predicted(answer.model, answer.version, (o.decide for o in answer.outcomes))
        predicted(_log, answer.model, answer.version, len(answer.outcomes), request_id)
        outcomes = [(o.label, float(o.confidence), o.decide) for o in answer.outcomes]
        self.recorder.add(
            Answered(self.solution.clock.now(), request_id, answer.model, answer.version, by, rows, outcomes)
        )
        return rows, answer

    def metrics_text(self) -> str:
        counts = self.recorder.counts
        loaded: dict[Labels, float] = {
            (("model", name), ("version", shelved.version)): 1.0
            for name in self.shelf.names
            if (shelved := self.shelf.find(name))
        }
        refused: dict[Labels, float] = {
            (("model", name),): float(state["refused"] is not None) for name, state in self.shelf.state().items()
        }
        waiting: dict[Labels, float] = {(("model", n),): float(count) for n, count in self.work.waiting.items()}
        gauges: Mapping[str, tuple[str, str, Mapping[Labels, float]]] = {
            "compagnon_model_loaded": ("gauge", "Package served by model and version.", loaded),
            "compagnon_model_refused": ("gauge", "1 while the newest package is refused.", refused),
            "compagnon_requests_in_hand": ("gauge", "Prediction requests queued or at work.", waiting),
            "compagnon_predictions_recorded_total": ("counter", "Rows written to the record.", {(): counts.written}),
            "compagnon_predictions_dropped_total": ("counter", "Rows that could not be kept.", {(): counts.dropped}),
            "compagnon_predictions_torn_total": ("counter", "Lines lost in a crash.", {(): counts.torn}),
        }
        return self.metrics.text(gauges)


def make_service(solution: Solution, shelf: Shelf | None = None, work: Work | None = None) -> ModelService:
    """The service of a solution, not yet started."""
    return ModelService(
        solution=solution,
        shelf=shelf or Shelf(solution),
        keyring=Keyring(solution.engine, solution.clock),
        limiter=Limiter(solution.clock),
        recorder=Recorder(solution.workspace.predictions, solution.engine, solution.spec, solution.clock),
        work=work or Work(),
    )
