"""The tutorial does what it says: each command is run, in French and in English, and its output compared.

Numbers, dates and names of runs may differ. ``COMPAGNON_UPDATE_GOLDEN=1`` writes what came out into the page.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pages import Block, apply, blocks, shell, skeleton

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial" / "first-solution.md"
DATA = PAGE.with_name("demandes.csv")
FRENCH, ENGLISH = "## Français", "## English"


def halves() -> dict[str, list[Block]]:
    """Blocks of the page by language."""
    text = PAGE.read_text(encoding="utf-8")
    place = text.index(ENGLISH)
    return {
        "fr": [b for b in blocks(text) if b.start < place],
        "en": [b for b in blocks(text) if b.start > place],
    }


def test_both_languages_show_the_same_commands() -> None:
    french, english = (
        [[command for command, _output in block.commands] or block.body for block in found]
        for found in halves().values()
    )
    assert french == english


@pytest.mark.parametrize("language", ["fr", pytest.param("en", marks=pytest.mark.full)])
def test_the_tutorial_runs_as_shown(language: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    shutil.copy(DATA, tmp_path)
    expected: list[tuple[str, str]] = []
    came: list[tuple[str, str]] = []
    with shell(tmp_path, {"COMPAGNON_LANG": language}) as commands:
        for block in halves()[language]:
            if block.kind == "diff":
                apply(block.body, tmp_path / "mairie" / block.title)
                continue
            for command, shown in block.commands:
                code, output = commands.run(command)
                assert code == 0, f"$ {command}\n{output}"
                expected.append((command, shown))
                came.append((command, output))
    if os.environ.get("COMPAGNON_UPDATE_GOLDEN"):
        _write(language, [output for _command, output in came])
        return
    for (command, shown), (_command, output) in zip(expected, came, strict=True):
        assert skeleton(output) == skeleton(shown), f"$ {command} (COMPAGNON_UPDATE_GOLDEN=1 writes the page)"


def _write(language: str, outputs: list[str]) -> None:
    text, rest = PAGE.read_text(encoding="utf-8"), iter(outputs)
    changes = []
    for block in halves()[language]:
        if block.kind == "console":
            body = "".join(f"$ {c}\n{o}\n" if (o := next(rest)) else f"$ {c}\n" for c, _shown in block.commands)
            changes.append((block, body))
    for block, body in reversed(changes):
        text = text[: block.start] + body + text[block.end :]
    PAGE.write_text(text, encoding="utf-8")
