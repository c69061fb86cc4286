"""Pages in Chromium: tasks by keyboard alone, languages, without scripts. ``test_every_page`` walks them all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from browsing import tab_to
from playwright.sync_api import Browser, Page
from serving import Served

pytestmark = pytest.mark.browser


def test_by_keyboard_alone_a_question_gets_its_answer_and_a_correction(page: Page, served: Served) -> None:
    page.goto(served.address + "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.goto(served.address + "/")
    tab_to(page, "header nav a[href='/models/theme/try']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/theme/try")
    tab_to(page, "textarea")
    page.keyboard.type("Où est mon colis ?")
    tab_to(page, "form.ask button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer")
    assert page.inner_text("#answer h2").strip()
    assert "%" in page.inner_text(".sure")
    # From the answer on, the next stop is inside it: nobody tabs through the form again.
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#answer').contains(document.activeElement)")
    if not page.evaluate("document.activeElement.matches('summary')"):
        tab_to(page, "summary")
    page.keyboard.press("Enter")
    tab_to(page, "#expected")
    answer = page.inner_text("#answer h2").split("\n")[-1].strip()
    other = next(label for label in ("compte", "facture", "livraison") if label != answer)
    page.keyboard.type(other)
    tab_to(page, "details.wrong button")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]")
    assert "recorded" in page.inner_text("[role=status]")


def test_by_keyboard_alone_a_note_is_added_and_a_run_read(page: Page, served: Served) -> None:
    page.goto(served.address + "/logbook")
    tab_to(page, "#text")
    page.keyboard.type("We keep the threshold.")
    tab_to(page, ".note-form button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/logbook#note-*")
    assert "We keep the threshold." in page.inner_text(".entries")
    tab_to(page, ".entries a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    assert page.locator("table caption").count() >= 1


def test_below_the_threshold_a_person_decides(page: Page, served: Served) -> None:
    page.goto(served.address + "/models/theme/try")
    page.fill("textarea", "zzz")
    page.click("form.ask button >> nth=0")
    assert "A person decides" in page.inner_text(".person")
    page.evaluate("document.querySelector('.person').noValidate = true")
    page.click(".person button")
    page.wait_for_selector("#said-error")
    assert page.evaluate("document.activeElement.id") == "expected", "the focus is where the error is"
    page.select_option("#expected", "compte")
    page.click(".person button")
    page.wait_for_selector("[role=status]")
    assert "decision" in page.inner_text("[role=status]")


def test_the_switch_changes_the_language_and_keeps_it(page: Page, served: Served) -> None:
    page.goto(served.address + "/help")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.click(".language")
    page.wait_for_url("**/help")
    assert page.evaluate("document.documentElement.lang") == "fr"
    page.goto(served.address + "/")
    assert page.evaluate("document.documentElement.lang") == "fr"


def test_without_scripts_everything_works(browser: Browser, served: Served) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-US")
    page = context.new_page()
    page.goto(served.address + "/models/theme/try")
    page.click("button.example >> nth=1")
    assert page.locator("#answer").count() == 1
    context.close()


def test_a_table_is_read_by_many_at_once(served: Served) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _n: httpx.get(f"{served.address}/tables/messages", timeout=60), range(48)))
    assert {answer.status_code for answer in answers} == {200}
