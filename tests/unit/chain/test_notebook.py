"""What a notebook shows of a solution, a plan and a run."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from compagnon import Solution, i18n
from compagnon.chain.fact import fact


class Page(HTMLParser):
    """Counts tags and refuses what is not closed or does not belong."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_solution_its_plan_and_a_run(small_solution_run: Path) -> None:
    solution = Solution(small_solution_run)
    shown = solution._repr_html_()
    page = Page(shown)
    assert page.tags.count("table") == page.tags.count("caption") == 1
    assert page.tags.count("tr") == 6
    assert ("scope", "row") in page.attributes
    assert ("scope", "col") in page.attributes
    assert "Messages reach the wrong service." in shown
    assert "✓ valid" in shown
    plan = solution.plan()
    assert isinstance(plan, list)
    assert "train/theme" in plan._repr_html_()
    run = solution.current("train/theme")
    assert run is not None
    shown = run._repr_html_()
    Page(shown)
    assert "macro-F1 on the test part" in shown
    assert run.id in shown
    solution.close()


def test_values_are_escaped(small_solution_run: Path) -> None:
    solution = Solution(small_solution_run)
    run = solution.current("train/theme")
    assert run is not None
    evil = "<script>alert('x')</script>"
    shown = replace(
        run, reason=evil, status="failed", error={"what": evil}, facts=(fact("chosen", evil), fact("duration", None))
    )._repr_html_()
    Page(shown)
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 3
    solution.close()


def test_the_language_is_that_of_the_reader(small_solution_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solution = Solution(small_solution_run)
    monkeypatch.setenv("COMPAGNON_LANG", "fr")
    shown = solution._repr_html_()
    assert 'lang="fr"' in shown
    assert "mauvais service" in shown
    with i18n.use("fr"):
        assert f"✓ {i18n._('valid')}" in shown
    with i18n.use("en"):
        assert 'lang="en"' in solution._repr_html_()
    solution.close()


def test_a_file_with_mistakes_is_shown_with_them(tmp_path: Path) -> None:
    (tmp_path / "solution.yaml").write_text("version: 1\nname: x\n<b>: 1\n", encoding="utf-8")
    shown = Solution(tmp_path)._repr_html_()
    Page(shown)
    assert "&lt;b&gt;" in shown
    assert not (tmp_path / ".compagnon").exists()


def test_nothing_heavy_is_imported_for_a_run() -> None:
    code = (
        "import sys; from compagnon.chain.run import Run; from datetime import datetime, UTC; "
        "n = datetime.now(UTC); Run('a', 'b/c', 'done', {}, n, n, 'x', 'y')._repr_html_(); "
        "print([m for m in ('duckdb', 'pyarrow', 'numpy', 'sqlalchemy', 'jinja2', 'pydantic') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
