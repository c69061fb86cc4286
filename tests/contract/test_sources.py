"""What every source keeps to, whatever its kind: one suite, run on each adapter."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collecting import Collecting
from compagnon.chain import plugins
from compagnon.chain.stage import Cancelled
from compagnon.errors import UserError
from compagnon.sandbox.api import Api
from compagnon.sandbox.exchange import Reply
from compagnon.sandbox.server import Server
from compagnon.sandbox.site import Site

Row = tuple[int, str]
ROWS: list[Row] = [(i, f"texte n° {i}, « é »") for i in range(1, 301)]


@dataclass
class Case:
    """A kind of source holding the columns ``id`` and ``v``: how to write rows into it, and how to take it away."""

    options: dict[str, Any]
    write: Callable[[list[Row]], None]
    down: Callable[[], None]
    secrets: dict[str, str] = field(default_factory=dict)
    segments: int = 1


def _csv(path: Path, rows: list[Row]) -> None:
    path.write_text("id;v\n" + "".join(f'{i};"{v}"\n' for i, v in rows), encoding="cp1252")


def _jsonl(path: Path, rows: list[Row]) -> None:
    path.write_text("".join(json.dumps({"id": i, "v": v}) + "\n" for i, v in rows), encoding="utf-8")


def _json(path: Path, rows: list[Row]) -> None:
    path.write_text(json.dumps([{"id": i, "v": v} for i, v in rows]), encoding="utf-8")


def _parquet(path: Path, rows: list[Row]) -> None:
    pq.write_table(pa.table({"id": [i for i, _v in rows], "v": [v for _i, v in rows]}), path)


def _sqlite(path: Path, rows: list[Row]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS t")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)


def _postgresql(url: str, rows: list[Row]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS contract")
        connection.execute("CREATE TABLE contract (id int PRIMARY KEY, v text)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO contract VALUES (%s, %s)", rows)


def _lake(path: Path, rows: list[Row]) -> None:
    """Partitions of 200 rows; only files whose rows change are written again."""
    for place in range(0, max(len(rows), 1), 200):
        folder = path / f"part={place // 200}"
        folder.mkdir(parents=True, exist_ok=True)
        if not (place + 200 <= len(rows) and (folder / "rows.parquet").exists()):
            _parquet(folder / "rows.parquet", rows[place : place + 200])


FILES = {"csv": _csv, "jsonl": _jsonl, "json": _json, "parquet": _parquet, "sqlite": _sqlite}
SQL = {
    "sqlite": {"url": "sqlite:///data.sqlite", "table": "t"},
    "sqlite-cursor": {"url": "sqlite:///data.sqlite", "query": "select id, v from t", "cursor": "id"},
    "sqlalchemy": {"url": "sqlite+pysqlite:///data.sqlite", "table": "t"},
    "postgresql": {"url": "${secret:URL}", "table": "contract"},
    "postgresql-cursor": {"url": "${secret:URL}", "table": "contract", "cursor": "id"},
}
LAKES = {
    "lake": {},
    "lake-query": {"query": "select id, v from s order by id"},
    "lake-whole": {"query": "select id, max(v) as v from s group by id"},
    "lake-spark": {"query": "select id, v from s", "engine": "spark"},
}
REST = {
    "rest-page": {"pages": {"kind": "page", "size": 90, "total": "meta.total"}},
    "rest-offset": {"pages": {"kind": "offset", "size": 90}},
    "rest-cursor": {"pages": {"kind": "cursor", "next": "meta.next_cursor", "size": 90}},
    "rest-link": {"pages": {"kind": "link", "size": 90}},
    "rest-since": {
        "pages": {"kind": "page", "size": 90},
        "params": {"by": "id"},
        "cursor": "id",
        "cursor_param": "since",
    },
}
WEB = {
    "web-cards": {"rows": "article.row", "fields": {"id": ".id@data-value", "v": "p.v"}},
    "web-table": {"table": "table.rows"},
}
NAMES = [
    *(name for name in FILES if name != "sqlite"),
    *(pytest.param(name, marks=[pytest.mark.postgresql] if "postgresql" in name else []) for name in SQL),
    *(pytest.param(name, marks=[pytest.mark.spark] if "spark" in name else []) for name in LAKES),
    *REST,
    *WEB,
]


def _api(name: str) -> Iterator[Case]:
    lists: dict[str, list[dict[str, Any]]] = {}
    api = Api(lists, "hidden")
    server = Server(lambda request: api.answer(request) or Reply(404))
    style = name.partition("-")[2].replace("since", "page")
    options = {
        "kind": "rest",
        "url": f"{server.address}/api/{style}/contract",
        "private": True,
        "auth": {"kind": "bearer", "token": "${secret:TOKEN}"},
        "records": "data.items",
        "retry": {"times": 1, "first": "1 ms"},
        **REST[name],
    }
    try:
        yield Case(
            options,
            lambda rows: lists.update(contract=[{"id": i, "v": v} for i, v in rows]),
            server.stop,
            {"TOKEN": "hidden"},
        )
    finally:
        server.stop()


def _site(name: str) -> Iterator[Case]:
    lists: dict[str, list[dict[str, Any]]] = {}
    site = Site(lists)
    server = Server(lambda request: site.answer(request) or Reply(404))
    options = {
        "kind": "web",
        "start": f"{server.address}/site/contract/{name.partition('-')[2]}/1.html",
        "follow": "a.next",
        "contact": "me@example.org",
        "private": True,
        "delay": "0 s",
        "retry": {"times": 1, "first": "1 ms"},
        **WEB[name],
    }
    try:
        yield Case(
            options,
            lambda rows: lists.update(contract=[{"id": i, "v": v} for i, v in rows]),
            server.stop,
            segments=3,
        )
    finally:
        server.stop()


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    name = request.param
    if name in REST or name in WEB:
        yield from _api(name) if name in REST else _site(name)
    else:
        yield _local(name, request, tmp_path)


def _local(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    if "postgresql" in name:
        secrets = {"URL": request.getfixturevalue("postgresql")}
        url = secrets["URL"]
        away = lambda: secrets.update(URL="postgresql://u:hidden@127.0.0.1:1/none")  # noqa: E731
        return Case({"kind": "sql", **SQL[name]}, lambda rows: _postgresql(url, rows), away, secrets)
    if name in LAKES:
        options = {"kind": "bigdata", "path": "lake", **LAKES[name]}
        if "spark" in name:
            options["engine"] = request.getfixturevalue("spark")
        lake = tmp_path / "lake"
        segments = 1 if "whole" in name else 2
        return Case(options, lambda rows: _lake(lake, rows), lambda: shutil.rmtree(lake), segments=segments)
    kind = "sqlite" if name in SQL else name
    path = tmp_path / f"data.{kind}"
    options = {"kind": "sql", **SQL[name]} if name in SQL else {"kind": "file", "path": path.name}
    return Case({**options}, lambda rows: FILES[kind](path, rows), path.unlink)


@pytest.fixture
def source(case: Case, tmp_path: Path) -> Collecting:
    case.options["key"] = "id"
    case.write(ROWS)
    return Collecting(tmp_path, case.secrets)


def test_all_rows_arrive_once(case: Case, source: Collecting) -> None:
    assert source.run(**case.options).rows == len(ROWS)
    assert [(int(i), v) for i, v, *_partition in source.cells()] == ROWS
    assert source.unreadable() == []
    assert source.facts() == {"rows_collected": 300, "rows_unreadable": 0, "segments": case.segments}


def test_collecting_twice_gives_the_same_artifact(case: Case, source: Collecting) -> None:
    first = source.run(**case.options)
    assert source.run(**case.options).digest == first.digest
    assert source.run(**case.options, refresh=True).digest == first.digest


def test_row_ids_are_unique_and_last(case: Case, source: Collecting) -> None:
    source.run(**case.options)
    before = dict(zip(source.ids(), source.cells(), strict=True))
    assert len(before) == len(ROWS)
    case.write([*ROWS, (301, "new")])
    source.run(**case.options)
    after = dict(zip(source.ids(), source.cells(), strict=True))
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"s:301"}


def test_without_a_key_rows_are_named_by_their_place(case: Case, source: Collecting) -> None:
    options = {name: value for name, value in case.options.items() if name not in ("key", "cursor", "cursor_param")}
    source.run(**options)
    assert len(set(source.ids())) == len(ROWS)
    size = {1: len(ROWS), 2: 200, 3: 100}[case.segments]
    places = [place % size for place in range(len(ROWS))]
    assert all(i.startswith("s:") and i.endswith(f":{p}") for p, i in zip(places, source.ids(), strict=True))


def test_the_probe_tells_of_changes_only(case: Case, source: Collecting) -> None:
    first = source.probe(**case.options)
    assert first.error is None
    assert source.probe(**case.options) == first
    case.write([*ROWS, (301, "new")])
    changed = source.probe(**case.options)
    # None says that only collecting tells.
    assert (first.token is None and changed.token is None) or first.token != changed.token


def test_a_source_that_is_down(case: Case, source: Collecting) -> None:
    first = source.run(**case.options, instead="last")
    case.down()
    again = source.run(**case.options, instead="last")
    assert again.digest == first.digest
    assert source.facts()["instead_used"] == "last"
    with pytest.raises(UserError) as caught:
        source.run(**case.options)
    assert caught.value.code in ("collect.source-down", "collect.file-not-found")
    assert caught.value.problems[0].next
    assert "hidden" not in str(caught.value)
    if case.options["kind"] in ("rest", "web"):
        return  # looking would ask the source for a page each time
    if case.options["kind"] == "file" or "cursor" in case.options or "postgresql" in str(case.secrets):
        assert source.probe(**case.options).error


def test_a_collection_stopped_anywhere_goes_on_where_it_was(case: Case, source: Collecting) -> None:
    whole = source.run(**case.options).digest
    source.previous = None
    for last_look in range(12):
        looks = iter(range(last_look))
        try:
            source.run(**case.options, finish=False, stop=lambda looks=looks: next(looks, None) is None)
        except Cancelled:
            continue
        break
    assert source.run(**case.options).digest == whole
    assert [(int(i), v) for i, v, *_partition in source.cells()] == ROWS


def test_no_secret_is_kept(case: Case, source: Collecting, tmp_path: Path) -> None:
    source.run(**case.options)
    kept = b"".join(path.read_bytes() for path in (tmp_path / ".compagnon").rglob("*") if path.is_file())
    assert kept
    assert not any(secret.encode() in kept for secret in case.secrets.values())


def test_settings_are_json_and_hold_no_secret(case: Case, source: Collecting) -> None:
    settings = source.instance(source.spec(**case.options, licence="MIT")).settings
    text = json.dumps(settings)
    assert "MIT" not in text
    assert not any(secret in text for secret in case.secrets.values())


@pytest.mark.parametrize("name", sorted(plugins.available("sources")))
def test_every_adapter_declares_the_port(name: str) -> None:
    adapter = plugins.load("sources")[name]
    assert adapter.Options.model_fields["kind"].annotation.__args__ == (name,)
    assert adapter.extra is None or isinstance(adapter.extra, str)
    assert isinstance(adapter.distributions, tuple)
    for field_name, about in adapter.Options.model_fields.items():
        assert about.description or field_name in ("kind", "format", "compression"), field_name
