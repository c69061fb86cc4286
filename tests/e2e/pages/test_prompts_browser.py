"""The playground of prompts in a browser: in every state without a violation, by keyboard, on a small screen."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from browsing import GRADE_A, assert_no_violation, ecoindex
from criteria import cut_when_spaced, faults
from playwright.sync_api import Browser, Page
from prompting import prompting
from serving import Served, running

from compagnon.services.tutor.prompts.job import ask, work_once
from compagnon.services.tutor.prompts.variant import read_variant
from compagnon.web.app import create_app

pytestmark = pytest.mark.browser

QUESTION = "C'est quoi une convolution sur une image ?"


@pytest.fixture(scope="module")
def tutor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A tutor whose prompt in use and two others were played."""
    with prompting(tmp_path_factory.mktemp("prompts")) as (solution, _service):
        for name in ("prompts/answer.md", "prompts/bad.md", "prompts/b.md"):
            ask(solution, read_variant(solution, name), "school", "zoe")
        with ThreadPoolExecutor(1) as thread:  # the event loop of Playwright runs in this one
            for _number in range(3):
                thread.submit(work_once, solution).result()
        with running(create_app(solution)) as address:
            yield Served(solution, address, "")


@pytest.fixture
def opened(browser: Browser, tutor: Served) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="fr-FR")
    page = context.new_page()
    page.goto(f"{tutor.address}/prompts")
    yield page
    context.close()


def looked_at(page: Page, state: str) -> None:
    """Wide and light, then 320 pixels and dark, then with more space between letters."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")
    for summary in page.locator("main summary").all():
        summary.click()
    assert not faults(page)
    assert_no_violation(page, state)
    index, what = ecoindex(page)
    assert index > GRADE_A, what
    page.set_viewport_size({"width": 320, "height": 800})
    page.emulate_media(color_scheme="dark")
    assert_no_violation(page, state)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not cut_when_spaced(page)


def text_of(page: Page, name: str) -> str:
    page.locator(f".entries li:has-text('{name}') a").click()
    return page.locator("#text").input_value()


def test_scores_and_versions(opened: Page) -> None:
    assert "Aucune consigne n'a encore été notée" not in opened.inner_text("main")
    assert "aucune mesure de qualité ne diffère" in opened.inner_text("main")
    looked_at(opened, "scores")


def test_two_answers(opened: Page) -> None:
    assert "Inventez" in text_of(opened, "prompts/bad.md")
    opened.fill("#question", QUESTION)
    opened.get_by_role("button", name="Répondre avec les deux").click()
    opened.wait_for_selector("#answers")
    assert opened.locator(".columns section").count() == 2
    looked_at(opened, "answers")


def test_a_worse_prompt_is_refused_and_what_was_written_stays(opened: Page) -> None:
    text = text_of(opened, "prompts/bad.md")
    opened.get_by_role("button", name="Voir si elle peut servir").click()
    opened.wait_for_selector(".error")
    assert "fait moins bien" in opened.inner_text(".error")
    assert opened.locator("#text").input_value() == text
    looked_at(opened, "refused")


def test_the_difference_is_shown_before_anything_is_written(opened: Page, tutor: Served) -> None:
    file = tutor.solution.root / "prompts" / "answer.md"
    before = file.read_text(encoding="utf-8")
    text_of(opened, "prompts/b.md")
    # By the keyboard alone.
    opened.get_by_role("button", name="Voir si elle peut servir").focus()
    opened.keyboard.press("Enter")
    opened.wait_for_selector("main pre")
    assert "+6. Restez bref." in opened.inner_text("main pre")
    assert file.read_text(encoding="utf-8") == before
    looked_at(opened, "difference")
