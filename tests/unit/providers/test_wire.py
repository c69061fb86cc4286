"""Parts of the adapters that a wire test reaches only by chance: cuts at any byte, waits in any form, addresses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from compagnon.chain import plugins
from compagnon.providers import failure
from compagnon.providers.connection import is_local, is_private
from compagnon.providers.events import chunks
from compagnon.providers.events import pieces as pieces_of
from compagnon.providers.openai import OpenAIOptions
from compagnon.providers.port import Piece, ProviderDown

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Response:
    """Bytes as they come from a socket."""

    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part


def pieces(parts: list[bytes]) -> list[Piece]:
    async def go() -> list[Piece]:
        return [piece async for piece in pieces_of(chunks(Response(parts)))]

    return asyncio.run(go())


def event(text: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}], **more}


@given(st.lists(st.text(max_size=12), max_size=6), st.data(), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=200, deadline=None)
def test_a_stream_cut_at_any_byte_reads_the_same(texts: list[str], data: st.DataObject, newline: str) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    sent = [event(text) for text in texts] + [event("", "stop"), {"choices": [], "usage": usage}]
    lines = [f": comment{newline}data: {json.dumps(c, ensure_ascii=False)}{newline}{newline}" for c in sent]
    wire = "".join([*lines, f"data: [DONE]{newline}{newline}", "data: after the end\n\n"]).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=20)))
    found = pieces([wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)])
    assert [piece.text for piece in found] == [*texts, ""]
    assert (found[-1].finish, found[-1].usage and found[-1].usage.total) == ("stop", 7)


def test_of_an_answer_in_parts_only_the_text_is_taken() -> None:
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "oui"}]
    wire = "".join(
        f"data: {json.dumps(event(content, finish))}\n\n" for content, finish in [(parts, None), (None, "model_length")]
    )
    assert pieces([wire.encode()]) == [Piece("oui"), Piece("", "length")]


def test_a_finished_answer_is_whole_without_its_count() -> None:
    wire = f"data: {json.dumps(event('oui', 'length'))}\n\n".encode()
    assert pieces([wire, b"data: {broken"]) == [Piece("oui", "length")]


@pytest.mark.parametrize(
    "chunk",
    [{"error": {"message": "no"}}, event(["a list"]), {"choices": [{}, {}]}, {"choices": 3}],  # type: ignore[arg-type]
)
def test_what_is_no_chunk_is_an_error_or_nothing(chunk: Any) -> None:
    try:
        found = pieces([f"data: {json.dumps(chunk)}\n\n".encode()])
    except (ValueError, TypeError, KeyError, AttributeError):
        return
    assert all(piece.finish is None and not piece.text for piece in found)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None), ("", None), ("soon", None), ("nan", None), ("2", 2), ("0.5", 0.5), ("-3", 0), ("1e12", 86_400),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30), ("Sat, 21 Nov 2020 12:00:30 GMT", 0), ("Sat, 99 Nov 2026", None),
    ],
)  # fmt: skip
def test_how_long_a_service_asks_to_wait(header: str | None, wait: float | None) -> None:
    assert failure.seconds(header, NOW) == wait


@given(st.text(max_size=40))
def test_any_wait_is_a_number_or_nothing(header: str) -> None:
    wait = failure.seconds(header)
    assert wait is None or 0 <= wait <= failure.LONGEST_WAIT


@given(st.integers(300, 599))
def test_every_status_has_a_name(status: int) -> None:
    down = failure.of_status("school", status, "1")
    assert isinstance(down, ProviderDown)
    assert down.status == status
    assert down.problem.next


@pytest.mark.parametrize(
    ("url", "local", "private"),
    [
        ("http://127.0.0.1:11434/v1", True, True), ("http://localhost/v1", True, True),
        ("http://[::1]:80/v1", True, True),
        ("http://llm.localhost/v1", True, True), ("http://192.168.1.4/v1", False, True), ("http://gpu/v1", False, True),
        ("http://example.org/v1", False, False), ("http://127.0.0.1.example.org/v1", False, False),
        ("http://8.8.8.8/v1", False, False), ("http://user@127.0.0.1@example.org/v1", False, False),
    ],
)  # fmt: skip
def test_which_addresses_are_here(url: str, local: bool, private: bool) -> None:
    assert (is_local(url), is_private(url)) == (local, private)
    if private:
        assert OpenAIOptions(kind="openai", url=url, model="m").url == url
    else:
        with pytest.raises(ValidationError):
            OpenAIOptions(kind="openai", url=url, model="m")


@pytest.mark.parametrize("kind", ["mistral", "openai"])
@pytest.mark.parametrize("key", ["sk-in-the-clear", "${MISTRAL_API_KEY}", "x${secret:A}", "${secret:A}${secret:B}"])
def test_a_key_is_the_name_of_a_secret(kind: str, key: str) -> None:
    options = plugins.load("providers")[kind].Options
    with pytest.raises(ValidationError):
        options(kind=kind, url="https://example.org/v1", model="m", key=key)
