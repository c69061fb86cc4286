"""A database of one's own for each test, copied from one that was migrated once; SQLite and PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, insert, make_url, text

from compagnon.access.account import Account, account_of
from compagnon.access.token import new_id
from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.database.tables import accounts

_numbers = itertools.count()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("access")
    file = folder / "template.sqlite"
    open_database(Workspace(folder), f"sqlite:///{file}").dispose()
    return file


@pytest.fixture(scope="session")
def postgresql_copy(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    server = create_engine(postgresql, isolation_level="AUTOCOMMIT")
    template = f"access_{new_id()[:8]}"

    def make(name: str, source: str | None = None) -> str:
        with server.connect() as connection:
            connection.execute(text(f"create database {name}" + (f" template {source}" if source else "")))
        return make_url(postgresql).set(database=name).render_as_string(hide_password=False)

    open_database(Workspace(tmp_path_factory.mktemp("access")), make(template)).dispose()
    yield lambda: make(f"{template}_{next(_numbers)}", template)
    server.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        file = tmp_path / "access.sqlite"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        url = f"sqlite:///{file}"
    else:
        url = request.getfixturevalue("postgresql_copy")()
    engine = open_database(Workspace(tmp_path), url)
    if engine.dialect.name == "sqlite":
        engine.dispose()  # these tests cut no power: not waiting for the disk makes them several times faster
        event.listen(engine, "connect", lambda raw, _record: raw.execute("pragma synchronous=off").close())
    yield engine
    engine.dispose()


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@pytest.fixture
def person(engine: Engine, now: datetime) -> Callable[..., Account]:
    """Adds an active account at once; its password opens nothing and costs nothing."""

    def add(role: str = "reader", *, password: str | None = "no hash", name: str | None = None) -> Account:
        number = next(_numbers)
        values = {
            "id": new_id(),
            "sign_in": f"person{number}",
            "name": name or f"Person {number}",
            "role": role,
            "password": password,
            "created": now,
            "password_changed": now if password else None,
        }
        with engine.begin() as connection:
            return account_of(connection.execute(insert(accounts).values(**values).returning(*accounts.c)).one())

    return add
