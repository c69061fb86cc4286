"""What the user reads for each kind of mistake; COMPAGNON_UPDATE_GOLDEN=1 writes the texts anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compagnon.errors import UserError

CASES = sorted(path for path in (Path(__file__).parent / "golden").iterdir() if path.is_dir())


def test_there_are_enough_cases():
    assert len(CASES) >= 30


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mistake_reads_as_expected(case, load_folder):
    expected = case / "expected.txt"
    try:
        loaded = load_folder(case, STAGE="test")
        text = "".join(f"warning: {warning}\n" for warning in loaded.warnings) or "no mistake\n"
    except UserError as error:
        text = f"{error}\n".replace(str(case), "FOLDER")
    if os.environ.get("COMPAGNON_UPDATE_GOLDEN"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")
    assert text != "no mistake\n"
