"""Usage of AI services on a real PostgreSQL: ceilings hold among threads, sums and memory are those of SQLite."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.operate.usage import record, remember
from compagnon.operate.usage.record import Account, CeilingReached
from compagnon.operate.usage.report import usage
from compagnon.providers.footprint import Footprint
from compagnon.providers.port import Usage
from compagnon.providers.prices import Price
from compagnon.spec.model import Ceiling, Remember

pytestmark = pytest.mark.postgresql
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ACCOUNT = Account("school", "mistral-small-2603", "p_1", Price(Decimal("0.15"), Decimal("0.60")), "USD")
WEIGHT = Footprint((0.1, 0.2), (0.3, 0.4))


@pytest.fixture
def engine(postgresql: str, tmp_path: Path) -> Iterator[Engine]:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS provider_usage")
        connection.execute("CREATE DATABASE provider_usage")
    found = open_database(Workspace(tmp_path), postgresql.rpartition("/")[0] + "/provider_usage")
    yield found
    found.dispose()


def test_threads_cannot_pass_a_ceiling_together(engine: Engine) -> None:
    ceiling, rows, refused = Ceiling(tokens=1000), list[int](), list[CeilingReached]()

    def one() -> None:
        for _turn in range(10):
            try:
                rows.append(record.reserve(engine, ACCOUNT, Usage(60, 30), ceiling, NOW))
            except CeilingReached as error:
                refused.append(error)

    threads = [threading.Thread(target=one) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(rows), len(refused)) == (11, 29)
    for row in rows:
        settled = record.settle(
            engine, row, ACCOUNT, "done", Usage(10, 5), counted=True, footprint=WEIGHT, first_ms=1, whole_ms=2
        )
        assert settled.cost == pytest.approx((10 * 0.15 + 5 * 0.6) / 1e6)
    record.add_cached(engine, ACCOUNT, NOW + timedelta(days=1))
    first, second = usage(engine)
    assert (first.group, first.answers, first.prompt_tokens, first.completion_tokens) == ("2026-11-21", 11, 110, 55)
    assert first.energy_wh == pytest.approx((1.1, 2.2))
    assert (second.answers, second.cached, second.cost) == (1, 1, 0)
    assert [line.group for line in usage(engine, "person")] == ["p_1"]
    assert record.purge(engine, NOW + timedelta(days=400)) == 12


def test_remembered_answers(engine: Engine) -> None:
    answer = remember.Remembered("Une convolution [EMAIL_1]", "stop", Usage(3, 2), "mistral-small-2603")
    limits = Remember(answers=2, keep=timedelta(days=1))
    for number, key in enumerate(("a", "b", "a", "c")):
        assert remember.keep(engine, key, "school", answer, limits, NOW + timedelta(seconds=number))
    assert not remember.keep(
        engine, "d", "school", remember.Remembered("a@b.fr", "stop", Usage(1, 1), "m"), limits, NOW
    )
    assert remember.recall(engine, "b", NOW) is None
    assert remember.recall(engine, "a", NOW) == answer
    assert remember.recall(engine, "a", NOW + timedelta(days=2)) is None
    assert remember.purge(engine, NOW + timedelta(days=2)) == 2
