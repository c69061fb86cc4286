"""The source ``web`` against a real server: where it goes, where it does not, and what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from answering import Scripted, Time, frozen, serving  # noqa: F401

from collecting import Collecting
from compagnon.chain.stage import Cancelled
from compagnon.errors import UserError
from compagnon.sandbox.exchange import Reply, Request
from compagnon.stages.collect.port import SourceDown

ALLOWED = "User-agent: *\nDisallow:\n"


def html(body: str, **headers: str) -> Reply:
    page = f"<!doctype html><html><body>{body}</body></html>".encode()
    return Reply(
        body=page, kind="text/html; charset=utf-8", headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def site(pages: dict[str, str | Reply], robots: str | Reply = ALLOWED) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        if request.path == "/robots.txt":
            return robots if isinstance(robots, Reply) else Reply(body=robots.encode(), kind="text/plain")
        found = pages.get(request.path)
        if found is None:
            return Reply(404, b"", "text/html")
        return found if isinstance(found, Reply) else html(found)

    return answer


def run(collecting: Collecting, script: Scripted, start: str = "/1", **options: Any) -> list[tuple[Any, ...]]:
    given = {"follow": "a", "fields": {"t": "p"}, "delay": "0 s", "contact": "me@example.org", **options}
    collecting.run(kind="web", start=f"{script.address}{start}", private=True, **given)
    return collecting.cells()


def paths(script: Scripted) -> list[str]:
    return [request.path for request in script.requests]


THREE = {"/1": "<p>a</p><a href='/2'>2</a>", "/2": "<p>b</p><a href='3'>3</a><a href='/1'>1</a>", "/3": "<p>c</p>"}


def test_links_are_followed_once_the_nearest_first(collecting: Collecting) -> None:
    pages = {
        "/1": "<p>a</p><a href='/2'>2</a><a href='/3#x'>3</a>",
        "/2": "<p>b</p><a href='/4'>4</a>",
        "/3": "<p>c</p>",
    }
    with serving(site({**pages, "/4": "<p>d</p>"})) as script:
        assert run(collecting, script) == [("a",), ("b",), ("c",), ("d",)]
    assert paths(script) == ["/robots.txt", "/1", "/2", "/3", "/4"]
    assert collecting.ids()[0] == f"s:{script.address.removeprefix('http://')}/1:0"


def test_who_asks_is_said_to_the_site(collecting: Collecting) -> None:
    with serving(site(THREE)) as script:
        run(collecting, script)
    assert all("me@example.org" in request.headers["user-agent"] for request in script.requests)


def test_without_links_to_follow_there_is_one_page(collecting: Collecting) -> None:
    with serving(site(THREE)) as script:
        assert run(collecting, script, follow=[]) == [("a",)]


def test_bounds_are_kept_and_said(collecting: Collecting) -> None:
    with serving(site(THREE)) as script:
        assert run(collecting, script, depth=1) == [("a",), ("b",)]
        assert "1 link was not followed" in collecting.warnings
        collecting.previous = None
        assert run(collecting, script, bounds={"pages": 1}) == [("a",)]
        assert "1 link was not followed" in collecting.warnings


ROBOTS = """
User-agent: *
Disallow: /private
Allow: /private/open
Disallow: /*.pdf$

User-agent: compagnon
Disallow: /private
Allow: /private/open
"""


def test_robots_txt_is_obeyed(collecting: Collecting) -> None:
    pages = {
        "/1": "<p>a</p><a href='/private/x'>x</a><a href='/private/open/y'>y</a>",
        "/private/x": "<p>no</p>",
        "/private/open/y": "<p>yes</p>",
    }
    with serving(site(pages, ROBOTS)) as script:
        assert run(collecting, script) == [("a",), ("yes",)]
    assert "/private/x" not in paths(script)
    assert "1 link was left, as robots.txt asks" in collecting.warnings


def test_a_first_page_that_robots_txt_forbids(collecting: Collecting) -> None:
    with serving(site(THREE, "User-agent: *\nDisallow: /\n")) as script, pytest.raises(UserError) as caught:
        run(collecting, script)
    assert caught.value.code == "collect.robots-refused"
    assert paths(script) == ["/robots.txt"]


def test_a_redirect_into_what_robots_txt_forbids(collecting: Collecting) -> None:
    pages = {"/1": Reply(302, headers={"Location": "/private/x"}), "/private/x": "<p>no</p>"}
    with serving(site(pages, ROBOTS)) as script, pytest.raises(UserError) as caught:
        run(collecting, script)
    assert caught.value.code == "collect.robots-refused"
    assert "/private/x" not in paths(script)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_site_without_robots_txt_forbids_nothing(collecting: Collecting, status: int) -> None:
    with serving(site(THREE, Reply(status))) as script:
        assert len(run(collecting, script)) == 3


def test_a_site_whose_robots_txt_fails_is_down(collecting: Collecting, frozen: Time) -> None:  # noqa: F811
    with serving(site(THREE, Reply(503))) as script, pytest.raises(SourceDown):
        run(collecting, script)
    assert set(paths(script)) == {"/robots.txt"}


def test_the_delay_of_the_solution_and_the_longer_one_of_the_site(collecting: Collecting, frozen: Time) -> None:  # noqa: F811
    with serving(site(THREE)) as script:
        run(collecting, script, delay="4 s")
    assert frozen.slept == pytest.approx(8)
    with serving(site(THREE, "User-agent: *\nCrawl-delay: 10\n")) as script:
        run(collecting, script, delay="4 s")
    assert frozen.slept == pytest.approx(28)


def test_other_hosts_are_never_asked(collecting: Collecting) -> None:
    with serving(site({"/2": "<p>away</p>"})) as other:
        pages = {
            "/1": f"<p>a</p><a href='{other.address}/2'>2</a><a href='file:///etc/passwd'>f</a><a href='//x'>x</a>"
        }
        with serving(site(pages)) as script:
            assert run(collecting, script) == [("a",)]
            assert other.requests == []
            collecting.previous = None
            assert run(collecting, script, hosts=other.address.removeprefix("http://")) == [("a",), ("away",)]
    assert paths(other) == ["/robots.txt", "/2"]


def test_private_addresses_must_be_declared(collecting: Collecting) -> None:
    with serving(site(THREE)) as script, pytest.raises(UserError) as caught:
        collecting.run(kind="web", start=script.address, fields={"t": "p"}, contact="me@example.org")
    assert caught.value.code == "collect.address-refused"
    assert script.requests == []


def test_a_page_whose_layout_changed_is_named(collecting: Collecting) -> None:
    with serving(site({**THREE, "/2": "<div>b</div><a href='/3'>3</a>"})) as script, pytest.raises(UserError) as caught:
        run(collecting, script)
    assert caught.value.code == "collect.nothing-extracted"
    assert f"{script.address}/2" in str(caught.value)


def test_pages_that_hold_no_rows_are_declared(collecting: Collecting) -> None:
    pages = {"/": "<a href='/q/1'>1</a><a href='/about'>a</a>", "/q/1": "<p>a</p>", "/about": "we"}
    with serving(site(pages)) as script:
        assert run(collecting, script, "/", pages="/q/*") == [("a",)]


def test_a_column_that_a_whole_page_lacks_is_said(collecting: Collecting) -> None:
    with serving(site({"/1": "<li><p>a</p></li><li><p>b</p></li>"})) as script:
        assert run(collecting, script, rows="li", fields={"t": "p", "u": "i"}) == [("a", None), ("b", None)]
    assert "has no u in any of its rows" in collecting.warnings


def test_a_table_whose_heads_change_is_named(collecting: Collecting) -> None:
    table = "<table><tr><th>{}</th></tr><tr><td>1</td></tr></table><a href='/2'>2</a>"
    changing = site({"/1": table.format("a"), "/2": table.format("b")})
    with serving(changing) as script, pytest.raises(UserError) as caught:
        run(collecting, script, table="table", fields={})
    assert caught.value.code == "collect.schema-changed"
    assert "/2" in str(caught.value)


def test_links_to_what_is_gone_or_no_page_are_left_and_said(collecting: Collecting) -> None:
    pages = {
        "/1": "<p>a</p><a href='/gone'>x</a><a href='/f.pdf'>y</a>",
        "/f.pdf": Reply(body=b"%PDF", kind="application/pdf"),
    }
    with serving(site(pages)) as script:
        assert run(collecting, script) == [("a",)]
    assert "2 links lead to no page" in collecting.warnings
    with serving(site({})) as script, pytest.raises(SourceDown):
        run(collecting, script)


def tagged(pages: dict[str, str], full: list[str]) -> Callable[[Request], Reply]:
    """Pages with an ETag; ``full`` notes those that were sent whole."""

    def answer(request: Request) -> Reply:
        if request.path == "/robots.txt":
            return Reply(404)
        tag = f'"{hash(pages[request.path])}"'
        if request.headers.get("if-none-match") == tag:
            return Reply(304, headers={"ETag": tag})
        full.append(request.path)
        return html(pages[request.path], ETag=tag)

    return answer


def test_pages_that_did_not_change_are_not_sent_again(collecting: Collecting) -> None:
    pages, full = dict(THREE), list[str]()
    with serving(tagged(pages, full)) as script:
        again = {"follow": "a", "contact": "me@x.org"}
        run(collecting, script, **again)
        assert collecting.previous is not None
        before = collecting.previous.outputs
        full.clear()
        run(collecting, script, **again)
        assert full == []
        assert collecting.previous.outputs == before
        pages["/2"] = "<p>B</p><a href='/3'>3</a>"
        assert run(collecting, script, **again) == [("a",), ("B",), ("c",)]
        assert full == ["/2"]
        full.clear()
        # Other options: what was extracted before does not hold any more.
        assert run(collecting, script, fields={"t": "p", "u": "b"}, **again)[0] == ("a", None)
        assert full == ["/1", "/2", "/3"]
        del pages["/2"]
        pages["/1"] = "<p>a</p><a href='/3'>3</a>"
        assert run(collecting, script, **again) == [("a",), ("c",)]


def test_a_stopped_collection_does_not_ask_for_its_pages_again(collecting: Collecting) -> None:
    with serving(site(THREE)) as script:
        with pytest.raises(Cancelled):
            collecting.run(
                kind="web", start=f"{script.address}/1", private=True, follow="a", fields={"t": "p"}, delay="0 s",
                contact="me@example.org", stop=lambda: "/2" in paths(script),
            )  # fmt: skip
        assert run(collecting, script) == [("a",), ("b",), ("c",)]
    assert [path for path in paths(script) if path != "/robots.txt"] == ["/1", "/2", "/3"]


def test_the_contact_does_not_enter_the_key_of_a_run(collecting: Collecting, tmp_path: Path) -> None:
    given = {"kind": "web", "start": "https://example.org", "fields": {"t": "p"}}
    one = collecting.instance(collecting.spec(contact="me@example.org", **given)).settings
    assert one == collecting.instance(collecting.spec(contact="you@example.org", delay="9 s", **given)).settings
