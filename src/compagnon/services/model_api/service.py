"""Everything a prediction goes through, for the API and the pages alike."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from compagnon.access.keyring import Keyring
from compagnon.access.limits import Limiter
from compagnon.i18n import _
from compagnon.operate.monitor.recorder import Answered, Recorder
from compagnon.services.model_api.cache import Cache, Found
from compagnon.services.model_api.decode import Rows
from compagnon.services.model_api.log import predicted
from compagnon.services.model_api.metrics import Labels, Metrics
from compagnon.services.model_api.package import Outcome, Served
from compagnon.services.model_api.problem import FieldError, Refused
from compagnon.services.model_api.shelf import Shelf, Shelved
from compagnon.services.model_api.work import Work

if TYPE_CHECKING:
    from compagnon.solution import Solution

_log = logging.getLogger(__name__)
T = TypeVar("T")
INSTEAD = ("predict.overloaded", "predict.timeout")
"""Refusals in the place of which a declared fall-back is answered."""
REASONS = 5
"""Terms given for one prediction."""
MOST_EXPLAINED = 20
"""Rows explained in one request: reasons cost many predictions each."""


class Said(NamedTuple):
    """An outcome without its probabilities: from memory, or in the place of the model."""

    label: str
    confidence: float
    decide: str
    probabilities: Sequence[float] = ()


@dataclass(frozen=True)
class Answer:
    """What a model says of some rows; ``because`` by row where it was asked for.

    ``instead`` is why this is the declared fall-back answer and not the model's.
    """

    model: str
    version: str
    labels: Sequence[str]
    outcomes: Sequence[Outcome]
    because: Sequence[Sequence[Mapping[str, Any]]] | None = None
    instead: Refused | None = None

    def as_dict(self) -> dict[str, Any]:
        predictions: list[dict[str, Any]] = [
            {"label": o.label, "confidence": round(float(o.confidence), 6), "decide": o.decide} for o in self.outcomes
        ]
        for prediction, reasons in zip(predictions, self.because or (), strict=False):
            prediction["because"] = [{"term": r["term"], "effect": round(float(r["effect"]), 6)} for r in reasons]
        answer: dict[str, Any] = {"model": self.model, "version": self.version, "predictions": predictions}
        if self.instead is not None:
            problem = self.instead.problem
            answer["fallback"] = {"code": problem.code, "reason": problem.detail}
        return answer


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

    def compute(self, shelved: Shelved, rows: Rows, explain: bool, from_memory: bool = False) -> Answer:
        """Predict (and explain) in the calling thread; ``from_memory`` where an answer given before will do."""
        if explain and len(rows) > MOST_EXPLAINED:
            what = _("Reasons are given for at most {most} rows in one request.").format(most=MOST_EXPLAINED)
            raise Refused(
                422, "predict.too-many-explained", what, errors=[FieldError(None, "rows", "too-many-rows", what)]
            )
        package = shelved.package
        outcomes: Sequence[Outcome]
        if from_memory and shelved.cache is not None:
            outcomes = _remembered(shelved.cache, package, rows)
        else:
            outcomes = package.predict(rows)
        because = [package.explain(row, REASONS) for row in rows] if explain else None
        return Answer(shelved.name, shelved.version, package.labels, outcomes, because)

    async def predict(
        self,
        shelved: Shelved,
        decode: Callable[[], Rows],
        *,
        request_id: str,
        by: str,
        explain: bool = False,
        for_program: bool = False,
    ) -> tuple[Rows, Answer]:
        """Decode and predict in a thread, count and record; raises Refused.

        ``for_program``: answers may come from memory, or be the declared fall-back.
        """

        def job() -> tuple[Rows, Answer]:
            rows = decode()
            return rows, self.compute(shelved, rows, explain, for_program)

        limits = shelved.model.serve.limits
        try:
            rows, answer = await self.work.run(shelved.name, limits.queue, limits.timeout.total_seconds(), job)
        except Refused as refused:
            fallback = shelved.model.serve.fallback if for_program else None
            if fallback is None or refused.problem.code not in INSTEAD:
                raise
            rows = await asyncio.to_thread(decode)
            self.metrics.fell_back(shelved.name, refused.problem.code, len(rows))
            said = [Said(fallback.label, 0.0, "person")] * len(rows)
            return rows, Answer(shelved.name, shelved.version, shelved.package.labels, said, instead=refused)
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
        kept: dict[Labels, float] = {}
        hits: dict[Labels, float] = {}
        for name in self.shelf.names:
            if (shelved := self.shelf.find(name)) is not None and shelved.cache is not None:
                kept[(("model", name),)] = float(len(shelved.cache))
                hits[(("model", name), ("version", shelved.version))] = float(shelved.cache.hits)
        gauges: Mapping[str, tuple[str, str, Mapping[Labels, float]]] = {
            "compagnon_model_loaded": ("gauge", "Package served by model and version.", loaded),
            "compagnon_model_refused": ("gauge", "1 while the newest package is refused.", refused),
            "compagnon_cache_answers": ("gauge", "Answers kept in memory.", kept),
            "compagnon_cache_hits_total": ("counter", "Rows answered from memory.", hits),
            "compagnon_requests_in_hand": ("gauge", "Prediction requests queued or at work.", waiting),
            "compagnon_predictions_recorded_total": ("counter", "Rows written to the record.", {(): counts.written}),
            "compagnon_predictions_dropped_total": ("counter", "Rows that could not be kept.", {(): counts.dropped}),
            "compagnon_predictions_torn_total": ("counter", "Lines lost in a crash.", {(): counts.torn}),
        }
        return self.metrics.text(gauges)


def _remembered(cache: Cache[Found], package: Served, rows: Rows) -> list[Said]:
    """What is kept of ``rows``, and what the package says of the others."""
    asked = [[row.get(one.name) for one in package.inputs] for row in rows]

    def compute(wanted: Sequence[Mapping[str, Any]]) -> list[Found]:
        return [(o.label, float(o.confidence), o.decide) for o in package.predict(wanted)]

    return [Said(*found) for found in cache.answers(asked, rows, compute)]


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
