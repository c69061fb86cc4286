"""Lines of the log about requests: the same fields whichever path has answered, with one id from page to model."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar

_request: ContextVar[str] = ContextVar("request", default="")


@contextlib.contextmanager
def bound(request_id: str) -> Iterator[None]:
    """While it lasts, lines of this task, and of threads that it starts, are about this request."""
    token = _request.set(request_id)
    try:
        yield
    finally:
        _request.reset(token)


def current() -> str:
    """The id of the request at work; empty outside of one."""
    return _request.get()


def answered(log: logging.Logger, method: str, route: str, status: int, seconds: float, request_id: str = "") -> None:
    """One line for an answer; ``route`` is a template. ``request_id`` where it is not bound."""
    if log.isEnabledFor(logging.INFO):
        fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 3)}
        log.info("request", extra=_with(fields, request_id))


def predicted(log: logging.Logger, model: str, version: str, rows: int, request_id: str = "") -> None:
    """One line for rows that a model has answered."""
    if log.isEnabledFor(logging.INFO):
        log.info("prediction", extra=_with({"model": model, "version": version, "rows": rows}, request_id))


def failed(log: logging.Logger, error: str, request_id: str = "") -> None:
    """One line for a fault of ours; ``error`` names its kind and places, not its words."""
    log.error("fault", extra=_with({"error": error}, request_id))


def _with(fields: dict[str, object], request_id: str) -> dict[str, object]:
    return {**fields, "request": request_id} if request_id else fields
