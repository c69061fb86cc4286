"""What retrievers give: passages to the letter, nothing that nobody reviewed; what to install is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from knowledge_base import SOLUTION, subtopic, topic

from compagnon.errors import UserError
from compagnon.services.tutor.retrievers.found import Search


def made(folder: Path, solution: str = SOLUTION) -> Search:
    (folder / "solution.yaml").write_text(solution, encoding="utf-8")
    (folder / "knowledge").mkdir()
    unread = subtopic("cnn.pooling", title="Le pooling", content="Le pooling réduit une image.", reviewed=None)
    hard = subtopic("cnn.transposed", title="La convolution transposée", difficulty="advanced")
    text = json.dumps(topic("cnn", subtopic("cnn.convolution"), unread, hard))
    (folder / "knowledge" / "cnn.json").write_text(text, encoding="utf-8")
    return Search(folder)


def test_passages_to_the_letter(tmp_path: Path) -> None:
    found = made(tmp_path).find("c'est quoi une convolution ?", k=5)
    assert {one.metadata["subtopic"] for one in found} == {"cnn.convolution", "cnn.transposed"}
    content = str(subtopic("cnn.convolution")["content"])
    first = next(one for one in found if one.metadata["subtopic"] == "cnn.convolution")
    assert first.metadata["id"].startswith("cnn.convolution/")
    assert first.metadata["language"] == "fr"
    assert first.metadata["score"] == first.score
    if "/content/" in first.metadata["id"]:
        assert content[first.metadata["start"] : first.metadata["end"]] == first.text
    assert len(first.text) == first.metadata["end"] - first.metadata["start"]


def test_parameters_narrow(tmp_path: Path) -> None:
    search = made(tmp_path)
    assert len(search.find("une convolution", k=1)) == 1
    (only,) = search.find("une convolution", k=5, level="advanced", topic="cnn")
    assert only.metadata["level"] == "advanced"
    assert search.find("recette de crêpes", k=5) == []
    with pytest.raises(UserError):
        search.find("une convolution", k=5, topic="absent")


@pytest.mark.parametrize(("more", "given"), [("", False), (", unreviewed: quote", True)])
def test_what_nobody_reviewed_is_held(tmp_path: Path, more: str, given: bool) -> None:
    search = made(tmp_path, SOLUTION.replace("{knowledge: knowledge}", f"{{knowledge: knowledge{more}}}"))
    ids = {one.metadata["subtopic"] for one in search.find("le pooling réduit une image", k=5)}
    assert ("cnn.pooling" in ids) is given


@pytest.mark.parametrize(
    ("module", "library", "extra"),
    [("langchain", "langchain_core", "langchain"), ("llama_index", "llama_index", "llamaindex")],
)
def test_without_the_library_what_to_install_is_said(module: str, library: str, extra: str) -> None:
    code = (
        f"import sys; sys.modules['{library}'] = None\n"
        "from compagnon.errors import UserError\n"
        f"try: import compagnon.services.tutor.retrievers.{module}\n"
        "except UserError as error: print(error.code, error.problems[0].next)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f'extra.missing pip install "compagnon[{extra}]"'
