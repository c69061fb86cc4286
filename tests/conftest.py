"""What every test shares: hypothesis without deadlines (machines are slow at times), English messages, fixtures."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sharing import ByGroup, group_of, made_once

from collecting import Collecting
from command_line import SMALL, CommandLine
from compagnon.sandbox.postgresql import binaries, server

# No test asserts a time; and the messages that tests compare are English whatever the machine's locale.
settings.register_profile("compagnon", deadline=None)
settings.load_profile("compagnon")
os.environ["COMPAGNON_LANG"] = "en"
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
# What a shell runs with & ignores Ctrl-C, and so would all that the tests start; some of them type it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByGroup:
    return ByGroup(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long groups are given out first: no process waits long for the other at the end."""
    lost = [item.nodeid for item in items if item.get_closest_marker("spark") and group_of(item.nodeid) != "spark"]
    if lost:
        raise pytest.UsageError(f"Tests of Spark that support/sharing.py does not know: {lost}")
    items.sort(key=lambda item: group_of(item.nodeid) != "spark")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a real PostgreSQL, started on a temporary folder and loopback for these tests."""
    if binaries() is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed")
    with server() as url:
        yield url


@pytest.fixture(scope="session")
def spark() -> Iterator[dict[str, str]]:
    """The engine of one Spark session, started once for all tests; skipped where Spark cannot run."""
    from compagnon.engines import spark as engine
    from compagnon.errors import UserError

    try:
        engine.check()
    except UserError as error:
        pytest.skip(str(error))
    yield {"kind": "spark", "master": "local[2]", "memory": "1g"}
    engine.stop()


@pytest.fixture
def collecting(tmp_path: Path) -> Collecting:
    """A solution in which sources are collected, run after run."""
    return Collecting(tmp_path)


@pytest.fixture
def small_solution(tmp_path: Path) -> Path:
    """A solution of a few rows, to be run in about two seconds; it was not run yet."""
    return Path(shutil.copytree(SMALL, tmp_path / "small"))


@pytest.fixture(scope="session")
def _small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        CommandLine(Path(shutil.copytree(SMALL, folder)))("run", "--quiet")

    return made_once(tmp_path_factory, "run", make)


@pytest.fixture
def small_solution_run(_small_run: Path, tmp_path: Path) -> Path:
    """The same, run once; each test has its own copy."""
    return Path(shutil.copytree(_small_run, tmp_path / "small"))


@pytest.fixture(scope="session")
def small_template() -> Path:
    """The same as shipped with the tests, to be copied and never written."""
    return SMALL
