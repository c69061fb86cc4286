"""What every provider keeps: a stream that ends with a reason, limits that hold, and a name for every failure."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import CANARY, QUESTION, WIRES, ask, failing, opened, options, question

from compagnon.chain import plugins
from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.errors import UserError
from compagnon.providers.opening import open_provider
from compagnon.providers.port import ProviderDown
from compagnon.sandbox.mistral import FAULTS, Emulator
from compagnon.spec.model import ProviderOptions

NAMES = sorted(plugins.available("providers"))

EXPECTED = {
    "unauthorized": ("unauthorized", 401),
    "unauthorized-detail": ("unauthorized", 401),
    "forbidden": ("forbidden", 403),
    "not-found": ("not-found", 404),
    "refused": ("refused", 422),
    "context": ("refused", 400),
    "rate-limited": ("rate-limited", 429),
    "failed": ("failed", 500),
    "bad-gateway": ("failed", 502),
    "overloaded": ("failed", 503),
    "gateway-timeout": ("failed", 504),
    "slow-start": ("slow-start", None),
    "slow": ("slow", None),
    "cut": ("cut", None),
    "cut-early": ("unreachable", None),
    "silent-end": ("cut", None),
    "malformed": ("malformed", None),
    "html": ("malformed", None),
    "huge": ("huge", None),
    "endless-line": ("huge", None),
}


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, Emulator]]:
    """An emulated service for each wire format."""
    with Emulator(script="echo") as mistral, Emulator(script="echo", speaks="openai") as openai:
        mistral.stall = openai.stall = 30
        yield {"mistral": mistral, "openai": openai}


@pytest.fixture
def emulator(kind: str, running: dict[str, Emulator]) -> Emulator:
    found = running[kind]
    found.faults.clear()
    found.always, found.delay = None, 0.0
    found.seen.clear()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_adapter_says_what_it_is(name: str) -> None:
    adapter = plugins.load("providers")[name]
    assert issubclass(adapter.Options, ProviderOptions)
    assert adapter.Options.__doc__
    assert adapter.extra is None or isinstance(adapter.extra, str)
    for field in adapter.Options.model_fields.values():
        assert field.description


def test_every_fault_of_the_emulator_is_in_the_matrix() -> None:
    assert set(EXPECTED) == set(FAULTS)


@pytest.mark.parametrize("kind", WIRES)
def test_streams_an_answer_with_its_usage_and_end(kind: str, emulator: Emulator, tmp_path: Path) -> None:
    with opened(kind, emulator, tmp_path) as provider:
        pieces = ask(provider)
    assert "".join(piece.text for piece in pieces) == QUESTION
    assert len(pieces) > 3
    assert [piece.finish for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    assert pieces[-1].finish == "stop"
    usage = pieces[-1].usage
    assert usage is not None
    assert usage.prompt_tokens > usage.completion_tokens > 0
    assert usage.total == usage.prompt_tokens + usage.completion_tokens
    assert pieces[-1].model == "mistral-small-2603"


@pytest.mark.parametrize("kind", WIRES)
def test_completes_an_answer(kind: str, emulator: Emulator, tmp_path: Path) -> None:
    async def go() -> None:
        with opened(kind, emulator, tmp_path) as provider:
            answer = await provider.complete(question())
            assert (answer.text, answer.finish, answer.model) == (QUESTION, "stop", "mistral-small-2603")
            assert answer.usage is not None
            assert "mistral-small-2603" in await provider.models()
            await provider.close()

    asyncio.run(go())


@pytest.mark.parametrize("kind", WIRES)
def test_sends_what_was_asked(kind: str, emulator: Emulator, tmp_path: Path) -> None:
    asked = question(temperature=0.7, max_tokens=2, stop=("FIN",), seed=3, model="ministral-3b-2512")
    with opened(kind, emulator, tmp_path) as provider:
        pieces = ask(provider, asked)
    assert pieces[-1].finish == "length"
    body = emulator.seen[-1]["body"]
    assert (body["temperature"], body["max_tokens"], body["stop"]) == (0.7, 2, ["FIN"])
    assert body["model"] == "ministral-3b-2512"
    assert body.get("seed", body.get("random_seed")) == 3
    assert ("stream_options" in body) == (kind == "openai")


@pytest.mark.parametrize("kind", WIRES)
def test_says_by_default_what_solution_yaml_says(kind: str, emulator: Emulator, tmp_path: Path) -> None:
    with opened(kind, emulator, tmp_path, temperature=0, max_tokens=77, seed=5) as provider:
        ask(provider)
    body = emulator.seen[-1]["body"]
    assert (body["temperature"], body["max_tokens"], body.get("seed", body.get("random_seed"))) == (0, 77, 5)
    assert body.get("stop") is None


@pytest.mark.parametrize("fault", sorted(EXPECTED))
@pytest.mark.parametrize("kind", WIRES)
def test_every_failure_has_its_name_in_time(
    kind: str, fault: str, emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The whole matrix: each failure of the wire, by each adapter, with nothing of the key or of what was asked."""
    emulator.always = fault
    reason, status = EXPECTED[fault]
    caplog.set_level(logging.DEBUG)
    limits = {"slow-start": {"first_token": "600 ms"}, "slow": {"between_tokens": "300 ms"}}.get(fault, {})
    with opened(kind, emulator, tmp_path, largest=20_000, **limits) as provider:
        start = time.monotonic()
        down, pieces = failing(provider)
        took = time.monotonic() - start
    assert (down.reason, down.status) == (reason, status)
    assert took < 25, "before the emulator goes on by itself: the limits of the provider ended it"
    assert bool(pieces) == (fault in {"slow", "cut", "silent-end", "huge"})
    assert all(piece.finish is None for piece in pieces)
    told = "".join(traceback.format_exception(down)) + caplog.text + repr(vars(down)) + repr(provider)
    assert CANARY not in told
    assert "convolution" not in told
    assert down.__context__ is None
    assert down.__cause__ is None
    assert down.problem.next


@pytest.mark.parametrize("kind", WIRES)
def test_a_refused_connection_is_unreachable(kind: str, tmp_path: Path) -> None:
    gone = Emulator().start()
    gone.stop()
    with opened(kind, gone, tmp_path) as provider:
        assert failing(provider)[0].reason == "unreachable"


@pytest.mark.parametrize("kind", WIRES)
@pytest.mark.parametrize("fault", ["failed", "overloaded", "cut-early"])
def test_tries_again_where_waiting_helps(kind: str, fault: str, emulator: Emulator, tmp_path: Path) -> None:
    emulator.faults.append(fault)
    emulator.retry_after = 0.1
    with opened(kind, emulator, tmp_path, retry_for="1 s") as provider:
        assert ask(provider)[-1].finish == "stop"
    assert len(emulator.seen) == 2


@pytest.mark.parametrize("kind", WIRES)
def test_honors_how_long_a_service_asks_to_wait(kind: str, emulator: Emulator, tmp_path: Path) -> None:
    emulator.faults.append("rate-limited")
    emulator.retry_after = 0.5
    with opened(kind, emulator, tmp_path, retry_for="1 s") as provider:
        start = time.monotonic()
        assert ask(provider)[-1].finish == "stop"
        assert time.monotonic() - start >= 0.5  # never sooner: this is what was asked for, not a speed


@pytest.mark.parametrize("kind", WIRES)
def test_does_not_wait_longer_than_allowed(kind: str, emulator: Emulator, tmp_path: Path) -> None:
    emulator.always, emulator.retry_after = "rate-limited", 30
    with opened(kind, emulator, tmp_path, retry_for="1 s") as provider:
        down, _pieces = failing(provider)
    assert down.retry_after == 30
    assert len(emulator.seen) == 1


@pytest.mark.parametrize("kind", WIRES)
@pytest.mark.parametrize("fault", ["unauthorized", "refused", "not-found", "malformed"])
def test_does_not_repeat_what_cannot_succeed(kind: str, fault: str, emulator: Emulator, tmp_path: Path) -> None:
    emulator.always = fault
    with opened(kind, emulator, tmp_path, retries=5, retry_for="1 s") as provider:
        failing(provider)
    assert len(emulator.seen) == 1


@pytest.mark.parametrize("kind", WIRES)
def test_leaving_early_ends_the_request(kind: str, emulator: Emulator, tmp_path: Path) -> None:
    emulator.delay = 0.05

    async def go() -> None:
        with opened(kind, emulator, tmp_path) as provider:
            stream = provider.stream(question("mot " * 500))
            async for _piece in stream:
                break
            await stream.aclose()  # type: ignore[attr-defined]
            await provider.close()

    asyncio.run(go())


@pytest.mark.parametrize("kind", WIRES)
def test_serves_one_loop_after_another_and_many_at_once(kind: str, emulator: Emulator, tmp_path: Path) -> None:
    async def many() -> list[str]:
        answers = await asyncio.gather(*(provider.complete(question(f"question {n}")) for n in range(20)))
        await provider.close()
        return [answer.text for answer in answers]

    with opened(kind, emulator, tmp_path) as provider:
        assert ask(provider)[-1].finish == "stop"
        assert asyncio.run(many()) == [f"question {n}" for n in range(20)]


@pytest.mark.parametrize("kind", WIRES)
def test_a_missing_key_says_where_to_put_it(kind: str, emulator: Emulator, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        open_provider("school", options(kind, emulator), Secrets(Workspace(tmp_path), {}))
    assert caught.value.code == "provider.no-key"
    assert "MISTRAL_API_KEY" in str(caught.value)


@pytest.mark.parametrize("kind", WIRES)
def test_the_list_of_models_fails_by_name(kind: str, emulator: Emulator, tmp_path: Path) -> None:
    async def go() -> ProviderDown:
        with opened(kind, emulator, tmp_path) as provider:
            try:
                await provider.models()
            except ProviderDown as down:
                return down
            finally:
                await provider.close()
        raise AssertionError("no failure")

    for fault, reason in (("unauthorized", "unauthorized"), ("html", "malformed"), ("failed", "failed")):
        emulator.always = fault
        down = asyncio.run(go())
        assert down.reason == reason
        assert CANARY not in "".join(traceback.format_exception(down))
        assert down.__context__ is None
