"""The commands of README.md and README.fr.md run in a copy of the project; those that install take the network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pages import Block, blocks, shell

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.fr.md")
UNCOPIED = shutil.ignore_patterns(
    ".venv*", "work", ".git", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", "build", "tests", "bench"
)


def marked(name: str, mark: str) -> list[Block]:
    """Console blocks of a README with the comment ``<!-- mark -->`` above them."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [block for block in blocks(text) if block.kind == "console" and block.mark == mark]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the README talks about."""
    return Path(shutil.copytree(ROOT, tmp_path / "compagnon", ignore=UNCOPIED))


def test_every_console_block_is_marked() -> None:
    for name in READMES:
        found = [block for block in blocks((ROOT / name).read_text(encoding="utf-8")) if block.kind == "console"]
        assert found
        assert {block.mark for block in found} == {"test", "test: full"}, name


def test_both_readmes_show_the_same_commands() -> None:
    english, french = ([b.commands for b in blocks((ROOT / name).read_text(encoding="utf-8"))] for name in READMES)
    assert english == french


def test_the_commands_run(project: Path) -> None:
    commands = [command for block in marked(READMES[0], "test") for command, _output in block.commands]
    assert len(commands) >= 4
    with shell(project) as opened:
        for command in commands:
            code, output = opened.run(command)
            assert code == 0, f"$ {command}\n{output}"


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", range(len(marked(READMES[0], "test: full"))))
def test_the_commands_that_install_run(number: int, project: Path) -> None:
    """In an environment of their own, as on a fresh machine; the server is left out."""
    venv = project.parent / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    environ = {"PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}", "SERVE": "0", "COMPAGNON_SERVE": "0"}
    with shell(project, environ) as opened:
        for command, _output in marked(READMES[0], "test: full")[number].commands:
            code, output = opened.run(command)
            assert code == 0, f"$ {command}\n{output}"
    assert (project / "work" / "tutor" / "solution.yaml").is_file()


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_map_names_every_page() -> None:
    folder = ROOT / "docs"
    text = (folder / "index.md").read_text(encoding="utf-8")
    pages = {path.relative_to(folder).as_posix() for path in folder.rglob("*.md")} - {"index.md"}
    assert {page for page in pages if f"({page})" not in text} == set()
