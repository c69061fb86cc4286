"""Markdown of cards and guides, search of guides, paging, what a job says."""

from __future__ import annotations

from datetime import UTC, datetime
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
    assert [guide.name for guide in guides.search("QUARANTAINE", "fr")] == ["restore-from-quarantine"]
    assert guides.search("zzz", "fr") == []
    assert {guide.name for guide in guides.guides("fr")} == {guide.name for guide in guides.guides("en")}
    for name in ("../../pyproject", "nothing", "Serve", ""):
        assert guides.find(name, "fr") is None


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
