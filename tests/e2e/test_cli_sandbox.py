"""``compagnon sandbox`` as typed, and a solution that collects from it, killed between two pages."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from command_line import CommandLine
from compagnon import Solution

SOLUTION = """version: 1
name: practice
sources:
{lines}
tables:
  questions:
    key: id
    from:
      {name}: {{id: id, text: text, topic: topic}}
    columns:
      id: {{type: text}}
      text: {{type: text}}
      topic: {{type: text}}
"""


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    environ = CommandLine(folder).environ
    command = [sys.executable, "-m", "compagnon", "sandbox", "--port", "0", "--no-database", "--json", *arguments]
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with started(tmp_path_factory.mktemp("sandbox")) as (_process, about):
        yield about


def solution(folder: Path, about: dict[str, Any], name: str, more: str = "") -> CommandLine:
    lines = about["sources"][name]["yaml"].removeprefix("sources:\n").rstrip() + more
    (folder / "solution.yaml").write_text(SOLUTION.format(lines=lines, name=name), encoding="utf-8")
    return CommandLine(folder, **about["environ"])


def test_it_says_where_it_is_and_ends_when_asked(tmp_path: Path) -> None:
    with started(tmp_path, "--folder", "practice") as (process, about):
        assert httpx.get(about["address"]).status_code == 200
        assert (tmp_path / "practice" / "files" / "questions.csv").is_file()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(about["address"])


def test_a_run_that_is_killed_between_pages_resumes_at_the_page(sandbox: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole = solution(tmp_path / "whole", sandbox, "practice_api_cursor")
    whole("run", "--quiet", "--to", "prepare")
    killed = solution(tmp_path / "killed", sandbox, "practice_api_cursor")
    for page in (3, 2, 1):
        killed.environ["COMPAGNON_FAULT"] = f"page:{page}"
        assert killed("run", "--quiet", "--to", "collect", code=None).returncode == -signal.SIGKILL
    kept = next((tmp_path / "killed" / ".compagnon" / "raw" / "journal").glob("*.pages"))
    assert kept.read_bytes().count(b'"note":') == 6
    del killed.environ["COMPAGNON_FAULT"]
    killed("run", "--quiet", "--to", "prepare")
    assert not kept.exists()
    assert outputs(killed) == outputs(whole)
    assert facts(killed, "practice_api_cursor")["rows_collected"] == sandbox["rows"]["rest"]


def facts(command: CommandLine, source: str) -> dict[str, Any]:
    """The facts of the collection of a source, by name."""
    [stage] = [s for s in command.json("status")["stages"] if s["name"] == f"collect/{source}"]
    return {name: fact["value"] for name, fact in stage["facts"].items()}


def outputs(command: CommandLine) -> set[tuple[str, str]]:
    """What collecting and preparing made, by name and content."""
    solution = Solution(command.folder)
    steps = solution.status()
    solution.close()
    return {(output.name, output.digest) for step in steps if step.run for output in step.run.outputs}


def test_a_source_that_is_down_is_replaced_and_recorded(sandbox: dict[str, Any], tmp_path: Path) -> None:
    command = solution(tmp_path, sandbox, "practice_api_page", "\n    instead: last\n")
    command("run", "--quiet", "--to", "collect")
    file = tmp_path / "solution.yaml"
    text = file.read_text(encoding="utf-8")
    down = text.replace("/api/page/", "/faults/down/api/page/")
    down = down.replace("    kind: rest\n", "    kind: rest\n    retry: {times: 1, first: 1 ms}\n")
    file.write_text(down, encoding="utf-8")
    command("run", "--quiet", "--to", "collect")
    found = facts(command, "practice_api_page")
    assert found["instead_used"] == "last"
    assert found["rows_collected"] == sandbox["rows"]["rest"]


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ("    recrods: data.items\n", "records"),
        ("    auth: {kind: bearer, tokken: x}\n", "token"),
        ("    pages: {kind: pagee}\n", "page"),
        ("    pages: {kind: page, sise: 10}\n", "size"),
        ("    bounds: {bodi: 1 MB}\n", "body"),
        ("    retry: {time: 3}\n", "times"),
    ],
)
def test_a_wrong_option_names_the_nearest_key(tmp_path: Path, wrong: str, advice: str) -> None:
    about = {"sources": {"api": {"yaml": f"sources:\n  api:\n    kind: rest\n    url: https://example.org\n{wrong}"}}}
    command = solution(tmp_path, {**about, "environ": {}}, "api")
    errors = command.json("check", code=1)
    assert advice in json.dumps(errors)


def test_the_schema_for_editors_has_the_options(tmp_path: Path) -> None:
    text = CommandLine(tmp_path)("schema").stdout
    for word in ("RestOptions", "token_url", "cursor_param", "per_minute"):
        assert word in text


@pytest.mark.full
def test_a_site_read_until_it_is_killed_is_not_asked_again_for_its_pages(
    sandbox: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole = solution(tmp_path / "whole", sandbox, "practice_site")
    whole("run", "--quiet", "--to", "collect")
    killed = solution(tmp_path / "killed", sandbox, "practice_site")
    killed.environ["COMPAGNON_FAULT"] = "page:3"
    assert killed("run", "--quiet", "--to", "collect", code=None).returncode == -signal.SIGKILL
    del killed.environ["COMPAGNON_FAULT"]
    killed("run", "--quiet", "--to", "collect")
    assert outputs(killed) == outputs(whole)
    assert facts(killed, "practice_site")["rows_collected"] == sandbox["rows"]["web"]
