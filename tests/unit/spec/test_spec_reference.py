from __future__ import annotations

import os
from pathlib import Path

from compagnon import solution
from compagnon.spec.reference import reference_markdown

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "solution-yaml.md"


def test_page_is_up_to_date():
    text = reference_markdown(solution.kinds())
    if os.environ.get("COMPAGNON_UPDATE_GOLDEN"):
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text


def test_kinds_have_their_options(kinds):
    text = reference_markdown(kinds)
    assert "### `kind: sql`" in text
    assert "| **`query`** | a text |  | File that holds the query. |" in text
