"""The practice sources: each one gives all rows by the lines it shows, and each fault the lesson it announces."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from collecting import Collecting
from compagnon.chain import plugins
from compagnon.errors import UserError
from compagnon.sandbox import postgresql
from compagnon.sandbox.catalog import Entry
from compagnon.sandbox.faults import FAULTS
from compagnon.sandbox.practice import Sandbox
from compagnon.sandbox.rows import COLUMNS, KINDS, questions, share

SOURCES = [
    "practice_csv", "practice_jsonl", "practice_sqlite", "practice_lake", "practice_api_page", "practice_api_offset",
    "practice_api_cursor", "practice_api_link", "practice_api_limited", "practice_site", "practice_table",
]  # fmt: skip
CODES = {
    "down": "collect.source-down", "half": "collect.source-down", "flaky": None, "storm": None,
    "busy": "collect.source-down", "expired": "collect.access-refused", "drip": "collect.source-down",
    "redirects": "collect.redirect-loop", "elsewhere": "collect.redirect-refused",
    "bomb": "collect.body-too-large", "schema": "collect.schema-changed", "circle": "collect.pages-loop",
    "latin": "collect.page-encoding", "login": "collect.page-unreadable", "layout": "collect.nothing-extracted",
}  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox"), database=False) as sandbox:
        yield sandbox


def options_of(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(f"sources:\n{entry.lines}")["sources"][entry.name]
    if found["kind"] not in plugins.available("sources"):
        pytest.skip(f"no source {found['kind']}")
    return found


def entry(sandbox: Sandbox, name: str) -> Entry:
    return next(entry for entry in sandbox.entries() if entry.name == name)


def test_the_lists_of_this_test_are_complete(sandbox: Sandbox) -> None:
    assert [e.name for e in sandbox.entries() if not e.fault] == SOURCES
    assert [e.name for e in sandbox.entries() if e.fault] == [f"fault_{name}" for name in FAULTS]
    assert set(CODES) == set(FAULTS)


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_gives_every_row_by_the_lines_that_are_shown(sandbox: Sandbox, name: str, tmp_path: Path) -> None:
    options = options_of(entry(sandbox, name))
    if name == "practice_api_limited":
        options["pages"]["size"] = 200  # the limit itself is another test's
    source = Collecting(tmp_path, sandbox.environ)
    assert source.run(**options).rows == len(sandbox.rows)
    got = {row["id"]: row["text"] for row in source.rows()}
    # HTML makes one space of several.
    spaces = (lambda text: " ".join(text.split())) if options["kind"] == "web" else str
    assert got == {row["id"]: spaces(row["text"]) for row in sandbox.rows}
    assert source.warnings == ""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_teaches_what_it_announces(sandbox: Sandbox, fault: str, tmp_path: Path) -> None:
    options = options_of(entry(sandbox, f"fault_{fault}"))
    options["retry"] = {"times": 2, "first": "1 ms"}
    if fault == "drip":
        options["bounds"], options["retry"] = {"request": "300 ms"}, {"times": 0}
    source = Collecting(tmp_path, sandbox.environ)
    if CODES[fault] is None:
        assert source.run(**options).rows == len(sandbox.rows)
        return
    with pytest.raises(UserError) as caught:
        source.run(**options)
    assert caught.value.code == CODES[fault]
    assert caught.value.problems[0].next
    assert sandbox.token not in str(caught.value)


def test_the_limit_is_kept_to(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    with httpx.Client(headers=headers) as client:
        answers = [client.get(f"{sandbox.address}/limited/api/page/questions?per_page=1") for _ in range(60)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].headers["retry-after"] == "1"


def test_the_api_opens_with_its_token_alone(sandbox: Sandbox) -> None:
    url = f"{sandbox.address}/api/all/questions"
    for headers in ({}, {"Authorization": "Bearer x"}, {"X-Api-Key": ""}, {"Authorization": "Basic !"}):
        assert httpx.get(url, headers=headers).status_code == 401
    assert httpx.get(url, params={"api_key": sandbox.token}).status_code == 200
    assert httpx.get(url, auth=("sandbox", sandbox.token)).status_code == 200
    refused = httpx.post(f"{sandbox.address}/oauth/token", data={"grant_type": "client_credentials"})
    assert refused.status_code == 401


def test_each_start_has_a_token_of_its_own(sandbox: Sandbox, tmp_path: Path) -> None:
    with Sandbox(tmp_path, database=False, rows=[]) as other:
        assert other.token != sandbox.token
        assert len(other.token) >= 32


def test_it_listens_on_this_machine_under_its_own_names(sandbox: Sandbox) -> None:
    assert sandbox.address.startswith("http://127.0.0.1:")
    assert httpx.get(sandbox.address, headers={"Host": "evil.example.org"}).status_code == 421
    port = int(sandbox.address.rpartition(":")[2])
    # A server that listens on every address answers on this one too.
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_a_port_in_use_is_said(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught, Sandbox(tmp_path, port=int(sandbox.address.rpartition(":")[2]), rows=[]):
        pass
    assert caught.value.code == "sandbox.port-busy"


@pytest.mark.parametrize(("accept", "words"), [("fr-FR,fr", "D'abord, les secrets"), ("en-US", "First, the secrets")])
def test_the_page_lists_everything_in_both_languages(sandbox: Sandbox, accept: str, words: str) -> None:
    answer = httpx.get(sandbox.address, headers={"Accept-Language": accept})
    assert answer.status_code == 200
    assert words in answer.text.replace("&#39;", "'")
    assert all(entry.name in answer.text for entry in sandbox.entries())
    assert sandbox.token in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]
    assert f'lang="{accept[:2]}"' in answer.text


def test_shares_hold_each_row_once() -> None:
    rows = questions()
    assert len(rows) > 1700
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(tuple(row) == COLUMNS for row in rows)
    parts = {kind: share(rows, kind) for kind in KINDS}
    assert sum(map(len, parts.values())) == len(rows)
    assert min(map(len, parts.values())) > len(rows) / 10
    assert parts == {kind: share(questions(), kind) for kind in KINDS}


def test_split_sources_hold_their_share(tmp_path: Path) -> None:
    with Sandbox(tmp_path, split=True, database=False) as sandbox:
        found: list[str] = []
        for name in ("practice_csv", "practice_sqlite", "practice_api_page"):
            root = tmp_path / name
            source = Collecting(root, sandbox.environ)
            source.run(**options_of(entry(sandbox, name)))
            found += [row["id"] for row in source.rows()]
        assert len(found) == len(set(found))
        assert set(found) == {row["id"] for kind in ("file", "sql", "rest") for row in share(sandbox.rows, kind)}


@pytest.mark.postgresql
def test_a_database_server_too_where_it_is_installed(tmp_path: Path) -> None:
    if postgresql.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with Sandbox(tmp_path / "sandbox") as sandbox:
        source = Collecting(tmp_path, sandbox.environ)
        options = options_of(entry(sandbox, "practice_postgresql"))
        assert source.run(**options).rows == len(sandbox.rows)
