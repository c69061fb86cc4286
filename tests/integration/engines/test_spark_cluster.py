"""A standalone cluster, a master and two workers on this machine: a worker lost in mid-job costs time, not rows."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from kitchen import Kitchen

from compagnon.engines import spark as engines

pytestmark = [pytest.mark.spark, pytest.mark.full, pytest.mark.timeout(900)]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Cluster:
    master: str
    web: str
    workers: list[subprocess.Popen[bytes]]

    def alive(self) -> int:
        with urllib.request.urlopen(f"{self.web}/json/", timeout=10) as answer:
            return answer.read().count(b"ALIVE") - 1  # the master says it of itself too

    def lose_one(self) -> None:
        """End a worker with its executor and its Python processes, as a machine that goes off."""
        os.killpg(self.workers[0].pid, signal.SIGKILL)


@pytest.fixture
def cluster(spark: dict[str, Any], tmp_path: Path) -> Iterator[Cluster]:
    import pyspark

    home = Path(pyspark.__file__).parent
    environment = {
        **os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable,
        "SPARK_DAEMON_MEMORY": "256m", "SPARK_WORKER_DIR": str(tmp_path / "work"), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    port, web = free_port(), free_port()
    package = "org.apache.spark.deploy"
    log = (tmp_path / "cluster.log").open("wb")

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [str(home / "bin" / "spark-class"), *arguments]
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)

    master = f"spark://127.0.0.1:{port}"
    started = [start(f"{package}.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(web))]
    worker = (
        f"{package}.worker.Worker",
        "--host",
        "127.0.0.1",
        "--cores",
        "1",
        "--memory",
        "600m",
        "--webui-port",
        "0",
    )
    started += [start(*worker, master), start(*worker, master)]
    made = Cluster(master, f"http://127.0.0.1:{web}", started[1:])
    try:
        for _attempt in range(240):
            with contextlib.suppress(OSError):
                if made.alive() == 2:
                    break
            time.sleep(0.5)
        else:
            pytest.fail("the cluster does not start: " + (tmp_path / "cluster.log").read_text()[-2000:])
        yield made
    finally:
        engines.stop()
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def test_a_worker_lost_in_mid_job(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"Question n° {i} : « é » &amp; {i % 977}" for i in range(200_000)]
    raw = pa.table({"x": texts, "n": [str(i * 7 % 1000) for i in range(len(texts))]})
    table = {
        "from": {"s": {"x": "x", "n": "n"}},
        "columns": {
            "x": {"type": "text", "clean": ["nfc", "html", "spaces", "fold"]},
            "n": {"type": "integer"},
            "last": {"type": "integer", "expr": "cast(regexp_extract(x, '([0-9]+)$', 1) as integer)"},
        },
        "reject": [{"when": "n < 10", "because": "small"}],
        "unique": {"by": ["last"], "prefer": ["n desc"]},
    }
    alone = Kitchen(tmp_path / "duckdb")
    alone.workspace.prepare()
    expected = alone.prepare(table, {"s": raw}, pieces=60)

    lost: list[int] = []

    def progress(message: str, done: int | None, total: int | None) -> None:
        if not lost and done is not None and total and 1 <= done < total:
            lost.append(done)
            cluster.lose_one()

    kitchen = Kitchen(tmp_path / "spark")
    kitchen.workspace.prepare()
    make = kitchen.context

    def watched(*given: Any) -> Any:
        context = make(*given)
        context.on_progress = progress
        return context

    monkeypatch.setattr(kitchen, "context", watched)
    config = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.cores.max": "2"}
    engine = {"kind": "spark", "master": cluster.master, "memory": "500m", "config": config}
    found = kitchen.prepare(table, {"s": raw}, pieces=60, engine=engine)

    assert lost, "the job was over before a worker could be lost"
    assert cluster.workers[0].poll() == -signal.SIGKILL
    assert found.facts == expected.facts
    for output in ("table/t", "quarantine/t", "quality/t"):
        assert found.digest(output) == expected.digest(output)
