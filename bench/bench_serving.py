"""Predictions over HTTP: our server, all on, against its ordinary route and a plain FastAPI + ONNX Runtime.

    python bench/bench_serving.py [--seconds 5] [--connections 32] [--kinds tabular text] [--json FILE]

One row of JSON a request, one worker each, on loopback, in the same run. Ours checks a key, limits its rate, validates,
counts, and records every prediction; the plain server validates with pydantic and does nothing else. Load comes from
wrk (Debian package of that name), which must be there. Prints requests a second, latencies and processor time of the
server for each request. Other peers (BentoML, LitServe, MLflow) are not measured here.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FEATURES = [f"f{number}" for number in range(20)]
WORDS = [a + b + c for a in "bdfglmnprst" for b in ("a", "e", "i", "o", "u", "ou") for c in ("ton", "rer", "lin", "ge")]

OURS = """
import sys
from compagnon import Solution
from compagnon.services.model_api.service import make_service
from compagnon.web.app import create_app
from compagnon.web.server import listen, make_server
import logging
logging.basicConfig(level=logging.WARNING)
solution = Solution(sys.argv[1])
service = make_service(solution)
listening = listen("127.0.0.1", 0)
ready = lambda: print(listening.getsockname()[1], flush=True)
fast = service if sys.argv[2] == "fast" else None
make_server(create_app(solution, service=service), ready, fast).run(sockets=[listening])
"""

PLAIN = """
import json, sys
import numpy, onnxruntime, uvicorn
from fastapi import FastAPI
from pydantic import create_model
from compagnon.features.text import fold_text
from compagnon.web.server import listen
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options)
labels = json.loads(sys.argv[2])
text = sys.argv[3] == "text"
names = [i.name for i in session.get_inputs()]
Row = create_model("Row", **{name: (str if text else float, ...) for name in names})
Body = create_model("Body", rows=(list[Row], ...))
app = FastAPI()
@app.post("/api/models/it/predict")
async def predict(body: Body):
    feeds = {}
    for name in names:
        values = [getattr(row, name) for row in body.rows]
        if text:
            feeds[name] = numpy.array([" " + fold_text(value) + " " for value in values], dtype=object)
        else:
            feeds[name] = numpy.array(values, dtype=numpy.float32)
    found = session.run(["probabilities"], feeds)[0]
    best = found.argmax(axis=1)
    return {"predictions": [{"label": labels[i], "confidence": float(p[i])} for i, p in zip(best, found)]}
listening = listen("127.0.0.1", 0)
print(listening.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])
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
    estimators: [ESTIMATOR]
    serve: {limits: {per_minute: 1000000000}}
"""


def make(root: Path, kind: str) -> dict[str, Any]:
    """A solution of ``kind`` in ``root``, run; returns one row."""
    from compagnon import Solution

    generator = random.Random(1)
    columns = FEATURES if kind == "tabular" else ["text"]
    root.mkdir(parents=True)
    text = FILE.replace("COLUMNS", ", ".join(f"{c}: {c}" for c in columns)).replace("INPUTS", ", ".join(columns))
    type_of = "float" if kind == "tabular" else "text"
    text = text.replace("TYPES", "\n".join(f"      {c}: {{type: {type_of}, required: true}}" for c in columns))
    text = text.replace("TASK", f"{kind}-classification")
    text = text.replace("ESTIMATOR", "boosting" if kind == "tabular" else "linear")
    (root / "solution.yaml").write_text(text, encoding="utf-8")
    row: dict[str, Any] = {}
    with (root / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *columns, "label"])
        for number in range(3000):
            if kind == "tabular":
                values: list[Any] = [round(generator.gauss(0, 1), 4) for _ in columns]
                score = values[0] + values[1] * values[2]
                label = "a" if score < -0.5 else "b" if score < 0.5 else "c"
            else:
                label = generator.choice("abc")
                bank = WORDS["abc".index(label) :: 2]
                values = [" ".join(generator.choices(bank, k=15))]
            writer.writerow([number, *values, label])
            row = dict(zip(columns, values, strict=True))
    solution = Solution(root)
    solution.run()
    solution.close()
    return row


@contextlib.contextmanager
def server(*arguments: str) -> Iterator[tuple[int, int]]:
    """A server process; gives its port and its number."""
    started = subprocess.Popen([sys.executable, "-c", *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert started.stdout is not None
        yield int(started.stdout.readline()), started.pid
    finally:
        started.terminate()
        started.wait(30)


def cpu_seconds(number: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(port: int, number: int, script: Path, seconds: int, connections: int) -> dict[str, float]:
    """What wrk says of one server; a second of load goes before."""
    wrk = ["wrk", "-t1", f"-c{connections}", "--latency", "-s", str(script)]
    address = f"http://127.0.0.1:{port}/api/models/it/predict"
    subprocess.run([*wrk, "-d1", address], check=True, capture_output=True)
    before = cpu_seconds(number)
    said = subprocess.run([*wrk, f"-d{seconds}", address], check=True, capture_output=True, text=True).stdout
    used = cpu_seconds(number) - before
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(said)
    count = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
    return {
        "req_s": float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),  # type: ignore[index]
        "p50_ms": _milliseconds(said, 50),
        "p99_ms": _milliseconds(said, 99),
        "cpu_us": used / count * 1e6,
    }


def _milliseconds(said: str, share: int) -> float:
    value, unit = re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", said).groups()  # type: ignore[union-attr]
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def compare(kind: str, folder: Path, seconds: int, connections: int) -> dict[str, dict[str, float]]:
    """The three servers on one model."""
    from compagnon import Solution
    from compagnon.access.keys import create_key

    root = folder / kind
    row = make(root, kind)
    solution = Solution(root)
    key = create_key(solution.engine, ("predict",), "bench", now=solution.clock.now())[1]
    artifact = solution.artifact("package/it", "package/it")
    assert artifact is not None
    document = json.loads(solution.artifacts.path(artifact, "package.json").read_text(encoding="utf-8"))
    graph = str(solution.artifacts.path(artifact, "model.onnx"))
    solution.close()
    script = folder / f"{kind}.lua"
    script.write_text(SCRIPT % (key, json.dumps({"rows": [row]})), encoding="utf-8")
    servers = {
        "compagnon": (OURS, str(root), "fast"),
        "compagnon, ordinary route": (OURS, str(root), "ordinary"),
        "FastAPI + ONNX Runtime, plain": (PLAIN, graph, json.dumps(document["labels"]), kind),
    }
    found = {}
    for name, arguments in servers.items():
        with server(*arguments) as (port, number):
            found[name] = measure(port, number, script, seconds, connections)
            if name == "compagnon":
                found["compagnon, 1 connection"] = measure(port, number, script, seconds, 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--kinds", nargs="+", default=["tabular", "text"], choices=["tabular", "text"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed (Debian: apt install wrk): nothing is measured.")
        return
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds:
            results[kind] = found = compare(kind, Path(folder), options.seconds, options.connections)
            ours = found["compagnon"]["req_s"]
            print(f"{kind}, one row, {options.connections} connections, load {os.getloadavg()[0]:.1f}")
            for name, one in found.items():
                print(
                    f"  {name:32s} {one['req_s']:8.0f} req/s  p50 {one['p50_ms']:7.2f} ms  p99 {one['p99_ms']:7.2f} ms"
                    f"  {one['cpu_us']:6.0f} us of CPU  {ours / one['req_s']:5.1f}x"
                )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
