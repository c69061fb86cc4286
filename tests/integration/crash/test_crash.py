"""kill -9 at each write boundary and at random times: running again gives what an undisturbed run gives."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace

DRIVER = Path(__file__).parent / "driver.py"


class Driver:
    """A forking process that tries one crash after another."""

    def __init__(self, template: Path, folder: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(DRIVER), str(template), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __call__(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the driver died"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def crash(
    tmp_path_factory: pytest.TempPathFactory, small_template: Path
) -> Iterator[tuple[Driver, dict[str, Any], Path]]:
    """The driver, the answer of an undisturbed run, and the log of the boundaries that it crossed."""
    folder = tmp_path_factory.mktemp("crash")
    template = folder / "template"
    shutil.copytree(small_template, template)
    # The same keys in each trial: pseudonyms are part of the rows.
    Secrets(Workspace(template), {}).own("pseudonym_key")
    log = folder / "boundaries"
    environment = {**os.environ, "COMPAGNON_FAULT_LOG": str(log), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    driver = Driver(template, folder, environment)
    undisturbed = driver()
    assert undisturbed["first"] == 0
    assert undisturbed["again"] == 0
    yield driver, undisturbed, log
    driver.close()


def same(answer: dict[str, Any], undisturbed: dict[str, Any]) -> None:
    assert answer["again"] == 0, answer["request"]
    assert answer["found"] == undisturbed["found"], answer["request"]
    assert answer["left"] == [], answer["request"]


def crossings(log: Path) -> list[str]:
    """Each boundary with its count, as crossed by one undisturbed run."""
    return sorted(set(log.read_text().splitlines()))


def test_the_undisturbed_run_is_whole(crash: tuple[Driver, dict[str, Any], Path]) -> None:
    _, undisturbed, log = crash
    assert {step["state"] for step in undisturbed["found"].values()} == {"cached"}
    assert {"segment:1", "manifest:1", "before-ledger:1", "ledger:1"} <= set(crossings(log))


def test_killed_at_the_first_of_each_write_boundary(crash: tuple[Driver, dict[str, Any], Path]) -> None:
    driver, undisturbed, log = crash
    for fault in [name for name in crossings(log) if name.endswith(":1")]:
        answer = driver(fault=fault)
        assert answer["first"] == -9, f"{fault} did not kill"
        same(answer, undisturbed)


def test_killed_at_a_few_random_times(crash: tuple[Driver, dict[str, Any], Path]) -> None:
    driver, undisturbed, _ = crash
    chance = random.Random(1)
    for _ in range(5):
        same(driver(after=chance.uniform(0, undisturbed["seconds"])), undisturbed)


@pytest.mark.full
@pytest.mark.timeout(2400)
def test_killed_at_every_write_boundary(crash: tuple[Driver, dict[str, Any], Path]) -> None:
    driver, undisturbed, log = crash
    for fault in crossings(log):
        answer = driver(fault=fault)
        assert answer["first"] == -9, f"{fault} did not kill"
        same(answer, undisturbed)


@pytest.mark.full
@pytest.mark.timeout(2400)
def test_killed_at_200_random_times(crash: tuple[Driver, dict[str, Any], Path]) -> None:
    driver, undisturbed, _ = crash
    chance = random.Random(2)
    killed = 0
    for _ in range(200):
        answer = driver(after=chance.uniform(0, undisturbed["seconds"]))
        killed += answer["first"] == -9
        same(answer, undisturbed)
    assert killed > 150, "most trials must have been killed before their end"
