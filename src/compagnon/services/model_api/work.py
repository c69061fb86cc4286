"""Inference off the event loop: few threads, a bounded queue for each model, a time-out."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from compagnon.i18n import _
from compagnon.services.model_api.problem import Refused

T = TypeVar("T")
THREADS = 2


class Work:
    """Runs functions in threads; refuses (503) what would wait in too long a queue."""

    def __init__(self, threads: int = THREADS) -> None:
        self.threads = threads
        self.waiting: dict[str, int] = {}
        """Requests in hand by model, those at work included."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="predict")

    def has_room(self, name: str, queue: int) -> bool:
        return self.waiting.get(name, 0) < queue + self.threads

    async def run(self, name: str, queue: int, timeout: float, function: Callable[[], T]) -> T:
        """The result of ``function``; raises Refused when the queue of ``name`` is full or ``timeout`` seconds over."""
        if not self.has_room(name, queue):
            raise overloaded()
        self.waiting[name] = self.waiting.get(name, 0) + 1
        context = contextvars.copy_context()
        future = asyncio.get_running_loop().run_in_executor(self._pool, context.run, function)
        future.add_done_callback(lambda done: self._leave(name, done))
        try:
            # Shielded: the thread cannot be stopped, and keeps its place in the queue until it is done.
            return await asyncio.wait_for(asyncio.shield(future), timeout)
        except TimeoutError:
            raise Refused(
                503,
                "predict.timeout",
                _("The model did not answer in time; try again, with fewer rows."),
                headers={"retry-after": "2"},
            ) from None

    def _leave(self, name: str, done: asyncio.Future[T]) -> None:
        self.waiting[name] -= 1
        if not done.cancelled():
            done.exception()  # seen: nobody may be waiting for it any more

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def overloaded() -> Refused:
    return Refused(
        503,
        "predict.overloaded",
        _("Too many requests are waiting; try again in a moment."),
        headers={"retry-after": "1"},
    )
