"""Gradient-boosted trees: many small trees, each correcting those before it; strong on columns, costly on text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import Field

from compagnon.spec.model import EstimatorOptions, TaskName
from compagnon.stages.train.port import Candidate, View, grid
from compagnon.stages.train.text_options import TextOptions
from compagnon.stages.train.view_reduced import ReducedText
from compagnon.stages.train.view_table import TableView

if TYPE_CHECKING:
    import numpy as np

    from compagnon.stages.train.graph import Graph

FLOOR = 1e-7
"""Probabilities below this count as this much, in training and in the graph alike: float32 cannot tell them apart."""
PROBE_TREES = 5


class BoostingOptions(TextOptions):
    """Histogram-based gradient boosting; on text, over the first directions of the TF-IDF features."""

    kind: Literal["boosting"] = "boosting"
    trees: int | tuple[int, ...] = Field(100, description="Rounds of boosting; a list is compared on the folds.")
    rate: float | tuple[float, ...] = Field(0.1, description="Learning rate; a list is compared on the folds.")
    leaves: int = Field(31, ge=2, le=255, description="Leaves of one tree.")
    directions: int = Field(100, ge=2, le=500, description="Dense features that stand for a text.")


@dataclass(frozen=True)
class Trees:
    model: Any
    columns: int

    def scores(self, features: Any) -> np.ndarray[Any, Any]:
        import numpy as np

        return np.asarray(np.log(np.clip(self.model.predict_proba(features), FLOOR, 1.0)))

    def export(self, graph: Graph, features: str) -> str:
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import FloatTensorType

        from compagnon.stages.train.graph import OPSET

        part = to_onnx(
            self.model,
            initial_types=[("features", FloatTensorType([None, self.columns]))],
            options={"zipmap": False},
            target_opset={"": OPSET, "ai.onnx.ml": 3},
        )
        probabilities = graph.merge(part, features, part.graph.output[1].name)
        clipped = graph.add("Clip", [probabilities, graph.constant(FLOOR), graph.constant(1.0)])
        return graph.add("Log", [clipped])


class Boosting:
    name: ClassVar[str] = "boosting"
    extra: ClassVar[str | None] = None
    rank: ClassVar[int] = 50
    Options: ClassVar[type[EstimatorOptions]] = BoostingOptions

    def candidates(self, options: EstimatorOptions, task: TaskName) -> list[Candidate]:
        options = cast(BoostingOptions, options)
        view: View = TableView(scaled=False)
        if task == "text-classification":
            view = ReducedText(options.view(), options.directions)
        found = []
        for params in grid(trees=options.trees, rate=options.rate, leaves=options.leaves):
            trees = int(dict(params)["trees"])
            probe = None
            if trees > 2 * PROBE_TREES:
                probe = (tuple({**dict(params), "trees": PROBE_TREES}.items()), trees / PROBE_TREES)
            found.append(Candidate(params, view, probe))
        return found

    def fit(
        self, params: dict[str, Any], features: Any, target: np.ndarray[Any, Any], classes: int, seed: int
    ) -> Trees:
        import numpy as np
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(
            max_iter=params["trees"],
            learning_rate=params["rate"],
            max_leaf_nodes=params["leaves"],
            early_stopping=False,
            random_state=seed,
        )
        model.fit(np.asarray(features, dtype=np.float32), target)
        return Trees(model, features.shape[1])
