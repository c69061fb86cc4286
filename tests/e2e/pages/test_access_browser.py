"""Pages of accounts and keys in Chromium: tasks by keyboard alone, nothing lost when a session ends."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import tab_to
from playwright.sync_api import Browser, Page
from serving import running
from visiting import PASSWORD, add_account

from compagnon import Solution
from compagnon.web.app import create_app

pytestmark = pytest.mark.browser


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


def test_by_keyboard_alone_somebody_is_invited_and_comes(page: Page, house: tuple[Solution, str]) -> None:
    _solution, address = house
    enter(page, address, "admin")
    tab_to(page, "header nav a[href='/admin/accounts']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/accounts")
    tab_to(page, "main a[href='#invite-title']")
    page.keyboard.press("Enter")
    # From the title on, the next stop is the form: nobody tabs through the list.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "sign_in"
    page.keyboard.type("claire@lycee.example")
    tab_to(page, "#name")
    page.keyboard.type("Claire")
    tab_to(page, "#role")
    page.keyboard.type("teacher")
    tab_to(page, "form.access button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".secret")
    link = page.inner_text(".secret")
    other = page.context.browser
    assert other is not None
    with other.new_context(locale="en-US") as context:
        guest = context.new_page()
        guest.goto(link)
        for selector in ("#password", "#again"):
            tab_to(guest, selector)
            guest.keyboard.type("quatre mots sans rapport")
        guest.keyboard.press("Enter")
        guest.wait_for_selector(".who form")
        assert "Claire" in guest.inner_text(".who")


def test_by_keyboard_alone_a_key_is_made_and_revoked(page: Page, house: tuple[Solution, str]) -> None:
    _solution, address = house
    enter(page, address, "admin")
    page.goto(f"{address}/keys")
    tab_to(page, "#label")
    page.keyboard.type("register of the school")
    tab_to(page, "#days")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".secret")
    assert page.inner_text(".secret").startswith("cpg_")
    tab_to(page, ".rows button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".panel.done")
    assert "revoked" in page.inner_text(".rows")


def test_by_keyboard_alone_a_document_is_taken_away(page: Page, house: tuple[Solution, str]) -> None:
    _solution, address = house
    enter(page, address, "teacher")
    page.goto(f"{address}/models/theme/card")
    tab_to(page, "a[href$='card.docx']")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename.endswith(".docx")
    assert Path(waiting.value.path()).read_bytes().startswith(b"PK")


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
