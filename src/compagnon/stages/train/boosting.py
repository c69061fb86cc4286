"""Gradient-boosted trees: many small trees, each correcting those before it; strong on columns, costly on text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, cast

from pydantic import Field

from compagnon.spec.model import EstimatorOptions, TaskName
from compagnon.stages.train.port import Candidate, View, grid
from compagnon.stages.train.text_options import TextOptions
from compagnon.stages.train.view_reduced import ReducedText
from compagnon.stages.train.view_table import TableView

if TYPE_CHECKING:
    import numpy as np

    from compagnon.stages.train.graph import Graph

PROBE_TREES = 5
Rounds = Annotated[int, Field(ge=1, le=2000)]
Rate = Annotated[float, Field(gt=0, le=1)]


class BoostingOptions(TextOptions):
    """Histogram-based gradient boosting; on text, over the first directions of the TF-IDF features."""

    kind: Literal["boosting"] = "boosting"
    trees: Rounds | tuple[Rounds, ...] = Field(100, description="Rounds of boosting; a list is compared on the folds.")
    rate: Rate | tuple[Rate, ...] = Field(0.1, description="Learning rate; a list is compared on the folds.")
    leaves: int = Field(31, ge=2, le=255, description="Leaves of one tree.")
    directions: int = Field(100, ge=2, le=500, description="Dense features that stand for a text.")


@dataclass(frozen=True)
class Trees:
    """A fitted scikit-learn model; scores are its log-odds, the first of two classes at 0."""

    model: Any

    def scores(self, features: Any) -> np.ndarray[Any, Any]:
        import numpy as np

        raw = np.asarray(self.model.decision_function(features))
        return np.stack([np.zeros_like(raw), raw], axis=1) if raw.ndim == 1 else raw

    def export(self, graph: Graph, features: str) -> str:
        """One node that sums all leaves; written here because the converter at hand fails on missing values."""
        rounds = self.model._predictors
        start = self.model._baseline_prediction.ravel()
        shift = 1 if len(start) == 1 else 0
        attributes: dict[str, list[Any]] = {}
        tree = 0
        for predictors in rounds:
            for target, predictor in enumerate(predictors):
                _add_tree(attributes, tree, target + shift, predictor.nodes)
                tree += 1
        return graph.add(
            "TreeEnsembleRegressor",
            [features],
            "ai.onnx.ml",
            n_targets=len(start) + shift,
            base_values=[0.0] * shift + [float(value) for value in start],
            aggregate_function="SUM",
            post_transform="NONE",
            **attributes,
        )


def _add_tree(attributes: dict[str, list[Any]], tree: int, target: int, nodes: np.ndarray[Any, Any]) -> None:
    import numpy as np

    leaf = nodes["is_leaf"].astype(bool)
    numbers = np.arange(len(nodes))
    added = {
        "nodes_treeids": [tree] * len(nodes),
        "nodes_nodeids": numbers,
        "nodes_featureids": np.where(leaf, 0, nodes["feature_idx"]),
        "nodes_values": np.where(leaf, 0.0, _below(nodes["num_threshold"])),
        "nodes_truenodeids": np.where(leaf, 0, nodes["left"]),
        "nodes_falsenodeids": np.where(leaf, 0, nodes["right"]),
        "nodes_missing_value_tracks_true": np.where(leaf, 0, nodes["missing_go_to_left"]),
        "target_treeids": [tree] * int(leaf.sum()),
        "target_nodeids": numbers[leaf],
        "target_ids": [target] * int(leaf.sum()),
        "target_weights": nodes["value"][leaf],
    }
    for name, values in added.items():
        attributes.setdefault(name, []).extend(np.asarray(values).tolist())
    attributes.setdefault("nodes_modes", []).extend("LEAF" if end else "BRANCH_LEQ" for end in leaf.tolist())


def _below(thresholds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The largest float32 not above each threshold: a float32 is at most the one exactly when at most the other."""
    import numpy as np

    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


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
        return Trees(model)
