"""The queue of handovers on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from handing_over import CHECKS, Check
from sqlalchemy import Engine

from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database

pytestmark = pytest.mark.postgresql


@pytest.fixture
def engine(postgresql: str, tmp_path: Path) -> Iterator[Engine]:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS handover")
        connection.execute("CREATE DATABASE handover")
    found = open_database(Workspace(tmp_path), postgresql.rpartition("/")[0] + "/handover")
    yield found
    found.dispose()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_queue(check: Check, engine: Engine) -> None:
    check(engine)
