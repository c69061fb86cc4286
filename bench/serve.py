"""Predictions over HTTP: ours with everything on, against FastAPI + ONNX Runtime, LitServe, BentoML and MLflow.

    python bench/serve.py [--seconds 5] [--connections 32] [--kinds tabular text] [--peers fastapi litserve bentoml
                             mlflow] [--cache FOLDER] [--json FILE]

One row of JSON a request, one worker each, on loopback, in the same run; every server runs the same ONNX graph. Ours
checks a key, limits its rate, validates, counts, and records every prediction; the others do what their first page
shows. Tabular: 100 rounds of boosted trees for 3 classes on 20 numbers. Text: TF-IDF of about 20,000 terms and a
linear model. Each peer lives in a virtual environment of its own, made below ``--cache`` when it is not there (by pip);
one that cannot be installed is said so. Load comes from wrk (on the path, else taken from Debian's packages into the
cache, else a closed loop of our own, slower). Prints requests a second, latencies, processor time of the server and its
children for each request, their memory, the time from the start to the first answer, and ratios to ours.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FEATURES = [f"f{number}" for number in range(20)]
SYLLABLES = [a + b for a in "bdfglmnprst" for b in ("a", "e", "i", "o", "u", "ou", "an", "in")]
PACKAGES = {
    "litserve": ["litserve", "onnxruntime"],
    "bentoml": ["bentoml", "onnxruntime"],
    "mlflow": ["mlflow", "onnxruntime"],
}
"""What pip installs for each peer; FastAPI runs in our own environment."""
DEBIAN = ("wrk", "libluajit-5.1-2")

OURS = """
import sys
from compagnon import Solution
from compagnon.services.model_api.service import make_service
from compagnon.web.app import create_app
from compagnon.web.server import listen, make_server, settle
import logging
logging.basicConfig(level=logging.WARNING)
solution = Solution(sys.argv[1])
service = make_service(solution)
fast = service if sys.argv[2] == "fast" else None
listening = listen("127.0.0.1", int(sys.argv[3]))
make_server(create_app(solution, service=service), settle, fast).run(sockets=[listening])
"""

GRAPH = """
import json, sys
import numpy, onnxruntime
class Graph:
    def __init__(self, folder):
        about = json.load(open(folder + "/about.json"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(folder + "/model.onnx", options)
        self.labels, self.text = about["labels"], about["kind"] == "text"
        self.names = [one.name for one in self.session.get_inputs()]
    def answer(self, rows):
        feeds = {}
        for name in self.names:
            values = [row[name] for row in rows]
            if self.text:
                feeds[name] = numpy.array([" " + value.lower() + " " for value in values], dtype=object)
            else:
                feeds[name] = numpy.array(values, dtype=numpy.float32)
        found = self.session.run(["probabilities"], feeds)[0]
        best = found.argmax(axis=1)
        return {"predictions": [{"label": self.labels[i], "confidence": float(p[i])} for i, p in zip(best, found)]}
"""

FASTAPI = """
import sys
import uvicorn
from fastapi import FastAPI
from pydantic import create_model
from graph import Graph
graph = Graph(".")
Row = create_model("Row", **{name: (str if graph.text else float, ...) for name in graph.names})
Body = create_model("Body", rows=(list[Row], ...))
app = FastAPI()
@app.post("/predict")
async def predict(body: Body):
    return graph.answer([row.model_dump() for row in body.rows])
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
"""

LITSERVE = """
import sys
import litserve
from graph import Graph
class Api(litserve.LitAPI):
    def setup(self, device):
        self.graph = Graph(".")
    def decode_request(self, request):
        return request["rows"]
    def predict(self, rows):
        return self.graph.answer(rows)
    def encode_response(self, answer):
        return answer
if __name__ == "__main__":
    litserve.LitServer(Api(), accelerator="cpu", track_requests=False).run(
        host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning"
    )
"""

BENTOML = """
import bentoml
from graph import Graph
@bentoml.service(workers=1)
class Service:
    def __init__(self):
        self.graph = Graph(".")
    @bentoml.api
    def predict(self, rows: list[dict]) -> dict:
        return self.graph.answer(rows)
"""

MLFLOW = """
import mlflow.pyfunc
from graph import Graph
class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.graph = Graph(context.artifacts["folder"])
    def predict(self, context, model_input, params=None):
        return self.graph.answer(model_input.to_dict("records"))["predictions"]
if __name__ == "__main__":
    mlflow.pyfunc.save_model("saved", python_model=Model(), artifacts={"folder": "."}, code_paths=["graph.py"])
"""

SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer %s"
wrk.body = [==[%s]==]
"""

FILE = """\
version: 1
name: bench
title: {fr: "Mesure", en: "Benchmark"}
timezone: Europe/Paris
need:
  problem: {fr: "Mesurer", en: "Measure"}
sources:
  rows: {kind: file, path: "rows.csv", licence: CC0-1.0, contact: "bench@example.org"}
tables:
  rows:
    key: id
    from:
      rows: {id: id, COLUMNS, label: label}
    columns:
      id: {type: text}
TYPES
      label: {type: category, values: [a, b, c]}
models:
  it:
    task: TASK
    table: rows
    input: [INPUTS]
    target: label
    split: {test: 0.2, folds: 2, seed: 1}
    estimators: ESTIMATOR
    serve: {limits: {per_minute: 1000000000}}
"""


@dataclass(frozen=True)
class Task:
    """A model to serve: our solution, the same graph beside it, one row to ask for, and a key."""

    kind: str
    root: Path
    folder: Path
    row: dict[str, Any]
    key: str
    size: str


@dataclass(frozen=True)
class Peer:
    """How a server is started, where it listens, and what it takes."""

    name: str
    command: list[str]
    path: str
    body: dict[str, Any]
    folder: Path
    port: int


def make(folder: Path, kind: str) -> Task:
    """A solution of ``kind``, run, and its graph apart."""
    from compagnon import Solution
    from compagnon.access.keys import create_key

    root, apart = folder / kind / "solution", folder / kind / "graph"
    root.mkdir(parents=True)
    apart.mkdir()
    row = _write_solution(root, kind)
    solution = Solution(root)
    solution.run()
    key = create_key(solution.engine, ("predict",), "bench", now=solution.clock.now())[1]
    artifact = solution.artifact("package/it", "package/it")
    assert artifact is not None
    document = json.loads(solution.artifacts.path(artifact, "package.json").read_text(encoding="utf-8"))
    shutil.copy(solution.artifacts.path(artifact, "model.onnx"), apart / "model.onnx")
    solution.close()
    (apart / "about.json").write_text(json.dumps({"kind": kind, "labels": document["labels"]}), encoding="utf-8")
    sources = {"graph": GRAPH, "plain": FASTAPI, "lit": LITSERVE, "bento": BENTOML, "flow": MLFLOW}
    for name, code in sources.items():
        (apart / f"{name}.py").write_text(code, encoding="utf-8")
    return Task(kind, root, apart, row, key, _size(apart / "model.onnx"))


def _write_solution(root: Path, kind: str) -> dict[str, Any]:
    generator = random.Random(1)
    columns = FEATURES if kind == "tabular" else ["text"]
    text = FILE.replace("COLUMNS", ", ".join(f"{c}: {c}" for c in columns)).replace("INPUTS", ", ".join(columns))
    type_of = "float" if kind == "tabular" else "text"
    text = text.replace("TYPES", "\n".join(f"      {c}: {{type: {type_of}, required: true}}" for c in columns))
    text = text.replace("TASK", f"{kind}-classification")
    family = "[boosting]" if kind == "tabular" else "[{kind: linear, words: [1, 2], chars: null}]"
    (root / "solution.yaml").write_text(text.replace("ESTIMATOR", family), encoding="utf-8")
    words = ["".join(generator.choices(SYLLABLES, k=generator.randrange(1, 4))) for _ in range(2500)]
    row: dict[str, Any] = {}
    with (root / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *columns, "label"])
        for number in range(3000 if kind == "tabular" else 1800):
            if kind == "tabular":
                values: list[Any] = [round(generator.gauss(0, 1), 4) for _ in columns]
                score = values[0] + values[1] * values[2]
                label = "a" if score < -0.5 else "b" if score < 0.5 else "c"
            else:
                label = generator.choice("abc")
                values = [" ".join(generator.choices(words["abc".index(label) :: 2], k=15))]
            writer.writerow([number, *values, label])
            row = dict(zip(columns, values, strict=True))
    return row


def _size(graph: Path) -> str:
    import onnx

    for node in onnx.load(graph).graph.node:
        for one in node.attribute:
            if one.name == "ngram_indexes":
                return f"{len(one.ints)} terms"
            if one.name == "nodes_treeids":
                return f"{max(one.ints) + 1} trees of {len(one.ints)} nodes in all"
    return ""


def peers_of(task: Task, wanted: Sequence[str], cache: Path) -> Iterator[Peer]:
    """Ours by both paths, then each peer that is there or can be installed."""
    rows = {"rows": [task.row]}
    ours, path = [sys.executable, "-c", OURS, str(task.root)], "/api/models/it/predict"
    for name, way in (("compagnon", "fast"), ("compagnon, ordinary route", "ordinary")):
        port = _free()
        yield Peer(name, [*ours, way, str(port)], path, rows, task.folder, port)
    for name in wanted:
        python = Path(sys.executable) if name == "fastapi" else _installed(name, cache)
        if python is None:
            continue
        port = _free()
        number, path, body = str(port), "/predict", rows
        if name == "fastapi":
            command = [str(python), "plain.py", number]
        elif name == "litserve":
            command = [str(python), "lit.py", number]
        elif name == "bentoml":
            command = [
                str(python.with_name("bentoml")),
                "serve",
                "bento:Service",
                "--port",
                number,
                "--host",
                "127.0.0.1",
            ]
        else:
            if not (task.folder / "saved").exists():
                subprocess.run([str(python), "flow.py"], cwd=task.folder, check=True, capture_output=True)
            command = [str(python.with_name("mlflow")), "models", "serve", "-m", "saved", "-p", number]
            command += ["--env-manager", "local", "--workers", "1"]
            path, body = "/invocations", {"dataframe_records": [task.row]}
        yield Peer(name, command, path, body, task.folder, port)


def _installed(name: str, cache: Path) -> Path | None:
    """The Python of a peer's own environment, made when it is not there; None, said, where that fails."""
    place = cache / name
    python = place / "bin" / "python"
    if not (place / "whole").exists():
        print(f"installing {name}...", flush=True)
        steps = (
            [sys.executable, "-m", "venv", str(place)],
            [str(python), "-m", "pip", "install", "-q", *PACKAGES[name]],
        )
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name} cannot be installed: {(done.stderr.strip() or 'no reason').splitlines()[-1]}")
                return None
        (place / "whole").touch()
    return python


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def started(peer: Peer, key: str) -> Iterator[tuple[int, float]]:
    """A server process; gives its number and the seconds until its first good answer."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "BENTOML_DO_NOT_TRACK": "True"}
    environment["PATH"] = f"{Path(peer.command[0]).parent}:{environment['PATH']}"
    began = time.monotonic()
    with (peer.folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            peer.command, cwd=peer.folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            while not _answers(peer, key):
                if process.poll() is not None or time.monotonic() - began > 120:
                    raise RuntimeError((peer.folder / "log.txt").read_text()[-400:])
                time.sleep(0.05)
            yield process.pid, time.monotonic() - began
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _answers(peer: Peer, key: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=10)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    try:
        connection.request("POST", peer.path, json.dumps(peer.body), headers)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def family(number: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = place.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(place.parent.name))
    found, queue = [], [number]
    while queue:
        found.append(queue.pop())
        queue += parents.get(found[-1], [])
    return found


def cpu_seconds(number: int) -> float:
    """Processor time of a process and those below it so far."""
    total = 0
    for one in family(number):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def memory(number: int) -> float:
    """Resident megabytes of a process and those below it; pages that they share count once (PSS)."""
    total = 0
    for one in family(number):
        with contextlib.suppress(OSError, TypeError):
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])  # type: ignore[index]
    return total / 1024


@dataclass(frozen=True)
class Load:
    """What asks: wrk and the environment that it runs in, or a loop of our own where there is none."""

    wrk: str | None
    environment: dict[str, str]

    def ask(self, peer: Peer, key: str, seconds: int, connections: int) -> dict[str, float]:
        """Requests answered, requests a second, p50 and p99 in ms; raises RuntimeError where one failed."""
        if self.wrk is None:
            return asyncio.run(_closed_loop(peer, key, seconds, connections))
        script = peer.folder / "load.lua"
        script.write_text(SCRIPT % (key, json.dumps(peer.body)), encoding="utf-8")
        command = [
            self.wrk,
            "-t1",
            f"-c{connections}",
            f"-d{seconds}",
            "--timeout",
            "10",
            "--latency",
            "-s",
            str(script),
        ]
        address = f"http://127.0.0.1:{peer.port}{peer.path}"
        said = subprocess.run(
            [*command, address], check=True, capture_output=True, text=True, env=self.environment
        ).stdout
        if "Non-2xx" in said or "Socket errors" in said:
            raise RuntimeError(said)
        count = re.search(r"(\d+) requests in", said)
        rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
        assert count
        assert rate
        return {
            "count": float(count[1]),
            "req_s": float(rate[1]),
            "p50_ms": _milliseconds(said, 50),
            "p99_ms": _milliseconds(said, 99),
        }


def load_of(cache: Path) -> Load:
    """wrk from the path or the cache, into which it is unpacked from Debian's packages where there are any."""
    if found := shutil.which("wrk"):
        return Load(found, dict(os.environ))
    place = cache / "wrk"
    unpacked = place / "usr" / "bin" / "wrk"
    if not unpacked.exists() and shutil.which("apt-get"):
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", *DEBIAN], cwd=place, capture_output=True, check=False)
        for package in place.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(place)], capture_output=True, check=False)
    if not unpacked.exists():
        print("wrk is not to be had: a loop of our own asks, which takes more of the processor itself.")
        return Load(None, {})
    libraries = ":".join(str(one.parent) for one in place.glob("usr/lib/*/libluajit*.so.2"))
    return Load(str(unpacked), {**os.environ, "LD_LIBRARY_PATH": libraries})


async def _closed_loop(peer: Peer, key: str, seconds: int, connections: int) -> dict[str, float]:
    body = json.dumps(peer.body).encode()
    head = f"POST {peer.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    times: list[float] = []
    end = time.monotonic() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
        while (began := time.monotonic()) < end:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"content-length: (\d+)", answer.lower())
            if b" 200 " not in answer.split(b"\r\n")[0] or size is None:
                raise RuntimeError(answer.decode())
            await reader.readexactly(int(size[1]))
            times.append(time.monotonic() - began)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    times.sort()
    return {
        "count": float(len(times)),
        "req_s": len(times) / seconds,
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[int(len(times) * 0.99)] * 1000,
    }


def _milliseconds(said: str, share: int) -> float:
    found = re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", said)
    assert found
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def measure(peer: Peer, key: str, load: Load, seconds: int, connections: int) -> dict[str, float]:
    """One server, after a second of load; then with one connection."""
    with started(peer, key) as (number, cold):
        load.ask(peer, key, 1, connections)
        before = cpu_seconds(number)
        found = load.ask(peer, key, seconds, connections)
        found["cpu_us"] = (cpu_seconds(number) - before) / found["count"] * 1e6
        found["memory_mb"], found["cold_s"] = memory(number), cold
        found["one_p50_ms"] = load.ask(peer, key, 2, 1)["p50_ms"]
        return found


def compare(task: Task, options: argparse.Namespace, load: Load) -> dict[str, dict[str, float]]:
    """Every server on one model; each line is printed as it is measured."""
    print(f"{task.kind} ({task.size}), one row, {options.connections} connections, load {os.getloadavg()[0]:.1f}")
    titles = f"{'req/s':>8s} {'p50 ms':>8s} {'p99 ms':>8s} {'1 conn.':>8s} {'CPU us':>8s} {'MB':>6s} {'cold s':>7s}"
    print(f"  {'':27s} {titles} ours")
    results: dict[str, dict[str, float]] = {}
    for peer in peers_of(task, options.peers, options.cache):
        try:
            one = results[peer.name] = measure(peer, task.key, load, options.seconds, options.connections)
        except RuntimeError as error:
            print(f"  {peer.name} is not measured: {error}")
            continue
        ratio = results["compagnon"]["req_s"] / one["req_s"] if "compagnon" in results else float("nan")
        print(
            f"  {peer.name:27s} {one['req_s']:8.0f} {one['p50_ms']:8.2f} {one['p99_ms']:8.2f} {one['one_p50_ms']:8.2f}"
            f" {one['cpu_us']:8.0f} {one['memory_mb']:6.0f} {one['cold_s']:7.1f} {ratio:.1f}x",
            flush=True,
        )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--kinds", nargs="+", default=["tabular", "text"], choices=["tabular", "text"])
    peers = ["fastapi", *PACKAGES]
    parser.add_argument("--peers", nargs="*", default=peers, choices=peers)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "compagnon-bench")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    load = load_of(options.cache)
    with tempfile.TemporaryDirectory() as folder:
        results = {kind: compare(make(Path(folder), kind), options, load) for kind in options.kinds}
    print(f"load average at the end: {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
