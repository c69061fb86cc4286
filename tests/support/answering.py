"""A server that answers as a test says, and a source that asks it without ever waiting."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compagnon.chain import plugins
from compagnon.sandbox.exchange import Reply, Request, as_json
from compagnon.sandbox.server import Server
from compagnon.stages.collect.http.pace import Pace


@dataclass
class Time:
    """A time that only waiting moves; ``waits`` are the waits between requests, put together."""

    moment: float = 1000.0
    slept: float = 0.0
    begun: datetime = field(default_factory=lambda: datetime(2026, 11, 21, 12, tzinfo=UTC))

    def sleep(self, seconds: float) -> None:
        self.moment += seconds
        self.slept += seconds

    @property
    def pace(self) -> Pace:
        return Pace(
            lambda: self.moment,
            lambda: self.begun + timedelta(seconds=self.moment - 1000),
            self.sleep,
            lambda: 1.0,
        )


@dataclass
class Scripted:
    """A server with ``answer``, and the requests it got."""

    answer: Callable[[Request], Reply]
    requests: list[Request] = field(default_factory=list)
    address: str = ""

    def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.answer(request)


@contextlib.contextmanager
def serving(answer: Callable[[Request], Reply]) -> Iterator[Scripted]:
    script = Scripted(answer)
    server = Server(script)
    script.address = server.address
    try:
        yield script
    finally:
        server.stop()


def paged(pages: list[Any]) -> Callable[[Request], Reply]:
    """Numbered pages (``page``, from 1), then empty ones."""

    def answer(request: Request) -> Reply:
        number = int(request.query.get("page", "1"))
        return as_json(pages[number - 1] if number <= len(pages) else [])

    return answer


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Sources over HTTP that wait in a time of their own."""
    time = Time()
    for kind in ("rest", "web"):
        if kind in plugins.available("sources"):
            made = plugins.load("sources")[kind]
            monkeypatch.setitem(plugins.load("sources"), kind, _with_pace(made, time))
    return time


def _with_pace(made: Any, time: Time) -> Any:
    class Paced(made):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(time.pace)

    return Paced
