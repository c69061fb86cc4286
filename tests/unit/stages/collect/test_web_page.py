"""What selectors find in a page, in whatever encoding and state it comes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from compagnon.errors import UserError
from compagnon.stages.collect.port import Bad
from compagnon.stages.collect.web.options import WebOptions
from compagnon.stages.collect.web.page import Page

URL = "https://example.org/a/b.html"


def options(**given: Any) -> WebOptions:
    base = {"kind": "web", "contact": "me@example.org", "start": URL, "fields": {} if "table" in given else {"t": "p"}}
    return WebOptions.model_validate({**base, **given})


def page(body: str | bytes, kind: str = "text/html; charset=utf-8", encoding: str = "auto") -> Page:
    return Page.read(URL, body.encode() if isinstance(body, str) else body, kind, encoding)


def rows(body: str, **given: Any) -> list[dict[str, str | None]]:
    return page(body).rows(options(**given), [])


def test_one_row_for_each_element_and_one_for_a_page() -> None:
    body = "<ul><li><b>a</b> <i>1</i></li><li><b>b</b></li><li></li></ul>"
    fields = {"name": "b", "number": "i"}
    assert rows(body, rows="li", fields=fields) == [{"name": "a", "number": "1"}, {"name": "b", "number": None}]
    assert rows(body, fields=fields) == [{"name": "a", "number": "1"}]
    assert rows("<p>x</p>", fields=fields) == []


def test_text_attributes_and_several_elements() -> None:
    body = """<article data-id="7"><h2> A \n title&nbsp;é </h2><a href="../c.html">c</a><i>x</i><i>y</i>
    <script>no()</script><p>text<style>p{}</style></p><time datetime="2026-11-21">hier</time></article>"""
    fields = {
        "id": "@data-id", "title": "h2", "link": "a@href", "tags": {"select": "i", "join": ", "},
        "first": "i", "text": "p", "day": "time@datetime", "none": "b@href", "all": {"select": "b", "join": ","},
    }  # fmt: skip
    [row] = rows(body, rows="article", fields=fields)
    assert row == {
        "id": "7", "title": "A title é", "link": "https://example.org/c.html", "tags": "x, y", "first": "x",
        "text": "text", "day": "2026-11-21", "none": None, "all": None,
    }  # fmt: skip


def test_what_a_page_says_of_itself() -> None:
    body = """<html lang=fr><title> T </title><link rel="Canonical" href="/c"><meta name=Author content=Me>
    <meta property="og:title" content="O"><p>x</p>"""
    names = ("url", "title", "language", "canonical", "author", "og:title", "absent")
    fields = {name.replace(":", "_"): {"meta": name} for name in names}
    [row] = rows(body, fields={**fields, "t": "p"})
    assert list(row.values()) == [URL, "T", "fr", "https://example.org/c", "Me", "O", None, "x"]


def test_links_are_absolute_without_fragment_and_once() -> None:
    body = (
        '<base href="/d/"><nav><a href="1.html#x">1</a><a href="1.html">1</a><a>no</a><a href="http://[">bad</a></nav>'
    )
    assert page(body).links(("nav", "nav a")) == ["https://example.org/d/1.html"]


def test_a_table_by_its_heads() -> None:
    body = """<table><thead><tr><th>a</th><th>b</th><th>a</th></tr></thead><tr><td>1</td><td></td><td> 3 </td></tr>
    <tr><td>1</td></tr><tr><th>x</th><th>y</th><th>z</th></tr><tr><th>4</th><td>5</td><td>6</td></tr></table>"""
    bad: list[Bad] = []
    found = page(body).rows(options(table="table", fields={"where": {"meta": "url"}}), bad)
    assert found == [
        {"a": "1", "b": None, "a_2": "3", "where": URL},
        {"a": "4", "b": "5", "a_2": "6", "where": URL},
    ]
    assert [(b.ordinal, b.text) for b in bad] == [(1, "1")]


@pytest.mark.parametrize(
    ("encoding", "kind", "head"),
    [
        ("utf-8", "text/html", ""),
        ("utf-8-sig", "text/html", ""),
        ("utf-16", "text/html", ""),
        ("cp1252", "text/html; charset=ISO-8859-1", ""),
        ("cp1252", "text/html", '<meta charset="windows-1252">'),
        ("cp1252", "text/html", '<meta http-equiv="Content-Type" content="text/html; charset=latin1">'),
    ],
)
def test_encodings(encoding: str, kind: str, head: str) -> None:
    body = f"<html><head>{head}</head><p>été</p>".encode(encoding)
    assert page(body, kind).rows(options(), []) == [{"t": "été"}]


def test_a_page_in_another_encoding_than_it_says() -> None:
    body = "<p>été</p>".encode("cp1252")
    with pytest.raises(UserError) as caught:
        page(body, "text/html")
    assert caught.value.code == "collect.page-encoding"
    assert page(body, encoding="cp1252").rows(options(), []) == [{"t": "été"}]


@pytest.mark.parametrize(
    "body", ["", " ", "\ufeff", "<!-- -->", "<?xml version='1.0' encoding='utf-8'?><p>x</p>", "<", "\0"]
)
def test_pages_that_are_hardly_pages(body: str) -> None:
    page(body).rows(options(), [])


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(body: str) -> None:
    found = page(body.encode("utf-8", "replace"))
    found.links(("a",))
    found.rows(options(table="table"), [])


def test_external_entities_are_not_read(tmp_path: Any) -> None:
    (tmp_path / "secret").write_text("hidden")
    body = f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]><p>a&x;</p>'
    assert "hidden" not in str(rows(body))


@pytest.mark.parametrize(
    "wrong",
    [
        {"fields": {"a": "p["}},
        {"rows": "li:::x"},
        {"follow": "a["},
        {"fields": {}},
        {"table": "table", "rows": "tr"},
        {"table": "table", "fields": {"a": "td"}},
        {"fields": {"a": {"meta": "url", "select": "p"}}},
        {"start": "ftp://example.org"},
        {"start": []},
        {"contact": None},
        {"contact": ""},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        options(**wrong)
