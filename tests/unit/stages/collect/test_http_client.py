"""The client: patient within bounds, polite, and with its credentials at home."""

from __future__ import annotations

import gzip
import logging
import socket
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from answering import Scripted, Time, serving

from compagnon.errors import UserError
from compagnon.sandbox.exchange import Reply, Request
from compagnon.stages.collect.http.client import Answer, Client
from compagnon.stages.collect.http.options import HttpOptions
from compagnon.stages.collect.port import SourceDown
from compagnon.stages.collect.rest.auth import Fixed

OK = Reply(body=b"[]")


def options(**given: Any) -> HttpOptions:
    return HttpOptions(kind="rest", **{"private": True, "contact": "me@example.org", **given})


def asked(
    script: Scripted, path: str = "/a", time: Time | None = None, credentials: Any = None, home: str = "", **given: Any
) -> Answer:
    client = Client("s", home or script.address, options(**given), credentials, (time or Time()).pace)
    try:
        return client.get(script.address + path)
    finally:
        client.close()


def in_turn(*replies: Reply) -> Callable[[Request], Reply]:
    """One reply after the other, the last one again and again."""
    left = list(replies)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def test_who_asks_is_said() -> None:
    with serving(lambda request: OK) as script:
        asked(script)
    agent = script.requests[0].headers["user-agent"]
    assert agent.startswith("Compagnon/")
    assert "me@example.org" in agent


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again_with_growing_waits(status: int) -> None:
    time = Time()
    with serving(in_turn(Reply(status), Reply(status), Reply(status), OK)) as script:
        assert asked(script, time=time, retry={"first": "1 s"}).body == b"[]"
    assert len(script.requests) == 4
    assert time.slept == pytest.approx(1 + 2 + 4)


def test_chance_takes_up_to_half_of_a_wait() -> None:
    time = Time()
    with serving(in_turn(Reply(503), OK)) as script:
        client = Client("s", script.address, options(retry={"first": "8 s"}), None, _never_lucky(time))
        client.get(script.address)
        client.close()
    assert time.slept == pytest.approx(4)


def _never_lucky(time: Time) -> Any:
    from dataclasses import replace

    return replace(time.pace, chance=lambda: 0.0)


def test_retry_after_in_seconds_and_as_a_date() -> None:
    time = Time()
    date = "Sat, 21 Nov 2026 12:01:30 GMT"
    with serving(
        in_turn(Reply(429, headers={"Retry-After": "30"}), Reply(503, headers={"Retry-After": date}), OK)
    ) as s:
        asked(s, time=time)
    assert time.slept == pytest.approx(90)


@pytest.mark.parametrize("said", ["soon", "-5", "", "1e9"])
def test_a_retry_after_that_makes_no_sense_is_passed_over(said: str) -> None:
    time = Time()
    with serving(in_turn(Reply(503, headers={"Retry-After": said}), OK)) as script:
        asked(script, time=time, retry={"first": "1 s"})
    assert time.slept == pytest.approx(1)


def test_a_server_that_asks_for_too_much_is_down() -> None:
    time = Time()
    with serving(in_turn(Reply(429, headers={"Retry-After": "3600"}))) as script, pytest.raises(SourceDown) as caught:
        asked(script, time=time)
    assert "3600 s" in str(caught.value)
    assert len(script.requests) == 1
    assert time.slept == 0


def test_tries_are_counted() -> None:
    with serving(in_turn(Reply(503))) as script, pytest.raises(SourceDown) as caught:
        asked(script, retry={"times": 2})
    assert len(script.requests) == 3
    assert caught.value.code == "collect.source-down"
    assert "503" in str(caught.value)


def test_the_rate_that_the_solution_sets() -> None:
    time = Time()
    with serving(in_turn(OK)) as script:
        client = Client("s", script.address, options(per_minute=30), None, time.pace)
        for _ in range(4):
            client.get(script.address)
        client.close()
    assert time.slept == pytest.approx(6)


def test_a_window_that_is_used_up_is_waited_for() -> None:
    time = Time()
    full = Reply(body=b"[]", headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "12"})
    with serving(in_turn(full, OK)) as script:
        client = Client("s", script.address, options(), None, time.pace)
        client.get(script.address)
        client.get(script.address)
        client.close()
    assert time.slept == pytest.approx(12)


def test_the_time_of_a_collection_is_bounded() -> None:
    time = Time()
    with serving(in_turn(Reply(503))) as script, pytest.raises(UserError) as caught:
        asked(script, time=time, retry={"times": 20, "first": "60 s"}, bounds={"time": "5 min"})
    assert caught.value.code == "collect.too-long"


@pytest.mark.parametrize("how", ["half", "drop"])
def test_a_page_cut_short_is_asked_again(how: Any) -> None:
    with serving(in_turn(Reply(body=b"[1, 2, 3]", how=how), Reply(body=b"[1, 2, 3]"))) as script:
        assert asked(script).body == b"[1, 2, 3]"
    with serving(in_turn(Reply(body=b"[1, 2, 3]", how=how))) as script, pytest.raises(SourceDown):
        asked(script)


def test_a_compressed_page_cut_short_is_asked_again() -> None:
    whole = gzip.compress(b"[1, 2, 3]")
    gz = {"Content-Encoding": "gzip"}
    with serving(in_turn(Reply(body=whole[:-4], headers=gz), Reply(body=whole, headers=gz))) as script:
        assert asked(script).body == b"[1, 2, 3]"
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("coding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes), ("x-gzip", gzip.compress)],
)
def test_compressions(coding: str, pack: Callable[[bytes], bytes]) -> None:
    body = b"[" + b"1, " * 200_000 + b"1]"
    with serving(in_turn(Reply(body=pack(body), headers={"Content-Encoding": coding}))) as script:
        assert asked(script).body == body


def test_a_compression_that_was_not_asked_for() -> None:
    with (
        serving(in_turn(Reply(body=b"x", headers={"Content-Encoding": "br"}))) as script,
        pytest.raises(UserError, match="compressed"),
    ):
        asked(script)
    assert script.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_is_bounded_as_sent_and_unpacked(packed: bool) -> None:
    zeros = bytes(3_000_000)
    reply = Reply(body=gzip.compress(zeros), headers={"Content-Encoding": "gzip"}) if packed else Reply(body=zeros)
    with serving(in_turn(reply)) as script, pytest.raises(UserError) as caught:
        asked(script, bounds={"body": "1 MB"})
    assert caught.value.code == "collect.body-too-large"
    assert len(script.requests) == 1


def test_a_page_of_just_the_bound_is_taken() -> None:
    with serving(in_turn(Reply(body=gzip.compress(bytes(1_000_000)), headers={"Content-Encoding": "gzip"}))) as script:
        assert len(asked(script, bounds={"body": "1 MB"}).body) == 1_000_000


def test_a_server_that_drips_is_left() -> None:
    with serving(in_turn(Reply(body=b" " * 1000, how="drip"))) as script, pytest.raises(SourceDown) as caught:
        asked(script, bounds={"request": "300 ms"}, retry={"times": 0})
    assert "0.3 s" in str(caught.value)


def test_redirects_are_followed_within_the_host() -> None:
    replies = (Reply(302, headers={"Location": "/b?x=1"}), Reply(body=b"[7]"))
    with serving(in_turn(*replies)) as script:
        assert asked(script).body == b"[7]"
    assert [request.path for request in script.requests] == ["/a", "/b"]


def test_redirects_in_a_circle_or_without_end() -> None:
    with serving(lambda request: Reply(302, headers={"Location": "/a"})) as script, pytest.raises(UserError) as caught:
        asked(script)
    assert caught.value.code == "collect.redirect-loop"
    with (
        serving(lambda r: Reply(302, headers={"Location": f"/{len(r.path) * 'a'}"})) as script,
        pytest.raises(UserError) as caught,
    ):
        asked(script)
    assert caught.value.code == "collect.redirect-loop"
    assert len(script.requests) == 6


def test_a_redirect_to_another_host_is_refused() -> None:
    with (
        serving(lambda request: OK) as other,
        serving(lambda request: Reply(302, headers={"Location": other.address})) as script,
        pytest.raises(UserError) as caught,
    ):
        asked(script)
    assert caught.value.code == "collect.redirect-refused"
    assert other.requests == []


def test_credentials_stay_at_home() -> None:
    key = Fixed("X-Api-Key", "hidden", secrets=("hidden",))
    with (
        serving(lambda request: OK) as other,
        serving(lambda request: Reply(302, headers={"Location": f"{other.address}/b"})) as script,
    ):
        asked(script, credentials=key, hosts=(other.address.removeprefix("http://"),))
    assert script.requests[0].headers["x-api-key"] == "hidden"
    assert "x-api-key" not in other.requests[0].headers


def test_a_protected_address_never_leads_to_an_open_one() -> None:
    client = Client("s", "https://example.org/a", options(hosts=("example.org",)), None, Time().pace)
    assert client.allowed("https://example.org/b")
    assert not client.allowed("http://example.org/b")
    assert not client.allowed("file:///etc/passwd")
    assert not client.allowed("https://example.org:8443.evil.org/b")
    client.close()


def test_a_private_address_must_be_declared() -> None:
    with serving(lambda request: OK) as script:
        for address in (script.address, script.address.replace("127.0.0.1", "localhost")):
            with pytest.raises(UserError) as caught:
                asked(Scripted(lambda r: OK, address=address), private=False)
            assert caught.value.code == "collect.address-refused"
            assert "private: true" in str(caught.value)
    assert script.requests == []


def test_a_name_that_leads_inside_is_refused_when_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is checked where the connection is made: a second answer of the resolver is never asked for."""
    answers = [[(2, 1, 6, "", ("10.0.0.7", 80))]]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: answers.pop(0))
    client = Client("s", "http://public.example.org", options(private=False), None, Time().pace)
    with pytest.raises(UserError) as caught:
        client.get("http://public.example.org/a")
    assert caught.value.code == "collect.address-refused"
    assert answers == []


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("93.184.215.14", 80)), (2, 1, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    client = Client("s", "http://public.example.org", options(private=True), None, Time().pace)
    with pytest.raises(UserError) as caught:
        client.get("http://public.example.org/a")
    assert caught.value.code == "collect.address-refused"
    assert "private: true" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "request-refused"),
        (401, "access-refused"),
        (403, "access-refused"),
        (404, "source-down"),
        (418, "request-refused"),
    ],
)
def test_what_no_second_request_betters(status: int, code: str) -> None:
    with serving(in_turn(Reply(status))) as script, pytest.raises(UserError) as caught:
        asked(script)
    assert caught.value.code == f"collect.{code}"
    assert caught.value.problems[0].next
    assert len(script.requests) == 1


def test_a_problem_document_is_quoted_without_personal_data() -> None:
    body = b'{"title": "Unknown parameter", "detail": "ask jeanne@example.org"}'
    with serving(in_turn(Reply(400, body, "application/problem+json"))) as script, pytest.raises(UserError) as caught:
        asked(script)
    assert "Unknown parameter" in str(caught.value)
    assert "jeanne" not in str(caught.value)


def test_a_key_in_the_address_is_in_no_message_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    key = Fixed("api_key", "hidden", in_query=True, secrets=("hidden",))
    echo = Reply(302, headers={"Location": "/b?api_key=hidden"})
    with (
        caplog.at_level(logging.DEBUG),
        serving(in_turn(echo, Reply(400))) as script,
        pytest.raises(UserError) as caught,
    ):
        asked(script, credentials=key)
    assert script.requests[0].query["api_key"] == "hidden"
    assert "hidden" not in str(caught.value)
    assert "/a" in caplog.text
    assert "hidden" not in caplog.text


def test_a_run_that_is_stopped_waits_no_longer() -> None:
    class Stop(Exception):
        pass

    looks = iter(range(3))

    def look() -> None:
        if next(looks, None) is None:
            raise Stop

    time = Time()
    with serving(in_turn(Reply(503, headers={"Retry-After": "60"}))) as script:
        client = Client("s", script.address, options(), None, time.pace, look)
        with pytest.raises(Stop):
            client.get(script.address)
        client.close()
    assert time.slept < 2
