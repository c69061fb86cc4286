"""The queue of the help desk, on SQLite: states, who sees what, masks, retention and erasure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from handing_over import CHECKS, Check
from sqlalchemy import Engine

from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = open_database(Workspace(tmp_path))
    yield found
    found.dispose()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_queue(check: Check, engine: Engine) -> None:
    check(engine)
