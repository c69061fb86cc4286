"""What is prepared once, when a package loads: a typed reader of request bodies, and how long predictions take.

Bodies that the typed reader refuses are read again by ``decode``, which says what is wrong with them.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Protocol, runtime_checkable

import msgspec

from compagnon.features.inputs import DATES, FLOAT32_LIMIT, NUMBERS, STRINGS, Input, feed_of, seconds_of, text_feed
from compagnon.services.model_api.decode import STRINGS as QUOTED

if TYPE_CHECKING:
    import numpy as np

Row = tuple[Any, ...]
"""Values in the order of the inputs."""
Outcomes = Sequence[tuple[str, float, str]]
"""Label, confidence and decision of each row."""

LOOP_SECONDS = 0.001
"""A request that takes longer is answered by a thread: the event loop has others to answer."""
MANY = 16
RUNS = 12
_SENTENCE = "Bonjour, je n'ai toujours pas reçu ma commande passée lundi dernier, pouvez-vous me dire où elle est ?"
_as_tuple = msgspec.structs.astuple


@runtime_checkable
class Computing(Protocol):
    """A package whose graph can be asked directly."""

    @property
    def task(self) -> str: ...
    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def inputs(self) -> Sequence[Input]: ...
    @property
    def person_below(self) -> float: ...
    @property
    def limits(self) -> Mapping[str, int]: ...
    @property
    def of_matrix(self) -> Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]] | None: ...
    def probabilities(self, feeds: dict[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]: ...


@dataclass(frozen=True)
class Pace:
    """Seconds of a prediction, measured when the package was loaded: those of any batch, and more for each row."""

    start: float
    each: float

    def seconds(self, rows: int) -> float:
        return self.start + rows * self.each

    @cached_property
    def most_rows(self) -> int:
        """Rows that the event loop may compute at once; 0 where a thread must answer even one."""
        if self.seconds(1) > LOOP_SECONDS:
            return 0
        return max(1, min(4096, int((LOOP_SECONDS - self.start) / max(self.each, 1e-7))))


@dataclass(frozen=True)
class Compiled:
    """The quick way through one package."""

    package: Computing
    labels: Mapping[str, str]
    """Each label as JSON."""
    pace: Pace
    _read: Callable[[bytes], Any] = field(repr=False)
    _names: tuple[str, ...] = field(repr=False)
    _matrix: Callable[[Any], Any] | None = field(repr=False)
    """What computes on the numbers of all rows as one matrix, where the package has nothing else."""
    _dates: tuple[int, ...] = field(repr=False)
    """Places of dates."""
    _whole: frozenset[str] = field(repr=False)

    def read(self, body: bytes) -> list[Row] | None:
        """The rows of a good body; None when anything is wrong with it."""
        try:
            rows = self._read(body).rows
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        # Every field is there, so as many colons as fields leave none for a second one. Texts may hold others.
        colons = 1 + len(rows) * len(self._names)
        if body.count(b":") != colons and QUOTED.sub(b"", body).count(b":") != colons:
            return None
        return [_as_tuple(row) for row in rows]

    def feed(self, rows: Sequence[Row]) -> list[Row] | None:
        """The rows as the graph takes them: texts folded, dates in seconds.

        None where a text that is needed holds no word, or a date is none.
        """
        if self.package.task != "text-classification":
            return self._dated(rows) if self._dates else list(rows)
        fed = [(text_feed(row[0]),) for row in rows]
        return None if any(value == " " for (value,) in fed) else fed

    def compute(self, fed: Sequence[Row]) -> Outcomes:
        """Label, confidence and decision of each row that ``feed`` gave."""
        found = self._probabilities(fed)
        labels, bound = self.package.labels, self.package.person_below
        best = found.argmax(axis=1).tolist()
        outcomes = []
        for index, values in zip(best, found.tolist(), strict=True):
            value = values[index]
            outcomes.append((labels[index], value, "person" if value < bound else "model"))
        return outcomes

    def _probabilities(self, fed: Sequence[Row]) -> np.ndarray[Any, Any]:
        import numpy as np

        if self._matrix is not None:
            return self._matrix(np.array(fed, dtype=np.float64).astype(np.float32))  # type: ignore[no-any-return]
        columns = zip(self.package.inputs, zip(*fed, strict=True), strict=True)
        if self.package.task == "text-classification":
            ((one, texts),) = columns
            values = np.empty(len(fed), dtype=object)
            values[:] = texts
            return self.package.probabilities({one.name: values})
        return self.package.probabilities({one.name: feed_of(one, values) for one, values in columns})

    def _dated(self, rows: Sequence[Row]) -> list[Row] | None:
        inputs, found = self.package.inputs, []
        try:
            for row in rows:
                values = list(row)
                for place in self._dates:
                    if values[place] is not None:
                        values[place] = seconds_of(inputs[place], values[place])
                found.append(tuple(values))
        except (ValueError, OverflowError):
            return None
        return found

    def as_mapping(self, row: Row) -> dict[str, Any]:
        """A row by the names of its inputs, as it is recorded: integers are whole again."""
        values = dict(zip(self._names, row, strict=True))
        for name in self._whole:
            if values[name] is not None and values[name] == math.trunc(values[name]):
                values[name] = math.trunc(values[name])
        return values


def compile_package(package: object, most_rows: int, example: Row | None = None) -> Compiled | None:
    """The quick way through ``package``, warmed up and timed; None where it has none."""
    if not isinstance(package, Computing):
        return None
    is_text = package.task == "text-classification"
    if is_text and [one.type for one in package.inputs] != ["text"]:
        return None
    names = tuple(one.name for one in package.inputs)
    compiled = Compiled(
        package,
        {label: json.dumps(label, ensure_ascii=False) for label in package.labels},
        Pace(0.0, 0.0),
        _reader(package.inputs, package.limits["text"], most_rows),
        names,
        package.of_matrix if all(one.type in NUMBERS for one in package.inputs) else None,
        tuple(place for place, one in enumerate(package.inputs) if one.type in DATES),
        frozenset(one.name for one in package.inputs if one.type == "integer"),
    )
    row = example or tuple(_example(one) for one in package.inputs)
    object.__setattr__(compiled, "pace", _measure(compiled, row))
    return compiled


def _reader(inputs: Sequence[Input], longest: int, most_rows: int) -> Callable[[bytes], Any]:
    """A decoder of ``{"rows": [...]}`` with every field there once, of its type and within its bounds."""
    places = [f"f{place}" for place in range(len(inputs))]
    row = msgspec.defstruct(
        "Row",
        [(place, _type(one, longest)) for place, one in zip(places, inputs, strict=True)],
        rename=dict(zip(places, (one.name for one in inputs), strict=True)),
        forbid_unknown_fields=True,
        gc=False,
    )
    rows = Annotated[list[row], msgspec.Meta(min_length=1, max_length=most_rows)]  # type: ignore[valid-type]
    body = msgspec.defstruct("Body", [("rows", rows)], forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(body).decode


def _type(one: Input, longest: int) -> Any:
    kind: Any
    if one.type in STRINGS:
        kind = Annotated[str, msgspec.Meta(max_length=longest)]
    elif one.type in DATES:
        kind = str
    elif one.type == "boolean":
        kind = bool
    else:
        kind = Annotated[float, msgspec.Meta(ge=-FLOAT32_LIMIT, le=FLOAT32_LIMIT)]
    return kind | None if one.nullable else kind


def _example(one: Input) -> Any:
    if one.type == "text":
        return one.typical or _SENTENCE
    if one.type == "category":
        return one.typical or (one.categories[0] if one.categories else "")
    if one.type in DATES:
        return "2026-01-31" if one.type == "date" else "2026-01-31T12:00:00+00:00"
    return one.typical if one.typical is not None else 0.0


def _measure(compiled: Compiled, row: Row) -> Pace:
    """The first runs warm the graph up; the best of the next ones counts, in time of this thread's processor:

    what else the machine does just then says nothing of the model.
    """

    def seconds(rows: int) -> float:
        fed = compiled.feed([row] * rows) or [row] * rows
        compiled.compute(fed)
        best = math.inf
        for _time in range(RUNS):
            began = time.thread_time()
            compiled.compute(compiled.feed([row] * rows) or fed)
            best = min(best, time.thread_time() - began)
        return best

    one, many = seconds(1), seconds(MANY)
    each = max((many - one) / (MANY - 1), 0.0)
    return Pace(max(one - each, 0.0), each)
