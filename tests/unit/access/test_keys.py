"""API keys: made, checked, revoked; nothing stored that would let one in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from compagnon.access.keyring import BLIND_FOR, FRESH_FOR, NEW_AFTER, Keyring
from compagnon.access.keys import check_key, create_key, list_keys, revoke_key
from compagnon.access.limits import MOST_BUCKETS, Limiter
from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.errors import UserError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    seconds: float = 1000.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(Workspace(tmp_path))
    yield engine
    engine.dispose()


def test_a_key_lets_in_for_its_scope_and_is_not_stored(engine: Engine, tmp_path: Path) -> None:
    key_id, key = create_key(engine, ["predict"], "site", now=NOW)
    assert key.startswith(f"cpg_{key_id}_")
    assert len(key.split("_", 2)[2]) == 43
    found = check_key(engine, key, "predict", NOW)
    assert found is not None
    assert (found.id, found.label) == (key_id, "site")
    assert check_key(engine, key, "admin", NOW) is None
    with engine.connect() as connection:
        stored = str(connection.execute(text("select * from keys")).all())
    assert key.split("_", 2)[2] not in stored
    assert key.split("_", 2)[2].encode() not in b"".join(
        p.read_bytes() for p in (tmp_path / ".compagnon").glob("*.sq*")
    )


def test_a_wrong_expired_or_revoked_key_does_not(engine: Engine) -> None:
    key_id, key = create_key(engine, ["predict"], expires=NOW + timedelta(days=1), now=NOW)
    for wrong in ("", "cpg_", key[:-1], key + "x", key[:-1] + ("A" if key[-1] != "A" else "B"), "é" + key, "\udcff"):
        assert check_key(engine, wrong, "predict", NOW) is None
    assert check_key(engine, key, "predict", NOW + timedelta(days=1)) is None
    revoked = revoke_key(engine, key_id, NOW)
    assert revoked.revoked == NOW
    assert check_key(engine, key, "predict", NOW) is None
    assert revoke_key(engine, key_id, NOW + timedelta(days=9)).revoked == NOW  # the first time counts
    assert "digest" not in list_keys(engine)[0].as_dict()


def test_mistakes_are_explained(engine: Engine) -> None:
    for scopes in ([], ["predict", "everything"]):
        with pytest.raises(UserError) as caught:
            create_key(engine, scopes, now=NOW)
        assert caught.value.code == "key.unknown-scope"
    with pytest.raises(UserError) as caught:
        create_key(engine, ["predict"], expires=NOW, now=NOW)
    assert caught.value.code == "key.expired"
    with pytest.raises(UserError) as caught:
        revoke_key(engine, "nothing", NOW)
    assert caught.value.code == "key.unknown"
    assert list_keys(engine) == []


def test_the_keyring_notices_new_and_revoked_keys_and_asks_the_database_little(engine: Engine) -> None:
    clock, reads = Clock(), []
    ring = Keyring(engine, clock, read=lambda e: (reads.append(1), list_keys(e))[1])
    assert ring.known("anything", NOW) is None
    first_id, first = create_key(engine, ["predict"], now=NOW)
    assert ring.find(first, NOW) is not None
    for _ in range(50):
        assert ring.known(first, NOW) is not None
        assert ring.find(first, NOW) is not None
    assert len(reads) == 1
    _second_id, second = create_key(engine, ["predict"], now=NOW)
    assert ring.find(second, NOW) is None  # looked a moment ago
    clock.seconds += NEW_AFTER
    assert ring.find(second, NOW) is not None
    for _ in range(50):
        ring.find("cpg_wrong", NOW)
    assert len(reads) == 2
    revoke_key(engine, first_id, NOW)
    clock.seconds += FRESH_FOR
    assert ring.find(first, NOW) is None
    assert ring.find(second, NOW) is not None


def test_the_keyring_survives_a_busy_database_for_a_while(engine: Engine) -> None:
    clock, busy = Clock(), []

    def read(e: Engine) -> list[object]:
        if busy:
            raise UserError("database.busy", "busy")
        return list(list_keys(e))

    ring = Keyring(engine, clock, read=read)  # type: ignore[arg-type]
    _id, key = create_key(engine, ["predict"], now=NOW)
    assert ring.find(key, NOW)
    busy.append(1)
    clock.seconds += BLIND_FOR - 1
    assert ring.find(key, NOW)
    clock.seconds += 2
    with pytest.raises(UserError):
        ring.find(key, NOW)


def test_a_bucket_gives_a_minutes_worth_then_refills() -> None:
    clock = Clock()
    limiter = Limiter(clock)
    assert [limiter.take("a", 3) for _ in range(3)] == [0, 0, 0]
    assert limiter.take("a", 3) == pytest.approx(20.0)
    assert limiter.take("b", 3) == 0
    clock.seconds += 20.0
    assert limiter.take("a", 3) == 0
    assert limiter.take("a", 3) > 0
    clock.seconds += 3600.0
    assert [limiter.take("a", 3) for _ in range(4)][:3] == [0, 0, 0]


def test_buckets_do_not_grow_without_bound() -> None:
    clock = Clock()
    limiter = Limiter(clock)
    for number in range(MOST_BUCKETS):
        limiter.take(str(number), 10)
    clock.seconds += 61
    limiter.take("new", 10)
    assert len(limiter._buckets) == 1
