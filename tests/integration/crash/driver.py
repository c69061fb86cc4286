"""Runs a solution in forked children that are killed, then runs it again and says what the ledger holds.

A process that has imported everything forks for each trial, so that a trial costs the run and not the imports. Usage:
``driver.py TEMPLATE_FOLDER WORK_FOLDER`` with trials as JSON lines on standard input: ``{"fault": "segment:3"}`` or
``{"after": 0.81}`` (seconds) or ``{}`` (undisturbed); prints one JSON line a trial.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import duckdb  # noqa: F401
import numpy  # noqa: F401
import onnxruntime  # noqa: F401
import pyarrow.parquet  # noqa: F401
import sklearn.linear_model
import sklearn.pipeline
import sklearn.svm  # noqa: F401
import sqlalchemy.dialects.sqlite  # noqa: F401

import compagnon.stages.collect.file
import compagnon.stages.collect.sql
import compagnon.stages.package.load  # noqa: F401
from compagnon import Solution
from compagnon.chain.fact import computed


def summary(folder: Path) -> dict[str, Any]:
    """What must be the same however often the run was disturbed: outputs by content, computed facts."""
    solution = Solution(folder)
    steps = solution.status()
    solution.close()
    return {
        step.instance.id: {
            "state": step.state,
            "outputs": {o.name: o.digest for o in step.run.outputs} if step.run else None,
            "facts": computed(step.run.facts) if step.run else None,
        }
        for step in steps
    }


def in_child(work: Any) -> int:
    """Exit status of ``work()`` in a forked child; minus the signal if it was killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return child


def run(folder: Path) -> None:
    os.setsid()
    Solution(folder).run()


def wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def trial(template: Path, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    os.environ.pop("COMPAGNON_FAULT", None)
    if "fault" in request:
        os.environ["COMPAGNON_FAULT"] = request["fault"]
    start = time.monotonic()
    child = in_child(lambda: run(folder))
    if "after" in request:
        time.sleep(request["after"])
        os.kill(child, signal.SIGKILL)
    first = wait(child)
    spent = time.monotonic() - start
    os.environ.pop("COMPAGNON_FAULT", None)
    again = wait(in_child(lambda: run(folder)))
    # The summary is made in a child too: this process must stay free of threads and open databases, since it forks.
    answer = folder / "summary.json"
    wait(in_child(lambda: answer.write_text(json.dumps(summary(folder)))))
    left = [p.name for p in (folder / ".compagnon" / "scratch").glob("*")]
    return {
        "request": request,
        "first": first,
        "again": again,
        "seconds": spent,
        "left": left,
        "found": json.loads(answer.read_text()),
    }


def main() -> None:
    template, work = Path(sys.argv[1]), Path(sys.argv[2])
    for line in sys.stdin:
        print(json.dumps(trial(template, work / "trial", json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
