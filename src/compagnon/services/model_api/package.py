"""What serving needs of a loaded model package. ``compagnon.stages.package.load`` makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from compagnon.features.inputs import Input


class Outcome(Protocol):
    """One prediction. ``decide`` is "model" or "person"; ``probabilities`` are in the order of the labels."""

    @property
    def label(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def decide(self) -> str: ...
    @property
    def probabilities(self) -> Sequence[float]: ...


class Mistake(Protocol):
    """One thing wrong in one row."""

    @property
    def row(self) -> int: ...
    @property
    def field(self) -> str | None: ...
    @property
    def code(self) -> str: ...
    @property
    def what(self) -> str: ...


class Served(Protocol):
    """A loaded package. Its methods may be called from several threads."""

    @property
    def task(self) -> str: ...
    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def inputs(self) -> Sequence[Input]: ...
    def predict(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Outcome]: ...
    def explain(self, row: Mapping[str, Any], k: int) -> Sequence[Mapping[str, Any]]: ...
    def validate(self, rows: Sequence[Any]) -> Sequence[Mistake]: ...
