"""The page on LangChain and LlamaIndex: its code runs as it is written, with the versions that constraints.txt names.

Those libraries and what they ask for take 300 MB: they are installed apart, once, by a long test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import key_of, running

from compagnon import Solution
from compagnon.access.keyring import NEW_AFTER
from compagnon.web.app import create_app

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "src" / "compagnon" / "templates" / "tutor"
PAGE = (ROOT / "docs" / "how-to" / "use-from-langchain.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LANGCHAIN, LLAMA_INDEX, CHAT, LIKE = BLOCKS

pytestmark = [pytest.mark.full, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the solution of the page."""
    folder = tmp_path_factory.mktemp("retrievers")
    shutil.copytree(TEMPLATE, folder / "tuteur")
    return folder


def installed(folder: Path, *names: str, constrained: bool = True) -> Path:
    """Packages in a folder of their own; the test is skipped where no registry answers."""
    bound = ["--constraint", str(ROOT / "constraints.txt")] if constrained else []
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--target", str(folder)]
    done = subprocess.run([*pip, *bound, *names], capture_output=True, text=True, timeout=900)
    if done.returncode:
        pytest.skip(f"not installed: {done.stderr[-300:]}")
    return folder


@pytest.fixture(scope="module")
def retrievers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("libraries"), "langchain-core", "llama-index-core")


def run(code: str, place: Path, libraries: Path) -> str:
    path = os.pathsep.join((str(ROOT / "src"), str(libraries)))
    env = {**os.environ, "PYTHONPATH": path, "LANGSMITH_TRACING": "false"}
    done = subprocess.run([sys.executable, "-c", code], cwd=place, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_langchain(place: Path, retrievers: Path) -> None:
    more = """
import asyncio
same = asyncio.run(retriever.ainvoke("c'est quoi le dropout ?"))
assert [one.id for one in same] == [one.id for one in retriever.invoke("c'est quoi le dropout ?")]
assert set(document.metadata) == {"id", "title", "subtopic", "level", "score", "start", "end", "language"}
assert document.metadata["level"] == "intermediate"
assert retriever.invoke("xyzzy plugh") == []
chain = retriever | (lambda found: len(found))
assert chain.invoke("c'est quoi le dropout ?") == 3
"""
    rows = run(LANGCHAIN + more, place, retrievers).splitlines()
    assert len(rows) == 3
    assert "/content/" in rows[0] or "/example/" in rows[0] or "/glossary/" in rows[0]


def test_llama_index(place: Path, retrievers: Path) -> None:
    more = """
import asyncio
same = asyncio.run(retriever.aretrieve("what is dropout?"))
assert [one.node.node_id for one in same] == [one.node.node_id for one in retriever.retrieve("what is dropout?")]
assert found.node.metadata["language"] == "en"
assert found.node.metadata["subtopic"].startswith("training.")
assert "score" not in found.node.get_content("llm")
"""
    rows = run(LLAMA_INDEX + more, place, retrievers).splitlines()
    assert len(rows) == 3
    assert "/en " in rows[0]


@pytest.fixture(scope="module")
def served(place: Path) -> Iterator[tuple[str, str]]:
    solution = Solution(place / "tuteur")
    with running(create_app(solution)) as address:
        key = key_of(solution, "ask")
        time.sleep(2 * NEW_AFTER)
        yield address, key
    solution.close()


@pytest.mark.parametrize(("package", "code"), [("langchain-openai", CHAT), ("llama-index-llms-openai-like", LIKE)])
def test_answers(place: Path, served: tuple[str, str], tmp_path: Path, package: str, code: str) -> None:
    """Their clients ask for versions of ``openai`` that are not those of the tests: nothing is constrained."""
    address, key = served
    written = code.replace("http://127.0.0.1:8000", address).replace("LA CLÉ", key)
    said = run(written, place, installed(tmp_path / "clients", package, constrained=False))
    assert "[1]" in said
