"""The baseline: always the same answer, the most frequent class. A model that does not beat it has learned nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from compagnon.features.inputs import DATE_WIDTH, DATES, STRINGS
from compagnon.spec.model import EstimatorOptions, TaskName
from compagnon.stages.train.port import Candidate, FittedView

if TYPE_CHECKING:
    import numpy as np

    from compagnon.features.inputs import Feeds, Input
    from compagnon.stages.train.graph import Graph


class DummyOptions(EstimatorOptions):
    """Always answers the most frequent class, with the shares of the classes as probabilities."""

    kind: Literal["dummy"] = "dummy"


@dataclass(frozen=True)
class Nothing:
    """A view that looks at nothing: features of shape (rows, 0)."""

    def fit(self, inputs: Sequence[Input], feeds: Feeds) -> FittedView:
        return FittedNothing(inputs[0])


@dataclass(frozen=True)
class FittedNothing:
    field: Input

    def transform(self, feeds: Feeds) -> np.ndarray[Any, Any]:
        import numpy as np

        return np.zeros((len(feeds[self.field.name]), 0))

    def export(self, graph: Graph) -> str:
        """The first input as it is: only its number of rows is used."""
        width = DATE_WIDTH if self.field.type in DATES else None
        return graph.input(self.field.name, "string" if self.field.type in STRINGS else "float", width)


@dataclass(frozen=True)
class Shares:
    logarithms: np.ndarray[Any, Any]

    def scores(self, features: Any) -> np.ndarray[Any, Any]:
        import numpy as np

        return np.tile(self.logarithms, (features.shape[0], 1))

    def export(self, graph: Graph, features: str) -> str:
        rows = graph.add("Shape", [features], start=0, end=1)
        shape = graph.add("Concat", [rows, graph.constant([len(self.logarithms)], "int64")], axis=0)
        return graph.add("Expand", [graph.constant(self.logarithms[None, :]), shape])


class Dummy:
    name: ClassVar[str] = "dummy"
    extra: ClassVar[str | None] = None
    rank: ClassVar[int] = 0
    Options: ClassVar[type[EstimatorOptions]] = DummyOptions

    def candidates(self, options: EstimatorOptions, task: TaskName) -> list[Candidate]:
        return [Candidate((), Nothing())]

    def fit(
        self, params: dict[str, Any], features: Any, target: np.ndarray[Any, Any], classes: int, seed: int
    ) -> Shares:
        import numpy as np

        return Shares(np.log(np.bincount(target, minlength=classes) / len(target)))
