"""Collecting 1,000 pages of 100 rows from a local API, against a bare httpx loop that reads the same pages.

Both run in processes of their own, one after the other, against one server in a third one; the ratio is of their
throughputs, the memory the highest of each process. The rows are those that a person would keep: the bare loop decodes
each page and drops it, Compagnon checks it, keeps it and writes Parquet.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from compagnon.sandbox.exchange import Reply, Request, as_json
from compagnon.sandbox.server import Server

ROWS = 100


def serve(pages: int, pipe: Connection) -> None:
    """Every page made before the first request, so that the server costs as little as it can."""
    made = []
    for number in range(pages):
        rows = [
            {
                "id": number * ROWS + i,
                "text": f"Comment choisir la taille du lot pour la question {number * ROWS + i} ?",
                "topic": f"topic{i % 20}",
                "score": i * 0.25,
                "author": {"email": f"etu{i % 50}@example.org"},
            }
            for i in range(ROWS)
        ]
        made.append(as_json({"items": rows, "meta": {"total": pages * ROWS}}))

    nothing = as_json({"items": [], "meta": {"total": 0}})

    def answer(request: Request) -> Reply:
        return made[int(request.query["page"]) - 1] if "page" in request.query else nothing

    server = Server(answer)
    pipe.send(server.address)
    pipe.recv()
    server.stop()


def bare(address: str, pages: int) -> int:
    import httpx

    count = 0
    with httpx.Client() as client:
        for number in range(1, pages + 1):
            response = client.get(f"{address}/rows", params={"page": number})
            response.raise_for_status()
            count += len(response.json()["items"])
    return count


def compagnon(address: str, pages: int) -> int:
    from collecting import Collecting

    with tempfile.TemporaryDirectory() as name:
        options: dict[str, Any] = {
            "pages": {"kind": "page", "total": "meta.total"} if pages else None,
            "records": "items",
            "fields": {"id": "id", "text": "text", "topic": "topic", "score": "score", "email": "author.email"},
        }
        return Collecting(Path(name)).run(kind="rest", url=f"{address}/rows", private=True, **options).rows


def measured(way: Callable[[str, int], int], address: str, pages: int, pipe: Connection) -> None:
    way(address, 0)  # imports are not what is measured
    start, cpu = time.perf_counter(), time.process_time()
    rows = way(address, pages)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    pipe.send((rows, seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")

    def run(target: Callable[..., None], *arguments: Any) -> tuple[Any, Connection]:
        ours, theirs = context.Pipe()
        process = context.Process(target=target, args=(*arguments, theirs))
        process.start()
        return process, ours

    found: dict[str, list[tuple[float, float, float]]] = {"bare httpx": [], "compagnon": []}
    for pages in (options.pages // 4, options.pages):
        server, pipe = run(serve, pages)
        address = pipe.recv()
        for lines in found.values():
            lines.clear()
        for _ in range(options.repeat if pages == options.pages else 1):
            for name, way in (("bare httpx", bare), ("compagnon", compagnon)):
                process, answer = run(measured, way, address, pages)
                rows, seconds, cpu, memory = answer.recv()
                process.join()
                assert rows == pages * ROWS, rows
                found[name].append((seconds, cpu, memory))
        pipe.send(None)
        server.join()
        print(f"{pages:,} pages of {ROWS} rows, {len(found['compagnon'])} times; throughput against bare httpx")
        print(f"{'way':<12}{'median s':>9}{'':>6}{'best s':>9}{'':>6}{'CPU s':>9}{'':>6}{'peak MB':>9}")
        base: list[float] = []
        for name, lines in found.items():
            times = [seconds for seconds, _cpu, _memory in lines]
            values = [statistics.median(times), min(times), min(cpu for _seconds, cpu, _memory in lines)]
            base = base or values
            shown = "".join(f"{value:>9.2f}{first / value:>6.2f}" for value, first in zip(values, base, strict=True))
            print(f"{name:<12}{shown}{max(memory for _seconds, _cpu, memory in lines):>9.0f}")


if __name__ == "__main__":
    main()
