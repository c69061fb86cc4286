"""One server for all tests that only ask it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Served, fresh, key_of, running, trained

from compagnon import Solution
from compagnon.services.model_api.service import make_service
from compagnon.web.app import create_app

__all__ = ["fresh", "trained"]


@pytest.fixture(scope="session", params=["fast", "ordinary"])
def served(trained: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server by each of the two paths of a prediction: whatever is asked, both say the same."""
    root = tmp_path_factory.mktemp("served") / "small"
    shutil.copytree(trained, root)
    solution = Solution(root)
    service = make_service(solution)
    with running(create_app(solution, service=service), service if request.param == "fast" else None) as address:
        yield Served(solution, address, key_of(solution))
    solution.close()
