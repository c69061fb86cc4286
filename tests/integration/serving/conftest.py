"""One server for all tests that only ask it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Served, fresh, key_of, running, trained

from compagnon import Solution
from compagnon.web.app import create_app

__all__ = ["fresh", "trained"]


@pytest.fixture(scope="session")
def served(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("served") / "small"
    shutil.copytree(trained, root)
    solution = Solution(root)
    with running(create_app(solution)) as address:
        yield Served(solution, address, key_of(solution))
    solution.close()
