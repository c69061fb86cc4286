"""Columns as features: numbers, dates, truth values and categories, missing values included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compagnon.features.inputs import DATE_WIDTH, DATES, STRINGS
from compagnon.stages.train.port import FittedView

if TYPE_CHECKING:
    import numpy as np

    from compagnon.features.inputs import Feeds, Input
    from compagnon.stages.train.graph import Graph

CATEGORIES = 50
"""Categories that get a feature of their own; rarer ones share one."""

FARTHEST = 10.0
"""Scaled numbers stop at this many deviations: a value unlike any that was learned must not drown all others."""


@dataclass(frozen=True)
class TableView:
    """One column per number and per frequent category.

    ``scaled``: numbers get mean 0 and deviation 1, missing ones the median and a column that says so, for estimators
    that add up columns. Otherwise numbers stay as they are, missing ones NaN, for trees.
    """

    scaled: bool = True
    categories: int = CATEGORIES

    def fit(self, inputs: Sequence[Input], feeds: Feeds) -> FittedView:
        columns: list[Any] = []
        for field in inputs:
            values = feeds[field.name]
            if field.type in STRINGS:
                columns.append(_fit_categories(field.name, values, self.categories))
            else:
                columns.append(_fit_numbers(field, values, self.scaled))
        return FittedTable(tuple(columns))


@dataclass(frozen=True)
class FittedTable:
    columns: tuple[Any, ...]

    def transform(self, feeds: Feeds) -> np.ndarray[Any, Any]:
        import numpy as np

        return np.concatenate([column.transform(feeds) for column in self.columns], axis=1)

    def export(self, graph: Graph) -> str:
        parts = [column.export(graph) for column in self.columns]
        return parts[0] if len(parts) == 1 else graph.add("Concat", parts, axis=1)


@dataclass(frozen=True)
class Categories:
    """One feature per known category, and a last one for all others."""

    column: str
    known: tuple[str, ...]

    def transform(self, feeds: Feeds) -> np.ndarray[Any, Any]:
        import numpy as np

        codes = {value: code for code, value in enumerate(self.known)}
        values = feeds[self.column]
        found = np.fromiter((codes.get(v, len(codes)) for v in values), dtype=np.int64, count=len(values))
        return np.eye(len(codes) + 1, dtype=np.float32)[found]

    def export(self, graph: Graph) -> str:
        depth = len(self.known) + 1
        text = graph.input(self.column, "string")
        codes = graph.add(
            "LabelEncoder",
            [text],
            "ai.onnx.ml",
            keys_strings=list(self.known),
            values_int64s=list(range(depth - 1)),
            default_int64=depth - 1,
        )
        values = graph.constant([0.0, 1.0])
        return graph.add("OneHot", [codes, graph.constant([depth], "int64"), values], axis=-1)


@dataclass(frozen=True)
class Numbers:
    """Numbers of shape (rows,) or (rows, width), as they are or scaled."""

    column: str
    width: int
    median: tuple[float, ...] | None
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    missing: bool = False

    def transform(self, feeds: Feeds) -> np.ndarray[Any, Any]:
        import numpy as np

        values = feeds[self.column].reshape(-1, self.width)
        if self.median is None:
            return values
        absent = np.isnan(values)
        filled = np.where(absent, np.array(self.median, dtype=np.float32), values)
        scaled = (filled - np.array(self.mean, dtype=np.float32)) / np.array(self.deviation, dtype=np.float32)
        scaled = np.clip(scaled, -np.float32(FARTHEST), np.float32(FARTHEST))
        flags = [absent[:, :1].astype(np.float32)] if self.missing else []
        return np.concatenate([scaled, *flags], axis=1)

    def export(self, graph: Graph) -> str:
        if self.width == 1:
            axis = graph.constant([1], "int64")
            values = graph.add("Unsqueeze", [graph.input(self.column, "float"), axis])
        else:
            values = graph.input(self.column, "float", self.width)
        if self.median is None:
            return values
        absent = graph.add("IsNaN", [values])
        filled = graph.add("Where", [absent, graph.constant(self.median), values])
        centered = graph.add("Sub", [filled, graph.constant(self.mean)])
        divided = graph.add("Div", [centered, graph.constant(self.deviation)])
        scaled = graph.add("Clip", [divided, graph.constant(-FARTHEST), graph.constant(FARTHEST)])
        if not self.missing:
            return scaled
        first = graph.add(
            "Slice", [absent, graph.constant([0], "int64"), graph.constant([1], "int64"), graph.constant([1], "int64")]
        )
        return graph.add("Concat", [scaled, graph.add("Cast", [first], to=1)], axis=1)


def _fit_categories(column: str, values: np.ndarray[Any, Any], limit: int) -> Categories:
    from collections import Counter

    counts = Counter(values.tolist())
    # A category seen once tells nothing that the shared feature would not.
    ordered = sorted((v for v, count in counts.items() if count > 1), key=lambda v: (-counts[v], v))
    return Categories(column, tuple(ordered[:limit]) or (min(counts),))


def _fit_numbers(field: Input, values: np.ndarray[Any, Any], scaled: bool) -> Numbers:
    import numpy as np

    width = DATE_WIDTH if field.type in DATES else 1
    if not scaled:
        return Numbers(field.name, width, None)
    columns = values.reshape(-1, width).astype(np.float64)
    absent = np.isnan(columns)
    present = ~absent[:, 0]
    if not present.any():
        return Numbers(field.name, width, (0.0,) * width, (0.0,) * width, (1.0,) * width, True)
    median = np.median(columns[present], axis=0)
    filled = np.where(absent, median, columns)
    deviation = filled.std(axis=0)
    deviation[deviation < 1e-12] = 1.0
    return Numbers(
        field.name,
        width,
        tuple(median.tolist()),
        tuple(filled.mean(axis=0).tolist()),
        tuple(deviation.tolist()),
        bool(absent.any()),
    )
