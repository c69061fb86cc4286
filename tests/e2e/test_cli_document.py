"""compagnon document."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest

from command_line import CommandLine


@pytest.mark.parametrize("asked", [("quality", "messages"), ("card", "theme"), ("logbook",)])
def test_documents_are_written(small_solution_run: Path, asked: tuple[str, ...]) -> None:
    compagnon = CommandLine(small_solution_run)
    page, word = (small_solution_run / f"taken{suffix}" for suffix in (".html", ".docx"))
    compagnon("document", *asked, "--lang", "fr", "--to", str(page))
    assert page.read_text(encoding="utf-8").startswith('<!doctype html>\n<html lang="fr-FR">')
    compagnon("document", *asked, "--to", str(word))
    assert docx.Document(str(word)).core_properties.language == "en-US"
    assert "already exists" in compagnon("document", *asked, "--to", str(word), code=1).stderr
    before = word.read_bytes()
    compagnon("document", *asked, "--to", str(word), "--force")
    assert word.read_bytes() == before


def test_gaps_are_told(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    said = compagnon.json("document", "card", "theme", "--to", str(small_solution_run / "card.html"))
    assert "need.users" in [gap["how"] for gap in said["gaps"]]
    assert said["format"] == "html"


def test_mistakes_say_what_to_do(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    place = str(small_solution_run / "file")
    assert "--format" in compagnon("document", "logbook", "--to", place, code=1).stderr
    assert "NAME" in compagnon("document", "card", "--to", f"{place}.html", code=1).stderr
    assert "logbook" in compagnon("document", "logbook", "theme", "--to", f"{place}.html", code=1).stderr
    assert "messages" in compagnon("document", "quality", "other", "--to", f"{place}.html", code=1).stderr
    compagnon("document", "card", "theme", code=2)
    assert not list(small_solution_run.glob("file*"))
