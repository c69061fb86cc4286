"""The log: one JSON object a line, with the request's id, and never the words of an exception."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from compagnon.services.model_api.log import answered, bound, failed
from compagnon.web.logs import configure

_log = logging.getLogger("compagnon.web.somewhere")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = configure("info", "auto", stream)
    yield stream
    logging.getLogger().removeHandler(handler)
    logging.getLogger("compagnon").setLevel(logging.NOTSET)


def test_a_line_is_an_object_with_the_request_at_work(written: io.StringIO) -> None:
    with bound("abc"):
        answered(_log, "GET", "/runs/{id}", 200, 0.0125)
    failed(_log, "ValueError at x.py:1 f", "def")
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert first["time"].endswith("Z")
    del first["time"], second["time"]
    assert first == {
        "event": "request",
        "level": "info",
        "logger": "compagnon.web.somewhere",
        "request": "abc",
        "method": "GET",
        "route": "/runs/{id}",
        "status": 200,
        "ms": 12.5,
    }
    assert second["request"] == "def"
    assert second["level"] == "error"


def test_an_exception_is_named_without_its_words(written: io.StringIO) -> None:
    try:
        raise ValueError("jeanne.dupont@example.org")
    except ValueError:
        _log.exception("it failed")
    (line,) = written.getvalue().splitlines()
    assert "jeanne" not in line
    assert json.loads(line)["error"].startswith("ValueError at test_server_log.py:")


def test_libraries_say_their_warnings_only(written: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info("a path")
    assert written.getvalue() == ""


def test_text_is_for_people() -> None:
    stream = io.StringIO()
    handler = configure("info", "text", stream)
    try:
        with bound("abc"):
            answered(_log, "GET", "/", 200, 0.001)
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger("compagnon").setLevel(logging.NOTSET)
    assert "request=abc" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
