"""How tests, and what takes long to make for them, are shared between the processes of pytest-xdist."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from xdist.scheduler import LoadScopeScheduling

# These ask for the Spark session and do not say it in their names.
SPARK_FILES = ("tests/contract/test_prepare_engines.py",)


def group_of(nodeid: str) -> str:
    """What must run in one process: a file, for its fixtures; and all that takes the one Spark session."""
    file = nodeid.partition("::")[0]
    return "spark" if "spark" in nodeid or file in SPARK_FILES else file


class ByGroup(LoadScopeScheduling):
    """Groups in the order of the collection; xdist's own ``loadgroup`` does nothing with pytest 9.2."""

    def __init__(self, config: Any, log: Any = None) -> None:
        config.option.loadscopereorder = False  # by its count of tests, Spark would come last and alone
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder ``name`` that ``make`` fills, for all processes of these tests: the first one makes it."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, done = root / name, root / f"{name}.done"
    with FileLock(root / f"{name}.lock"):
        if not done.exists():
            make(folder)
            done.touch()
    return folder
