"""The log of the server: one JSON object a line, or plain lines for a terminal, with the id of the request.

No line holds what a client sent. Exceptions are named with their places in the code; their words are left out, as they
may quote a client.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, TextIO

from compagnon.services.model_api.log import current
from compagnon.services.model_api.problem import where

if TYPE_CHECKING:
    from structlog.stdlib import ProcessorFormatter

OURS = "compagnon"
FIELDS = ("error", "method", "model", "ms", "request", "route", "rows", "status", "version")
"""What a line may hold besides its words: none of these comes from a client as it was sent."""


def configure(level: str = "warning", form: str = "auto", stream: TextIO | None = None) -> logging.Handler:
    """Send the log to ``stream`` (standard error), as ``json`` or ``text``; ``auto`` is text on a terminal only.

    Our own lines start at ``level``; those of libraries are warnings at least. Returns the handler, so that it can
    be taken away.
    """
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    plain = stream.isatty() if form == "auto" else form == "text"
    handler.setFormatter(formatter(plain))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())
    return handler


def formatter(plain: bool) -> ProcessorFormatter:
    """What makes a line of a log record: its fields, then those bound for the request."""
    import structlog

    processors = structlog.processors
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False) if plain else processors.JSONRenderer(ensure_ascii=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            _of_request,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(allow=FIELDS),
            processors.TimeStamper(fmt="iso", utc=True, key="time"),
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _without_words, renderer],
    )


def _of_request(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event with the id of the request at work."""
    if request_id := current():
        event["request"] = request_id
    return event


def _without_words(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event with its exception as a kind and places, never with a message."""
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = where(error)
    return event
