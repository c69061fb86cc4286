"""The tutor fed by five kinds of sources: the same rows and the same quarantine as from its own three."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from compagnon import Solution, UserError
from compagnon.sandbox import flagship
from compagnon.sandbox.rows import share
from compagnon.scaffold import template

ADDRESS = "http://127.0.0.1:8100"


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tutor prepared from its five kinds of sources, which are still up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flagship, "engine", lambda: "duckdb")  # Spark is another test's: it takes half a minute
        folder = tmp_path_factory.mktemp("five") / "tutor"
        with flagship.served(folder, 0):
            prepare(folder)
            yield folder


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same from the sources of the template, with the same key for pseudonyms."""
    folder = tmp_path_factory.mktemp("three") / "tutor"
    template.copy("tutor", folder)
    prepare(folder)
    return folder


def prepare(folder: Path) -> None:
    solution = Solution(folder, environ={**os.environ, "COMPAGNON_PSEUDONYM_KEY": "5" * 64})
    solution.run(to="prepare")
    solution.close()


def rows(folder: Path, output: str = "table/questions") -> list[dict[str, Any]]:
    solution = Solution(folder)
    artifact = solution.artifact("prepare/questions", output)
    assert artifact is not None
    found = [row for path in solution.artifacts.paths(artifact) for row in pq.read_table(path).to_pylist()]
    solution.close()
    return found


def facts(folder: Path) -> dict[str, dict[str, Any]]:
    solution = Solution(folder)
    found = {s.instance.id: {n: f.value for n, f in solution.facts(s.instance.id).items()} for s in solution.status()}
    solution.close()
    return found


def test_five_kinds_of_sources_hold_the_questions(five: Path) -> None:
    sources = yaml.safe_load((five / "solution.yaml").read_text(encoding="utf-8"))["sources"]
    kinds = {name: options["kind"] for name, options in sources.items()}
    assert Counter(kinds.values()) == {"file": 2, "sql": 1, "rest": 1, "web": 1, "bigdata": 1}
    assert all(options["licence"] and options["contact"] and options["access"] for options in sources.values())
    found = facts(five)
    for name in kinds:
        assert found[f"collect/{name}"]["rows_collected"] > 100, name


def test_the_rows_are_those_of_the_three_sources(five: Path, three: Path) -> None:
    def bare(folder: Path) -> dict[str, dict[str, Any]]:
        return {row["id"]: {k: v for k, v in row.items() if k not in ("row_id", "source")} for row in rows(folder)}

    mine, theirs = bare(five), bare(three)
    assert len(mine) == len(theirs) == len(rows(five)) > 1700
    assert mine == theirs


def test_the_quarantine_is_that_of_the_three_sources(five: Path, three: Path) -> None:
    mine, theirs = facts(five), facts(three)
    for name, value in theirs["prepare/questions"].items():
        if name.startswith("rows"):
            assert mine["prepare/questions"][name] == value, name

    def unreadable(found: dict[str, dict[str, Any]]) -> int:
        return sum(f["rows_unreadable"] for stage, f in found.items() if stage.startswith("collect/"))

    assert unreadable(mine) == unreadable(theirs) == 4
    assert mine["collect/forum_api"]["rows_unreadable"] == 1


def test_each_message_of_the_forum_is_in_one_part(five: Path) -> None:
    messages, broken = flagship.messages_of(five)
    parts = [row["id"] for kind in flagship.PARTS for row in share(messages, kind, flagship.PARTS)]
    assert sorted(parts) == sorted(row["id"] for row in messages)
    assert len(messages) == 447
    assert len(broken) == 1


def test_nothing_is_collected_again_with_another_token(five: Path) -> None:
    solution = Solution(five, environ={**os.environ, "SANDBOX_TOKEN": "another"})
    states = {step.instance.id: step.state for step in solution.status() if step.instance.stage == "collect"}
    solution.close()
    assert set(states.values()) == {"cached"}


def test_the_token_is_in_the_secrets_and_nowhere_else(five: Path) -> None:
    secrets = five / ".compagnon" / "secrets"
    [line] = [one for one in secrets.read_text(encoding="utf-8").splitlines() if one.startswith("SANDBOX_TOKEN=")]
    token = line.partition("=")[2].encode()
    assert len(token) > 20
    assert [p for p in five.rglob("*") if p.is_file() and p != secrets and token in p.read_bytes()] == []


def test_the_port_is_kept_from_one_start_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flagship, "engine", lambda: "duckdb")
    folder = tmp_path / "tutor"
    with flagship.served(folder, 0) as first:
        address, token = first.address, first.token
        with pytest.raises(UserError) as caught, flagship.served(folder):
            pass
        assert caught.value.code == "sandbox.port-busy"
    with flagship.served(folder) as second:
        assert second.address == address
        assert second.token != token
    assert flagship.port_of(folder) == int(address.rpartition(":")[2])


def test_a_free_port_is_taken_where_the_usual_one_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flagship, "engine", lambda: "duckdb")
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        monkeypatch.setattr(flagship, "PORT", busy.getsockname()[1])
        with flagship.served(tmp_path / "tutor") as sandbox:
            assert not sandbox.address.endswith(f":{flagship.PORT}")


def test_another_solution_is_left_as_it_is(three: Path) -> None:
    before = (three / "solution.yaml").read_bytes()
    with pytest.raises(UserError) as caught, flagship.served(three):
        pass
    assert caught.value.code == "sandbox.not-the-tutor"
    assert (three / "solution.yaml").read_bytes() == before


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_all_else_in_the_file_is_the_template_s(engine: str) -> None:
    text = (template.place("tutor") / "solution.yaml").read_text(encoding="utf-8")
    mine = yaml.safe_load(flagship.five(text, ADDRESS, engine))
    theirs = yaml.safe_load(text)
    assert mine["sources"]["forum_archive"]["engine"] == engine
    for document in (mine, theirs):
        for name in [name for name in document["sources"] if name.startswith("forum")]:
            del document["sources"][name]
            del document["tables"]["questions"]["from"][name]
        del document["need"]["stories"]
    assert mine == theirs


def test_a_template_that_changed_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        flagship.five("sources: {}\n", ADDRESS, "duckdb")
