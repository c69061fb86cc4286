"""Pages of accounts and keys in Chromium: no accessibility violation, tasks by keyboard alone."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from serving import running
from visiting import PASSWORD, add_account

from compagnon import Solution
from compagnon.access.link import make_link
from compagnon.web.app import create_app

pytestmark = pytest.mark.browser

PLACES = (
    "/sign-in", "sign-in-error", "/account", "account-error", "/admin/accounts", "invite-error", "one", "one-link",
    "/admin/settings", "/admin/audit", "/keys", "key-made", "link", "forbidden",
)  # fmt: skip


@pytest.fixture(scope="module")
def house(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Solution, str]]:
    root = Path(shutil.copytree(trained, tmp_path_factory.mktemp("accounts") / "small"))
    solution = Solution(root)
    for role in ("admin", "learner", "teacher"):
        add_account(solution, role)
    with running(create_app(solution)) as address:
        yield solution, address
    solution.close()


def enter(page: Page, address: str, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{address}/sign-in")
    page.fill("#name", name)
    page.fill("#password", password)
    page.click("form.access button")


def go(page: Page, house: tuple[Solution, str], place: str) -> None:
    solution, address = house
    if place in ("/sign-in", "sign-in-error", "link"):
        page.goto(f"{address}/sign-in")
        if place == "sign-in-error":
            enter(page, address, "learner", "not the right one")
            assert page.locator("#sign-in-error").count() == 1
        elif place == "link":
            linked = add_account(solution, "reader", f"linked-{secrets.token_hex(4)}")
            page.goto(f"{address}/link/{make_link(solution.engine, linked, actor=None, now=solution.clock.now())}")
            assert page.locator("#again").count() == 1
        return
    enter(page, address, "learner" if place == "forbidden" else "admin")
    if place == "account-error":
        page.goto(f"{address}/account")
        page.fill("#current", "not mine")
        page.fill("#new", "une phrase assez longue")
        page.fill("#again", "une phrase assez longue")
        page.click("section:nth-of-type(2) button")
        assert page.locator("#current-error").count() == 1
    elif place == "invite-error":
        page.goto(f"{address}/admin/accounts")
        page.fill("#sign_in", "admin")
        page.fill("#name", "Encore")
        page.click("form.access button")
        assert page.locator("#sign_in-error").count() == 1
    elif place in ("one", "one-link"):
        page.goto(f"{address}/admin/accounts")
        page.click("tbody a >> nth=1")
        if place == "one-link":
            page.click("button[value=link]")
            assert "/link/" in page.inner_text(".secret")
    elif place == "key-made":
        page.goto(f"{address}/keys")
        page.fill("#label", "essai")
        page.click("form.access button")
        assert page.locator(".secret").count() == 1
    else:
        page.goto(address + ("/admin/audit" if place == "forbidden" else place))


@pytest.mark.parametrize(("width", "scheme", "language"), [(1280, "light", "fr-FR"), (320, "dark", "en-US")])
@pytest.mark.parametrize("place", PLACES)
def test_no_violation_and_no_sideways_scrolling(
    browser: Browser, house: tuple[Solution, str], place: str, width: int, scheme: Any, language: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, locale=language, reduced_motion="reduce"
    )
    try:
        page = context.new_page()
        go(page, house, place)
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.documentElement.lang") == language[:2]
        assert page.evaluate("document.querySelectorAll('*').length") < 400
    finally:
        context.close()


def tab_to(page: Page, selector: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def test_by_keyboard_alone_a_note_survives_the_end_of_its_session(page: Page, house: tuple[Solution, str]) -> None:
    solution, address = house
    page.goto(f"{address}/logbook")
    for selector, text in (("#name", "teacher"), ("#password", PASSWORD)):
        tab_to(page, selector)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_selector("#text")
    tab_to(page, "#text")
    page.keyboard.type("Written before the end.")
    page.context.clear_cookies()
    tab_to(page, ".note-form button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#password")
    assert "What you wrote is kept" in page.inner_text("[role=status]")
    for selector, text in (("#name", "teacher"), ("#password", PASSWORD)):
        tab_to(page, selector)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_selector("#text")
    assert page.input_value("#text") == "Written before the end."
    tab_to(page, ".note-form button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/logbook#note-*")
    assert any(note.text == "Written before the end." for note in solution.ledger.notes())


def test_by_keyboard_alone_one_signs_out(page: Page, house: tuple[Solution, str]) -> None:
    _solution, address = house
    enter(page, address, "teacher")
    page.goto(f"{address}/account")
    tab_to(page, ".out button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in?out=1")
    assert "signed out" in page.inner_text("[role=status]")
    page.goto(f"{address}/account")
    assert "/sign-in" in page.url
