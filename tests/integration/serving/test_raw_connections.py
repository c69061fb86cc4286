"""Connections byte by byte: cut, mixed, slow and rude ones, by both paths of a prediction."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from serving import Served, key_of, limited, running

from compagnon import Solution
from compagnon.services.model_api import protocol
from compagnon.services.model_api.service import make_service
from compagnon.services.model_api.shelf import Shelf
from compagnon.stages.package.load import LoadedPackage
from compagnon.web.app import create_app

BODY = json.dumps({"rows": [{"text": "Où est mon colis ?"}]}, ensure_ascii=False).encode()


@contextlib.contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    place = urlsplit(address)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=30) as connection:
        yield connection


def head(key: str, *lines: str, version: str = "1.1", target: str = "/api/models/theme/predict") -> bytes:
    start = [f"POST {target} HTTP/{version}", "Host: 127.0.0.1", f"Authorization: Bearer {key}"]
    return "\r\n".join([*start, "Content-Type: application/json", *lines, "", ""]).encode()


def whole(key: str, *lines: str, version: str = "1.1", target: str = "/api/models/theme/predict") -> bytes:
    return head(key, *lines, f"Content-Length: {len(BODY)}", version=version, target=target) + BODY


Answer = tuple[int, dict[str, str], dict[str, Any]]


def read_one(connection: socket.socket, before: bytes = b"") -> tuple[Answer, bytes]:
    """One answer and what was read beyond it."""
    data = before
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        assert more, "the connection ended"
        data += more
    top, _blank, rest = data.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    size = int(headers["content-length"])
    while len(rest) < size:
        more = connection.recv(65536)
        assert more, "the answer was cut"
        rest += more
    return (int(first.split()[1]), headers, json.loads(rest[:size])), rest[size:]


def ended(connection: socket.socket, seconds: float = 10.0) -> bool:
    """Whether the server ends the connection, by closing or by resetting it."""
    connection.settimeout(seconds)
    try:
        return connection.recv(65536) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_the_fast_path_is_the_one_that_answers(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "one")
    solution = Solution(tmp_path / "one")
    service = make_service(solution)
    key = key_of(solution)

    def never(*_arguments: Any, **_named: Any) -> Any:
        raise AssertionError("the ordinary way was taken")

    with running(create_app(solution, service=service), service) as address, connected(address) as connection:
        connection.sendall(whole(key))  # the first one makes the key known
        first, rest = read_one(connection)
        service.predict = never  # type: ignore[method-assign]
        connection.sendall(whole(key))
        second, _rest = read_one(connection, rest)
        assert first[0] == second[0] == 200
        assert first[2] == second[2]
        ignored = {"x-request-id", "date"}
        for headers in (first[1], second[1]):
            assert len(headers["x-request-id"]) == 16
        assert {k: v for k, v in first[1].items() if k not in ignored} == {
            k: v for k, v in second[1].items() if k not in ignored
        }
        text = httpx.get(f"{address}/metrics").text
        assert 'route="/api/models/{name}/predict",status="200"} 2' in text
    solution.close()


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_request_in_pieces(served: Served, size: int) -> None:
    data = whole(served.key)
    with connected(served.address) as connection:
        for start in range(0, len(data), size):
            connection.sendall(data[start : start + size])
            if size > 1:
                time.sleep(0.002)
        assert read_one(connection)[0][0] == 200


def test_a_request_in_chunks(served: Served) -> None:
    parts = [BODY[start : start + 9] for start in range(0, len(BODY), 9)]
    chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nX-Trailer: 1\r\n\r\n"
    with connected(served.address) as connection:
        for _time in range(2):
            connection.sendall(head(served.key, "Transfer-Encoding: chunked") + chunks)
            (status, _headers, document), _rest = read_one(connection)
            assert status == 200
            assert document["predictions"][0]["label"] in ("facture", "livraison", "compte")


def test_requests_without_waiting_are_answered_in_their_order(served: Served) -> None:
    health = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    bad = head(served.key, "Content-Length: 1") + b"{"
    wanted = [200, 400, 200, 200, 404, 200, 400, 200]
    elsewhere = whole(served.key, target="/api/models/nothing/predict")
    good = whole(served.key)
    with connected(served.address) as connection:
        connection.sendall(good)  # the key is known from here on
        _first, rest = read_one(connection)
        connection.sendall(b"".join([good, bad, health, good, elsewhere, good, bad, good]))
        answers = []
        for _request in wanted:
            answer, rest = read_one(connection, rest)
            answers.append(answer)
        assert [status for status, _headers, _document in answers] == wanted
        assert answers[2][2] == {"status": "alive"}
        assert len({headers["x-request-id"] for _status, headers, _document in answers}) == len(answers)
        assert rest == b""


def test_what_cannot_be_parsed_is_answered_after_what_came_before(served: Served) -> None:
    with connected(served.address) as connection:
        connection.sendall(whole(served.key))
        read_one(connection)
        connection.sendall(whole(served.key) + b"\x00 nonsense\r\n\r\n")
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while more := connection.recv(65536):
                data += more
        assert data.count(b"HTTP/1.1 ") in (1, 2)
        assert b"HTTP/1.1 400 " in data
        if data.count(b"HTTP/1.1 ") == 2:
            assert data.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 4", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 4"),
        ("Content-Length: 4", "Content-Length: 5"),
        ("Content-Length: -1",),
        ("Content-Length: 4x",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Content-Length : 4",),
    ],
)
def test_a_length_that_can_be_read_two_ways_is_refused_and_the_connection_ends(
    served: Served, lines: tuple[str, ...]
) -> None:
    smuggled = b"0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for _time in range(2):  # with a key that is not known yet, and with one that is
        with connected(served.address) as connection:
            connection.sendall(head(served.key, *lines) + smuggled)
            data = b""
            with contextlib.suppress(ConnectionResetError):
                while more := connection.recv(65536):
                    data += more
            assert data.startswith(b"HTTP/1.1 400 "), data[:200]
            assert b"connection: close" in data
            assert data.count(b"HTTP/1.1 ") == 1
            assert b"alive" not in data
        httpx.post(served.predict, content=BODY, headers={**served.headers, "Content-Type": "application/json"})


def test_old_clients_get_an_answer_and_an_end(served: Served) -> None:
    for lines in ((), ("Connection: keep-alive",), ("Connection: close",)):
        for _time in range(2):
            with connected(served.address) as connection:
                connection.sendall(whole(served.key, *lines, version="1.0"))
                (status, headers, _document), _rest = read_one(connection)
                assert status == 200
                assert headers["connection"] == "close"
                assert ended(connection)


def test_close_is_obeyed(served: Served) -> None:
    for _time in range(2):
        with connected(served.address) as connection:
            connection.sendall(whole(served.key, "Connection: close"))
            (status, headers, _document), _rest = read_one(connection)
            assert (status, headers["connection"]) == (200, "close")
            assert ended(connection)


def test_a_client_that_waits_for_100_gets_it_unless_its_body_is_not_wanted(served: Served) -> None:
    for _time in range(2):
        with connected(served.address) as connection:
            connection.sendall(head(served.key, f"Content-Length: {len(BODY)}", "Expect: 100-continue"))
            assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(BODY)
            assert read_one(connection)[0][0] == 200
        with connected(served.address) as connection:
            connection.sendall(head(served.key, "Content-Length: 4001", "Expect: 100-continue"))
            assert read_one(connection)[0][0] == 413


def test_a_body_too_large_is_refused_and_the_client_can_read_it_while_sending(served: Served) -> None:
    size = 1_000_000
    for _time in range(2):
        with connected(served.address) as connection:
            connection.sendall(head(served.key, f"Content-Length: {size}"))
            with contextlib.suppress(ConnectionError):
                for _part in range(10):
                    connection.sendall(b"a" * (size // 10))
            (status, _headers, document), _rest = read_one(connection)
            assert (status, document["code"]) == (413, "request.too-large")


def fast_server(trained: Path, folder: Path, shelf: Callable[[Solution], Shelf] | None = None, **limits: Any) -> Any:
    shutil.copytree(trained, folder / "own")
    solution = Solution(folder / "own")
    if limits:
        limited(solution, **limits)
    service = make_service(solution, shelf(solution) if shelf else None)
    return solution, service, running(create_app(solution, service=service), service)


def test_slow_senders_are_ended(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.4)
    solution, _service, server = fast_server(trained, tmp_path, read=timedelta(seconds=0.4))
    key = key_of(solution)
    with server as address, connected(address) as known:
        known.sendall(whole(key))
        read_one(known)
        for sent in (
            b"POST /api/models/theme/predict HTTP/1.1\r\nHost",
            head(key, f"Content-Length: {len(BODY)}") + b"{",
        ):
            with connected(address) as connection:
                connection.sendall(sent)
                began = time.monotonic()
                (status, headers, document), _rest = read_one(connection)
                assert (status, document["code"], headers["connection"]) == (408, "request.too-slow", "close")
                assert time.monotonic() - began < 5
                assert ended(connection)
        known.sendall(whole(key))
        assert read_one(known)[0][0] == 200
    solution.close()


def test_headers_without_end_are_refused(trained: Path, tmp_path: Path) -> None:
    solution, _service, server = fast_server(trained, tmp_path)
    with server as address, connected(address) as connection:
        connection.sendall(b"POST /api/models/theme/predict HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(200):
                connection.sendall(b"X-%d: %s\r\n" % (number, b"a" * 4000))
                time.sleep(0.001)
        assert read_one(connection)[0][0] == 431
    solution.close()


@pytest.mark.full
def test_a_client_that_never_reads_is_held_back_then_ended(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "STUCK_SECONDS", 2.0)
    solution, _service, server = fast_server(trained, tmp_path)
    key = key_of(solution)
    requests = whole(key) * 20
    with server as address, socket.socket() as connection:
        place = urlsplit(address)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((place.hostname, place.port))
        connection.settimeout(1.5)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sent, end = 0, time.monotonic() + 30
        ended_by_server = False
        while time.monotonic() < end and sent < 100_000_000:
            try:
                sent += connection.send(requests)
            except TimeoutError:
                continue  # held back: the server does not read either
            except ConnectionError:
                ended_by_server = True
                break
        assert ended_by_server
        assert sent < 30_000_000
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # kilobytes
        assert httpx.get(f"{address}/health/live").status_code == 200
    solution.close()


def test_idle_connections_end(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compagnon.web.server.KEEP_ALIVE_SECONDS", 1)
    solution, _service, server = fast_server(trained, tmp_path)
    key = key_of(solution)
    with server as address:
        with connected(address) as connection:
            assert ended(connection)
        with connected(address) as connection:
            for _time in range(2):
                connection.sendall(whole(key))
                read_one(connection)
            assert ended(connection)
    solution.close()


def loaded(solution: Solution, number: int, real: LoadedPackage) -> LoadedPackage:
    return LoadedPackage(real.name, real.labels, real.inputs, real.task, 0.4, real.limits, real.document, real.session)


def ask_until(address: str, key: str, stop: threading.Event, seen: list[tuple[int, str]]) -> None:
    with connected(address) as connection:
        rest = b""
        while not stop.is_set():
            connection.sendall(whole(key))
            (status, _headers, document), rest = read_one(connection, rest)
            seen.append((status, document.get("version", "")))


def test_a_hundred_new_versions_under_load_without_a_failed_request(trained: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from compagnon.services.model_api.compiled import compile_package

    solution, service, server = fast_server(trained, tmp_path)
    seen: list[tuple[int, str]] = []
    key, stop = key_of(solution), threading.Event()
    with server as address:
        threads = [threading.Thread(target=ask_until, args=(address, key, stop, seen)) for _ in range(3)]
        for thread in threads:
            thread.start()
        place = service.shelf._places["theme"]
        for number in range(100):
            assert place.served is not None
            package = place.served.package
            assert isinstance(package, LoadedPackage)
            fresh = loaded(solution, number, package)
            place.served = replace(
                place.served, package=fresh, compiled=compile_package(fresh, 5), version=f"swap{number:08d}"
            )
            count = len(seen)
            while len(seen) < count + 6:
                time.sleep(0.001)
        stop.set()
        for thread in threads:
            thread.join()
    assert {status for status, _version in seen} == {200}
    assert len({version for _status, version in seen}) >= 95
    solution.close()


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_asked_to_stop_it_answers_what_it_has_accepted(trained: Path, tmp_path: Path, number: int) -> None:
    from test_server import process

    shutil.copytree(trained, tmp_path / "own")
    solution = Solution(tmp_path / "own")
    key = key_of(solution)
    counts = {"sent": 0, "answered": 0, "closed": 0}
    guard = threading.Lock()

    def ask(address: str) -> None:
        with connected(address) as connection:
            rest = b""
            while True:
                connection.sendall(whole(key))
                with guard:
                    counts["sent"] += 1
                (status, headers, _document), rest = read_one(connection, rest)
                assert status == 200
                with guard:
                    counts["answered"] += 1
                if headers.get("connection") == "close":
                    with guard:
                        counts["closed"] += 1
                    return

    with process(solution) as (server, address, _pages):
        threads = [threading.Thread(target=ask, args=(address,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(1.0)
        os.kill(server.pid, number)
        for thread in threads:
            thread.join(30)
        out, _err = server.communicate(timeout=60)
        assert "ended well" in out
    assert counts["sent"] == counts["answered"] > 50
    assert counts["closed"] == 4
    solution.close()
