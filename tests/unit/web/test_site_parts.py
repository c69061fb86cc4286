"""Markdown of cards and guides, search of guides, paging, what a job says."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from compagnon.chain.job import Job, JobState
from compagnon.i18n import use
from compagnon.web import guides, markdown, paging
from compagnon.web.runs import asked_for, described


@given(st.text(alphabet="ab<>&\"'`*_[]()|#-\\ \n!:/\x01\x02", max_size=200))
def test_markdown_lets_no_tag_of_the_text_through(text: str) -> None:
    html = markdown.render(f"# t\n\n<script>{text}</script>\n\n- <b onclick=x>{text}")
    assert "<script" not in html
    assert "<b onclick" not in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a `b<c` **d** *e*", "<p>a <code>b&lt;c</code> <strong>d</strong> <em>e</em></p>"),
        (r"a \* b \| c", "<p>a * b | c</p>"),
        ("[x](https://example.org/?a=1&b)", '<p><a href="https://example.org/?a=1&amp;b">x</a></p>'),
        ("[`x`](/help)", '<p><a href="/help"><code>x</code></a></p>'),
        ("[x](javascript:alert(1))", "<p>x)</p>"),
        ("[x](//evil.example)", "<p>x</p>"),
        ("[x](other.md)", "<p>x</p>"),
        ("- a\n  b\n- c", "<ul><li>a b</li><li>c</li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("before\n- a", "<p>before</p><ul><li>a</li></ul>"),
        ("## T\ntext", "<h2>T</h2><p>text</p>"),
        ("---\na: b\n---\n\nx", "<p>x</p>"),
    ],
)
def test_markdown(text: str, html: str) -> None:
    assert markdown.render(text) == html


def test_a_table_has_headers_and_code_keeps_its_lines() -> None:
    html = markdown.render("| a | b |\n|---|---|\n| x\\|y | `z` |")
    assert '<th scope="col">a</th>' in html
    assert '<th scope="row">x|y</th><td><code>z</code></td>' in html
    assert ">one\n\ntwo</pre>" in markdown.render("```console\none\n\ntwo\n```")


def test_guides_are_found_by_titles_without_accents_in_the_language_in_use() -> None:
    found = guides.search("QUARANTAINE", "fr")
    assert found[0].guide.name == "restore-from-quarantine"
    assert not found[0].snippet
    assert guides.search("zzzz", "fr") == []
    assert {guide.name for guide in guides.guides("fr")} == {guide.name for guide in guides.guides("en")}
    for name in ("../../pyproject", "nothing", "Serve", ""):
        assert guides.find(name, "fr") is None


def test_words_of_the_text_are_found_after_titles_with_the_line_that_holds_them() -> None:
    found = guides.search("DEMANDES.CSV separateur", "fr")
    assert found
    assert all(one.snippet for one in found)
    assert all(len(one.snippet) <= guides.LONGEST_SNIPPET + 2 for one in found)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_guide_has_both_languages_a_title_and_parts_of_a_page(language: str) -> None:
    for guide in guides.guides(language):
        assert guide.language == language, guide.name
        assert " · " not in guide.title
        assert "English" not in guide.parts
        assert "Français" not in guide.parts
        assert not guide.text.startswith("# ")
        levels = [int(level) for level in re.findall(r"<h(\d)", guide.html)]
        assert all(1 < level <= before + 1 for before, level in zip([1, *levels], levels, strict=False)), guide.name
        assert "---" not in re.sub(r"```.*?```", "", guide.text, flags=re.DOTALL).split("\n")
        assert "<code>" in guide.title_html or "`" not in guide.title
    titles = {guide.name: guide.title for guide in guides.guides(language)}
    assert titles["source-file"].startswith("Lire des fichiers" if language == "fr" else "Read files")
    assert titles["serve"] == ("Servir une solution" if language == "fr" else "Serve a solution")
    assert next(iter(titles)) == "first-solution"


def test_guides_lead_to_each_other() -> None:
    html = "".join(guide.html for guide in guides.guides("fr"))
    assert '<a href="/help/' in html
    assert ".md" not in "".join(re.findall(r'href="([^"]*)"', html))


def test_a_guide_in_one_language_says_so(tmp_path: Path) -> None:
    path = tmp_path / "alone.md"
    path.write_text("# Seule\n\nTexte.\n\n```sh\n---\n# no title\n```\n", encoding="utf-8")
    guide = guides.read(path, "en")
    assert (guide.language, guide.title, guide.parts) == ("fr", "Seule", ())


def test_an_installed_package_has_the_guides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the build puts into the package is read where there is no checkout."""
    code = (
        "import runpy, sys; from setuptools import Distribution; "
        "build = runpy.run_path('setup.py')['BuildWithGuides'](Distribution({'packages': []})); "
        "build.build_lib = sys.argv[1]; build.ensure_finalized(); build.run()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "lib")]
    subprocess.run(command, cwd=Path(__file__).parents[3], check=True, capture_output=True)
    installed = tmp_path / "lib" / "compagnon" / "web" / "guides"
    before = guides.guides("fr")
    monkeypatch.setattr(guides, "INSTALLED", installed)
    monkeypatch.setattr(guides, "DOCS", tmp_path / "none")
    guides.guides.cache_clear()
    try:
        assert guides.guides("fr") == before
    finally:
        guides.guides.cache_clear()


def _request(query: str) -> Request:
    return Request({"type": "http", "path": "/x", "query_string": query.encode(), "headers": []})


@pytest.mark.parametrize("query", ["", "page=0", "page=-1", "page=x", "page=²", "page=99999999", "page=1e3", "page="])
def test_a_bad_page_is_the_first(query: str) -> None:
    assert paging.page_of(_request(query), 45).number == 1


def test_pages_end_with_the_list() -> None:
    last = paging.page_of(_request("page=50"), 45)
    assert (last.number, last.first, last.last, last.pages) == (3, 40, 45, 3)
    assert paging.page_of(_request("page=2"), 0).number == 1
    assert paging.page_of(_request("page=2"), 45, "reason=a&").link(3) == "/x?reason=a&page=3"


def _job(state: JobState, **values: Any) -> Job:
    return Job(1, "run", values.pop("payload", {}), state, datetime(2026, 1, 1, tzinfo=UTC), **values)


def test_a_job_says_where_it_is_and_how_it_ended() -> None:
    progress = {"kind": "progress", "stage": "train/x", "message": "comparing", "position": 4, "count": 5}
    with use("en"):
        now = described(_job("running", progress=progress))
        assert (now["where"], now["value"], now["most"], now["ended"]) == ("4 of 5", 3, 5, False)
        done = described(_job("done", progress=progress))
        assert (done["value"], done["stage"], done["said"]) == (5, "", "The run is done.")
        assert described(_job("queued"))["word"] == "waiting"
        assert asked_for(_job("queued", payload={"to": "train/x", "refresh": ["collect"]})) == (
            "everything up to train/x, again: collect"
        )
