"""Pages of accounts and keys in Chromium: no accessibility violation, tasks by keyboard alone."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import assert_no_violation, tab_to
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
        assert_no_violation(page)
        assert page.evaluate("document.documentElement.lang") == language[:2]
        assert page.evaluate("document.querySelectorAll('*').length") < 400
    finally:
        context.close()


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


def test_a_reason_survives_the_end_of_its_session(page: Page, house: tuple[Solution, str]) -> None:
    """In the list of the quarantine and in the form of one row; the reader is asked to sign in between."""
    solution, address = house
    enter(page, address, "admin")
    for place, selector, button in (
        ("/quarantine/messages?reason=duplicate", "#because-1", ".restore button"),
        ("/quarantine/messages/row?id=shop:43", "#because", "form.access button"),
    ):
        page.goto(address + place)
        if "row" not in place:
            page.click(".entries details:has(form) summary")
        else:
            page.select_option("#column", "text")
            page.fill("#value", "Où est mon colis ?")
        page.fill(selector, "Read twice.")
        page.context.clear_cookies()
        page.click(button)
        page.wait_for_selector("#password")
        assert "What you wrote is kept" in page.inner_text("[role=status]")
        page.fill("#name", "admin")
        page.fill("#password", PASSWORD)
        page.click("form.access button")
        page.wait_for_selector(selector)
        assert page.url.startswith(address + place.partition("?")[0])
        assert page.locator(selector).is_visible()
        assert page.input_value(selector) == "Read twice."
        assert not solution.ledger.corrections("messages"), "nothing was sent"
        page.reload()
        assert page.input_value(selector) == "Read twice."
        if "row" in place:
            assert page.input_value("#value") == "Où est mon colis ?"
            assert page.input_value("#column") == "text"


def test_two_tabs_and_a_new_session_lose_nothing(page: Page, house: tuple[Solution, str]) -> None:
    solution, address = house
    enter(page, address, "teacher")
    page.goto(f"{address}/logbook")
    page.fill("#text", "From the first tab.")
    # In another tab one signs out and in again: the first one holds the form of the session before.
    other = page.context.new_page()
    other.goto(f"{address}/account")
    other.click(".out button")
    enter(other, address, "teacher")
    page.click(".note-form button")
    page.wait_for_selector("[role=status]")
    assert page.input_value("#text") == "From the first tab."
    page.click(".note-form button")
    page.wait_for_url("**/logbook#note-*")
    page.go_back()
    page.reload()
    assert sum(note.text == "From the first tab." for note in solution.ledger.notes()) == 1


def test_without_scripts_forms_are_sent_and_found_again(browser: Browser, house: tuple[Solution, str]) -> None:
    solution, address = house
    context = browser.new_context(java_script_enabled=False, locale="en-US")
    page = context.new_page()
    enter(page, address, "admin")
    page.goto(f"{address}/quarantine/messages/row?id=shop:44")
    page.select_option("#column", "theme")
    page.fill("#value", "compte")
    page.fill("#because", "Said so on the telephone.")
    page.click("form.access button")
    assert "will be corrected" in page.inner_text("[role=status]")
    assert [(c.row_id, c.value) for c in solution.ledger.corrections("messages")] == [("shop:44", "compte")]
    context.close()
