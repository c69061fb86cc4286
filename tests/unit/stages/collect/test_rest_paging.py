"""Which page is asked first, which next, and when it is over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.errors import UserError
from compagnon.stages.collect.http.client import Answer
from compagnon.stages.collect.rest import paging
from compagnon.stages.collect.rest.paging import ByCursor, ByLink, ByOffset, ByPage, Single

URL = "https://example.org/api?lang=fr"


def following(pages: Any, document: Any = None, rows: int = 2, seen: int = 2, link: str = "") -> str | None:
    asked = paging.first(URL, {}, pages)
    return paging.following(pages, asked, Answer(asked, 200, {"link": link}, b""), document, rows, seen, 1)


def test_first_pages() -> None:
    assert paging.first(URL, {"a": "é"}, Single(kind="none")) == f"{URL}&a=%C3%A9"
    assert paging.first(URL, {}, ByPage(kind="page", first=0, size=5)) == f"{URL}&page=0&per_page=5"
    assert paging.first(URL, {}, ByOffset(kind="offset", size=5)) == f"{URL}&offset=0&limit=5"
    assert paging.first(URL, {"lang": "en"}, ByCursor(kind="cursor", next="n")) == "https://example.org/api?lang=en"


def test_the_next_pages() -> None:
    assert following(Single(kind="none")) is None
    assert following(ByPage(kind="page")) == f"{URL}&page=2"
    assert following(ByPage(kind="page"), rows=0) is None
    assert following(ByOffset(kind="offset"), seen=7) == f"{URL}&limit=100&offset=7"
    assert following(ByCursor(kind="cursor", next="m.n"), {"m": {"n": "a b"}}) == f"{URL}&cursor=a+b"
    assert following(ByLink(kind="link"), link='</c>; rel="next"') == "/c"
    assert following(ByLink(kind="link", next="l"), {"l": "?p=2"}) == "?p=2"


@pytest.mark.parametrize("document", [{}, {"m": None}, {"m": ""}, {"m": False}, [], None])
def test_no_mark_is_the_end(document: Any) -> None:
    assert following(ByCursor(kind="cursor", next="m"), document) is None
    assert following(ByLink(kind="link", next="m"), document) is None


def test_a_total_ends_the_pages_and_must_be_there() -> None:
    pages = ByPage(kind="page", total="meta.total")
    assert following(pages, {"meta": {"total": 3}}, seen=2) is not None
    assert following(pages, {"meta": {"total": "2"}}, seen=2) is None
    for broken in ({}, {"meta": {"total": None}}, {"meta": {"total": True}}, {"meta": {"total": -1}}):
        with pytest.raises(UserError) as caught:
            following(pages, broken)
        assert caught.value.code == "collect.total-missing"


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://a/2>; rel="next"', "https://a/2"),
        ("<https://a/2>;rel=next", "https://a/2"),
        ('<https://a/1>; rel="prev", <https://a/3>; rel="next"', "https://a/3"),
        ('<https://a/1,2>; title="x, y"; rel="last next"', "https://a/1,2"),
        ('<https://a/1>; title="; rel=next"; rel="prev"', None),
        ('<https://a/1>; rel="nextish"', None),
        ("", None),
        ("<broken", None),
    ],
)
def test_link_headers(header: str, target: str | None) -> None:
    assert paging.next_link(header) == target


@given(st.text(max_size=60))
def test_any_link_header_is_read_without_an_error(header: str) -> None:
    paging.next_link(header)


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=4))
def test_parameters_come_back_as_given(params: dict[str, str]) -> None:
    from urllib.parse import parse_qsl, urlsplit

    once = paging.with_params("https://example.org/a", params)
    assert dict(parse_qsl(urlsplit(once).query, keep_blank_values=True)) == params
    assert paging.with_params(once, params) == once
