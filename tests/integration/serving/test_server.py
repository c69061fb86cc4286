"""The server as a process: its address, a busy port, its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pyarrow.parquet as pq
import pytest
from serving import key_of

from compagnon import Solution
from compagnon.errors import UserError
from compagnon.operate.monitor import segments
from compagnon.web.server import listen

PROGRAM = """
import sys
from compagnon import Solution
from compagnon.web.server import serve
serve(Solution(sys.argv[1]), host=sys.argv[2], port=0, on_ready=lambda *told: print(*told, flush=True))
print("ended well", flush=True)
"""


@contextlib.contextmanager
def process(solution: Solution, host: str = "127.0.0.1") -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(solution.root), host],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert started.stdout is not None
        address, pages = started.stdout.readline().split()
        yield started, address, pages
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_writes_what_was_answered_and_ends_well(fresh: Solution, number: signal.Signals) -> None:
    headers = {"Authorization": f"Bearer {key_of(fresh)}"}
    with process(fresh) as (server, address, pages):
        assert pages == "True"
        assert httpx.get(address).status_code == 200
        for _ in range(20):
            answer = httpx.post(
                f"{address}/api/models/theme/predict", json={"rows": [{"text": "colis"}]}, headers=headers
            )
            assert answer.status_code == 200
        server.send_signal(number)
        out, _err = server.communicate(timeout=60)
        assert "ended well" in out
        assert server.returncode == 0
    paths = segments.paths(fresh.workspace.predictions, fresh.engine)
    assert sum(pq.read_metadata(path).num_rows for path in paths) == 20


def test_killed_it_loses_no_written_prediction(fresh: Solution) -> None:
    headers = {"Authorization": f"Bearer {key_of(fresh)}"}
    with process(fresh) as (server, address, _pages):
        for _ in range(10):
            httpx.post(f"{address}/api/models/theme/predict", json={"rows": [{"text": "colis"}]}, headers=headers)
        end = time.monotonic() + 30
        while "recorded_total 10" not in httpx.get(f"{address}/metrics").text:
            assert time.monotonic() < end
            time.sleep(0.05)
        server.kill()
        server.wait()
    with process(fresh) as (server, address, _pages):
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    paths = segments.paths(fresh.workspace.predictions, fresh.engine)
    assert sum(pq.read_metadata(path).num_rows for path in paths) == 10


def test_beyond_this_machine_there_are_no_pages_and_metrics_need_a_key(fresh: Solution) -> None:
    key = key_of(fresh)
    with process(fresh, "0.0.0.0") as (_server, address, pages):
        assert pages == "False"
        local = address.replace("0.0.0.0", "127.0.0.1")
        for path in ("/", "/logbook", "/models/theme/try", "/api/docs"):
            answer = httpx.get(local + path)
            assert answer.status_code == 404
        assert httpx.get(local + "/health/live").status_code == 200
        elsewhere = {"Host": "solution.example.org"}
        assert httpx.get(local + "/metrics", headers=elsewhere).status_code == 401
        good = {"Authorization": f"Bearer {key}", **elsewhere}
        answer = httpx.post(local + "/api/models/theme/predict", json={"rows": [{"text": "colis"}]}, headers=good)
        assert answer.status_code == 200


def test_a_busy_port_and_a_foreign_address_are_explained() -> None:
    with contextlib.closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError) as caught:
            listen("127.0.0.1", port)
    assert caught.value.code == "serve.port-busy"
    assert str(port + 1) in str(caught.value)
    for host, port in (("192.0.2.1", 8000), ("127.0.0.1", 99999), ("no.such.name.invalid", 8000)):
        with pytest.raises(UserError) as caught:
            listen(host, port)
        assert caught.value.code == "serve.bad-address"


def test_a_queued_run_is_done_beside_the_server(fresh: Solution) -> None:
    job = fresh.jobs.add("run", {"to": None, "refresh": []}, "test", fresh.clock.now())
    with process(fresh) as (_server, address, _pages):
        end = time.monotonic() + 60
        while (now := fresh.jobs.get(job.id)) is None or now.state != "done":
            assert time.monotonic() < end, now
            assert httpx.get(address + "/health/live").status_code == 200
            time.sleep(0.2)
    assert (now.holder or "").split(":")[-1] != str(os.getpid())
