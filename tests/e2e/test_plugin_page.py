"""The source that docs/how-to/source-plugin.md shows is a real one: declared by an entry point, collected, checked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "source-plugin.md"
MAILBOX = """\
From a@example.org Mon Nov  2 08:00:00 2026
From: a@example.org
Message-ID: <1@example.org>
Subject: Colis
Content-Type: text/plain; charset=utf-8

Mon colis n'est pas arrivé.

From b@example.org Mon Nov  2 09:00:00 2026
From: b@example.org
Message-ID: <2@example.org>
Subject: Page
Content-Type: text/html; charset=utf-8

<p>Bonjour</p>

"""
TABLE = """\
tables:
  messages:
    key: id
    from: {boite: {id: Message-ID, text: text}}
    columns: {id: {type: text}, text: {type: text, clean: [spaces]}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages that holds the one of the page."""
    page = PAGE.read_text(encoding="utf-8")
    project = tomllib.loads(_block(page, "toml"))["project"]
    folder = tmp_path / "site"
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (folder / "compagnon_mbox.py").write_text(_block(page, "python"), encoding="utf-8")
    info.joinpath("METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8")
    points = [
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in named.items())
        for group, named in project["entry-points"].items()
    ]
    info.joinpath("entry_points.txt").write_text("\n".join(points), encoding="utf-8")
    return folder


@pytest.fixture
def solution(tmp_path: Path) -> Path:
    folder = tmp_path / "courrier"
    (folder / "data").mkdir(parents=True)
    source = _block(PAGE.read_text(encoding="utf-8"), "yaml")
    (folder / "solution.yaml").write_text(f"version: 1\nname: courrier\n{source}{TABLE}", encoding="utf-8")
    (folder / "data" / "box.mbox").write_text(MAILBOX, encoding="utf-8")
    return folder


def test_the_source_of_the_page_collects(site: Path, solution: Path) -> None:
    assert _compagnon(site, solution, "run").returncode == 0
    answer = _compagnon(site, solution, "query", "run", "SELECT id, text FROM messages", "--json")
    assert "Mon colis n'est pas arrivé." in answer.stdout
    assert "Bonjour" not in answer.stdout
    (stages,) = [json.loads(_compagnon(site, solution, "status", "--json").stdout)["stages"]]
    assert {stage["state"] for stage in stages} == {"cached"}


def test_a_mailbox_that_is_gone_is_a_source_that_is_down(site: Path, solution: Path) -> None:
    (solution / "data" / "box.mbox").unlink()
    done = _compagnon(site, solution, "run", "--json")
    assert done.returncode == 1
    assert "mbox.not-found" in done.stdout + done.stderr


def test_the_options_of_the_page_are_checked(site: Path, solution: Path) -> None:
    path = solution / "solution.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("path:", "pth:"), encoding="utf-8")
    done = _compagnon(site, solution, "check", "--json")
    assert {"spec.unknown-key", "spec.missing-key"} <= {p["code"] for p in json.loads(done.stdout)["problems"]}


def _block(page: str, kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", page, re.M | re.S)
    assert found is not None
    return found[1]


def _compagnon(site: Path, solution: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "compagnon", "-C", str(solution), *arguments],
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
