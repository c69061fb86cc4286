"""Inputs of a model: typed fields, and the arrays (feeds) that the graph takes for them.

Text and categories are strings (text folded and between two spaces, a missing category empty); numbers and booleans are
float32 with NaN where missing; dates are four float32: days since 2000-01-01, month, day of the week (Monday is 0) and
hour, in UTC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Literal

from compagnon.features.text import fold_text

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Feeds = dict[str, np.ndarray[Any, Any]]

InputType = Literal["text", "category", "boolean", "integer", "decimal", "float", "date", "timestamp"]
STRINGS = ("text", "category")
NUMBERS = ("boolean", "integer", "decimal", "float")
DATES = ("date", "timestamp")
DATE_WIDTH = 4
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
FLOAT32_LIMIT = 3.4028234663852886e38
_DAY = 86_400.0


@dataclass(frozen=True)
class Input:
    """One field that a model takes. ``typical`` stands in for it when its effect is measured."""

    name: str
    type: InputType
    nullable: bool = False
    typical: str | float | bool | None = None
    categories: tuple[str, ...] | None = None
    """Values the model knows, most frequent first; others count as one."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Input:
        categories = value.get("categories")
        return cls(**{**value, "categories": None if categories is None else tuple(categories)})


def feeds_of_table(inputs: Sequence[Input], table: pa.Table) -> Feeds:
    """The arrays for the rows of ``table``: strings of shape (rows,), numbers (rows,), dates (rows, 4)."""
    return {field.name: _column(field, table.column(field.name)) for field in inputs}


def feeds_of_rows(inputs: Sequence[Input], rows: Sequence[Mapping[str, Any]]) -> Feeds:
    """The arrays for rows of JSON values that ``validate`` found good."""
    return {field.name: feed_of(field, [row.get(field.name) for row in rows]) for field in inputs}


def feed_of(field: Input, values: Sequence[Any]) -> np.ndarray[Any, Any]:
    """The array for good JSON values of one field. Dates may be seconds already, as ``seconds_of`` gives them."""
    import numpy as np

    if field.type in STRINGS:
        return _strings(field, values)
    if field.type in NUMBERS:
        return np.array(values, dtype=np.float64).astype(np.float32)  # null becomes NaN
    return _dates(np.array([_seconds(field, value) for value in values], dtype=np.float64))


def _seconds(field: Input, value: Any) -> float:
    if value is None:
        return math.nan
    return value if isinstance(value, float) else seconds_of(field, value)


def seconds_of(field: Input, value: Any) -> float:
    """Seconds since 2000-01-01 UTC of an ISO 8601 date or moment; raises ValueError, also where no offset is given."""
    if isinstance(value, str):
        value = date.fromisoformat(value) if field.type == "date" else datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(), UTC)
    if value.tzinfo is None:
        raise ValueError("no offset from UTC")
    return float((value - EPOCH).total_seconds())


def _column(field: Input, column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if field.type in STRINGS:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            column = pc.cast(column, pa.string())
        return _strings(field, column.to_pylist())
    if field.type in NUMBERS:
        if pa.types.is_boolean(column.type):
            column = pc.cast(column, pa.int8())
        numbers = pc.fill_null(pc.cast(column, pa.float64(), safe=False), math.nan).to_numpy()
        return np.ascontiguousarray(numbers).astype(np.float32)
    moments = pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64())
    missing = pc.is_null(moments).to_numpy(zero_copy_only=False)
    seconds = pc.fill_null(moments, 0).to_numpy() / 1e6 - EPOCH.timestamp()
    return _dates(np.where(missing, math.nan, seconds))


def _strings(field: Input, values: Sequence[Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    array = np.empty(len(values), dtype=object)
    if field.type == "text":
        array[:] = [text_feed(value) for value in values]
    else:
        array[:] = ["" if value is None else str(value) for value in values]
    return array


def text_feed(text: str | None) -> str:
    """What the graph takes for a text: the folded text between two spaces, which bound its first and last words."""
    folded = fold_text(text) if text else ""
    return f" {folded} " if folded else " "


def _dates(seconds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    missing = np.isnan(seconds)
    whole = np.where(missing, 0.0, seconds)
    days = np.floor(whole / _DAY)
    moments = np.datetime64("2000-01-01") + days.astype(np.int64)
    month = moments.astype("datetime64[M]").astype(np.int64) % 12 + 1
    weekday = (days.astype(np.int64) + 5) % 7  # 2000-01-01 was a Saturday
    hour = np.floor((whole - days * _DAY) / 3600.0)
    parts = np.stack([whole / _DAY, month, weekday, hour], axis=1)
    parts[missing] = math.nan
    return parts.astype(np.float32)
