"""The official SDK, as it is published, against the emulated API: shapes, streams, errors, headers."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import RemoteProtocolError
from mistralai.client import Mistral
from mistralai.client.errors import HTTPValidationError, MistralError, SDKError
from mistralai.client.utils import BackoffStrategy, RetryConfig

from compagnon.sandbox.mistral import FAULTS, Emulator

KEY = "sk-practice"
QUESTION: Any = [{"role": "user", "content": "C'est quoi un CNN ?"}]


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with Emulator(script="echo", key=KEY) as found:
        yield found


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    running.always, running.requests_a_minute, running.retry_after = None, None, 0.1
    running.faults.clear()
    running.seen.clear()
    return running


@pytest.fixture
def sdk(emulator: Emulator) -> Iterator[Mistral]:
    with Mistral(api_key=KEY, server_url=emulator.url, timeout_ms=20_000) as client:
        yield client


def test_a_whole_answer(sdk: Mistral) -> None:
    found = sdk.chat.complete(model="mistral-small-latest", messages=QUESTION, temperature=0.2, random_seed=1)
    assert found.object == "chat.completion"
    choice = found.choices[0]
    assert choice.message is not None
    assert (choice.message.content, choice.message.role, choice.finish_reason) == (
        QUESTION[0]["content"],
        "assistant",
        "stop",
    )
    assert found.usage.total_tokens == (found.usage.prompt_tokens or 0) + (found.usage.completion_tokens or 0)
    assert found.id
    assert found.created


def test_a_stream(sdk: Mistral) -> None:
    chunks = [event.data for event in sdk.chat.stream(model="mistral-small-2603", messages=QUESTION)]
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert (deltas[0].role, deltas[0].content) == ("assistant", "")
    assert "".join(str(delta.content) for delta in deltas) == QUESTION[0]["content"]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


def test_an_asynchronous_stream(emulator: Emulator) -> None:
    async def go() -> str:
        async with Mistral(api_key=KEY, server_url=emulator.url) as client:
            events = await client.chat.stream_async(model="ministral-3b-2512", messages=QUESTION)
            return "".join([str(event.data.choices[0].delta.content) async for event in events])

    assert asyncio.run(go()) == QUESTION[0]["content"]


def test_length_and_stop(sdk: Mistral) -> None:
    short = sdk.chat.complete(model="mistral-small-2603", messages=QUESTION, max_tokens=2)
    assert short.choices[0].finish_reason == "length"
    stopped = sdk.chat.complete(model="mistral-small-2603", messages=QUESTION, stop=["CNN"])
    assert stopped.choices[0].message is not None
    assert stopped.choices[0].message.content == "C'est quoi un "


def test_embeddings_are_unit_vectors_that_repeat(sdk: Mistral) -> None:
    found = sdk.embeddings.create(model="mistral-embed", inputs=["réseau convolutif", "réseau convolutif", "tarte"])
    one, two, other = (item.embedding or [] for item in found.data)
    assert len(one) == 1024
    assert one == two
    assert sum(a * a for a in one) == pytest.approx(1)
    assert sum(a * b for a, b in zip(one, other, strict=True)) < 0.5
    assert [item.index for item in found.data] == [0, 1, 2]


def test_moderations(sdk: Mistral) -> None:
    found = sdk.classifiers.moderate(model="mistral-moderation-latest", inputs=["bonjour", "mon mail : a@b.fr"])
    assert [(result.categories or {})["pii"] for result in found.results] == [False, True]
    assert set(found.results[0].category_scores or {}) == set(found.results[0].categories or {})


def test_models(sdk: Mistral) -> None:
    names = {getattr(card, "id", None) for card in sdk.models.list().data or ()}
    assert {"mistral-small-2603", "mistral-small-latest", "ministral-3b-2512", "mistral-embed"} <= names


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("unauthorized", 401, '"message":"Unauthorized"'),
        ("unauthorized-detail", 401, '"detail":"Unauthorized"'),
        ("forbidden", 403, "Access denied"),
        ("not-found", 404, "retired"),
        ("context", 400, "maximum context length"),
        ("rate-limited", 429, '"code":"1300"'),
        ("failed", 500, "internal_server_error"),
        ("bad-gateway", 502, "Bad Gateway"),
        ("overloaded", 503, "Service tier capacity exceeded"),
        ("gateway-timeout", 504, "504"),
    ],
)
def test_every_error_body(fault: str, status: int, words: str, sdk: Mistral, emulator: Emulator) -> None:
    emulator.always = fault
    with pytest.raises(SDKError) as caught:
        sdk.chat.complete(model="mistral-small-2603", messages=QUESTION)
    assert caught.value.status_code == status
    assert words in caught.value.body
    assert ("retry-after" in caught.value.headers) == (status in (429, 503))


def test_what_is_wrong_with_a_request(sdk: Mistral, emulator: Emulator) -> None:
    with pytest.raises(HTTPValidationError) as caught:
        sdk.chat.complete(model="mistral-small-2603", messages=QUESTION, temperature=3)
    detail = caught.value.data.detail or []
    assert detail[0].loc == ["body", "temperature"]
    with pytest.raises(MistralError, match="invalid_model"):
        sdk.chat.complete(model="gpt-x", messages=QUESTION)
    with pytest.raises(MistralError, match="invalid_request_message_order"):
        sdk.chat.complete(model="mistral-small-2603", messages=[{"role": "assistant", "content": "moi"}])
    body = json.dumps({"model": "mistral-small-2603", "messages": QUESTION, "stream_options": {}}).encode()
    assert post(emulator, "/v1/chat/completions", body)[0] == 422
    assert post(emulator, "/v1/chat/completions", b"{")[0] == 422
    assert post(emulator, "/v1/nothing", b"{}")[0] == 404
    assert post(emulator, "/v1/models", b"{}")[0] == 405


def test_a_wrong_key_is_refused(emulator: Emulator) -> None:
    with Mistral(api_key="sk-other", server_url=emulator.url) as client, pytest.raises(MistralError) as caught:
        client.models.list()
    assert caught.value.status_code == 401


def test_rate_limits_are_counted_and_told(sdk: Mistral, emulator: Emulator) -> None:
    emulator.requests_a_minute = len(emulator._calls) + 2
    body = json.dumps({"model": "mistral-small-2603", "messages": QUESTION}).encode()
    status, headers = post(emulator, "/v1/chat/completions", body)
    assert status == 200
    assert int(headers["x-ratelimit-remaining-req-minute"]) == 1
    assert int(headers["x-ratelimit-limit-req-minute"]) == emulator.requests_a_minute
    assert int(headers["x-ratelimit-remaining-tokens-minute"]) < int(headers["x-ratelimit-limit-tokens-minute"])
    assert post(emulator, "/v1/chat/completions", body)[0] == 200
    status, headers = post(emulator, "/v1/chat/completions", body)
    assert (status, headers["x-ratelimit-remaining-req-minute"]) == (429, "0")


def test_the_sdk_tries_again_by_itself_where_it_is_told_to(emulator: Emulator) -> None:
    emulator.faults.extend(["rate-limited", "overloaded"])
    retries = RetryConfig("backoff", BackoffStrategy(10, 50, 1.1, 20_000), False)
    with Mistral(api_key=KEY, server_url=emulator.url, retry_config=retries) as client:
        assert client.chat.complete(model="mistral-small-2603", messages=QUESTION).choices
    assert len(emulator.seen) == 3


def test_a_broken_stream_breaks_in_the_sdk(sdk: Mistral, emulator: Emulator) -> None:
    emulator.always = "cut"
    events = iter(sdk.chat.stream(model="mistral-small-2603", messages=QUESTION))
    assert next(events).data.choices
    with pytest.raises(RemoteProtocolError):
        list(events)


def test_faults_by_header_by_model_and_by_control(emulator: Emulator) -> None:
    body = json.dumps({"model": "mistral-small-2603", "messages": QUESTION}).encode()
    assert post(emulator, "/v1/chat/completions", body, **{"x-emulate": "forbidden"})[0] == 403
    named = json.dumps({"model": "fault-failed", "messages": QUESTION}).encode()
    assert post(emulator, "/v1/chat/completions", named)[0] == 500
    assert post(emulator, "/control", json.dumps({"faults": ["not-found"], "script": "grounded"}).encode())[0] == 200
    assert [post(emulator, "/v1/chat/completions", body)[0] for _turn in range(2)] == [404, 200]
    assert post(emulator, "/control", b'{"always": "unheard-of"}')[0] == 422
    assert post(emulator, "/control", b"[1]")[0] == 422
    assert post(emulator, "/control", b'{"always": null, "script": "echo"}')[0] == 200
    assert "unheard-of" not in FAULTS


def post(emulator: Emulator, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, str]]:
    """Status and headers of a bare request."""
    request = urllib.request.Request(
        emulator.url + path, body, {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers)
