"""Every page in Chromium: no accessibility violation, nothing wider than the screen, tasks by keyboard alone."""

from __future__ import annotations

from typing import Any

import pytest
from browsing import assert_light, assert_no_violation, tab_to
from playwright.sync_api import Browser, Page
from serving import Served

pytestmark = pytest.mark.browser

DOUBT = "zzz"
PLACES = {
    "home": ("/", None),
    "logbook": ("/logbook", None),
    "logbook-error": ("/logbook", "empty-note"),
    "run": ("/logbook", "first-run"),
    "try": ("/models/theme/try", None),
    "try-error": ("/models/theme/try", "empty-question"),
    "answer": ("/models/theme/try", "question"),
    "person": ("/models/theme/try", "doubt"),
    "wrong": ("/models/theme/try", "wrong"),
    "wrong-error": ("/models/theme/try", "wrong-error"),
    "noted": ("/models/theme/try?noted=wrong", None),
    "quality": ("/tables/messages/quality", None),
    "help": ("/help", None),
    "api": ("/api/docs", None),
    "not-found": ("/nothing", None),
}


def go(page: Page, served: Served, place: str) -> None:
    path, then = PLACES[place]
    page.goto(served.address + path)
    if then == "empty-note":
        page.evaluate("document.querySelector('#text').required = false")
        page.click(".note-form button")
    elif then == "first-run":
        page.click(".entries a")
    elif then == "empty-question":
        page.fill("textarea", " ")
        page.click("form.ask button >> nth=0")
    elif then in ("question", "wrong", "wrong-error"):
        page.click("button.example >> nth=0")
        assert page.locator("#answer").count() == 1
    elif then == "doubt":
        page.fill("textarea", DOUBT)
        page.click("form.ask button >> nth=0")
        assert page.locator(".person").count() == 1
    if then in ("wrong", "wrong-error"):
        page.click("details.wrong summary")
    if then == "wrong-error":
        page.evaluate("document.querySelector('#expected').required = false")
        page.click("details.wrong button")
        assert page.locator("#said-error").count() == 1


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(1440, "light", "fr-FR"), (320, "dark", "en-US"), (768, "dark", "fr-FR")]
)
@pytest.mark.parametrize("place", PLACES)
def test_no_violation_and_no_sideways_scrolling(
    browser: Browser, served: Served, place: str, width: int, scheme: Any, language: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, locale=language, reduced_motion="reduce"
    )
    try:
        page = context.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        go(page, served, place)
        assert_no_violation(page)
        assert page.evaluate("document.documentElement.lang") == language[:2]
        assert page.evaluate("document.querySelectorAll('*').length") < 400
        assert all(url.startswith((served.address, "data:")) for url in requests)
        # The status of an error page is an error for the console, a refused style or script would be one for us.
        assert not [fault for fault in faults if "Content Security Policy" in fault]
    finally:
        context.close()


@pytest.mark.parametrize(
    "path", ["/", "/logbook", "/models/theme/try", "/tables/messages/quality", "/help", "/api/docs"]
)
def test_each_page_has_ecoindex_a_and_few_requests(browser: Browser, served: Served, path: str) -> None:
    assert_light(browser, served.address + path, 3)


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
    go(page, served, "person")
    assert "A person decides" in page.inner_text(".person")
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


def test_twice_the_text_size_still_fits(browser: Browser, served: Served) -> None:
    """200 % zoom of 1280 px is 640 px at twice the pixels (WCAG 1.4.4 and 1.4.10)."""
    context = browser.new_context(viewport={"width": 640, "height": 400}, device_scale_factor=2, locale="fr-FR")
    page = context.new_page()
    for place in ("home", "answer", "logbook", "run", "api"):
        go(page, served, place)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
    context.close()
