"""The tutor in a browser: by keyboard, without scripts, cut off, stopped, a hostile model; light and accessible."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import GRADE_A, assert_no_violation, ecoindex, tab_to
from playwright.sync_api import Browser, Page
from serving import Served, running

from compagnon import Solution
from compagnon.sandbox.mistral import Emulator
from compagnon.sandbox.mistral_script import Messages, grounded
from compagnon.scaffold.template import copy
from compagnon.services.tutor.conversations import store
from compagnon.web.app import create_app

pytestmark = pytest.mark.browser

QUESTION = "c'est quoi le dropout ?"
OWNER = "person:local"
WATCH = """addEventListener("DOMContentLoaded", () => {
  window.said = [];
  const place = document.querySelector("[data-said]");
  if (place) new MutationObserver(() => window.said.push(place.textContent)).observe(place, {childList: true});
});"""
"""Notes what is told to screen readers."""
SCREENS = [(1440, "light", "fr-FR"), (320, "dark", "en-US"), (768, "light", "en-US")]


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(key="k-1") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def tutor(tmp_path_factory: pytest.TempPathFactory, service: Emulator) -> Iterator[Served]:
    """A tutor that asks the emulated service."""
    root = tmp_path_factory.mktemp("tutor") / "tutor"
    copy("tutor", root)
    file = root / "solution.yaml"
    more = f"\nproviders:\n  school: {{kind: mistral, url: {service.url}, remember: {{answers: false}}}}\n"
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MISTRAL_API_KEY", "k-1")
        solution = Solution(root)
        with running(create_app(solution)) as address:
            yield Served(solution, address, "")
        solution.close()


@pytest.fixture
def slow(service: Emulator) -> Iterator[Emulator]:
    service.delay = 0.3
    yield service
    service.delay = 0.0


def ask(page: Page, tutor: Served, question: str = QUESTION) -> None:
    page.goto(tutor.address + "/tutor")
    page.fill("#question", question)
    page.click(".send button")
    page.wait_for_url("**/tutor/*turn=*")


def whole(page: Page) -> None:
    page.wait_for_selector(".after", timeout=60_000)


@pytest.fixture(scope="module")
def asked(browser: Browser, tutor: Served) -> str:
    """The address of a conversation with an answer and a correction that waits."""
    page = browser.new_page(locale="en-US")
    ask(page, tutor)
    whole(page)
    page.click(".wrong summary")
    page.fill(".wrong textarea", "Il faut dire quand il est coupé.")
    page.click(".wrong button")
    page.wait_for_selector("[role=status].done")
    address = page.url.partition("?")[0]
    page.close()
    return address


def assert_light(browser: Browser, address: str) -> None:
    """EcoIndex A on a first visit."""
    page = browser.new_page()
    page.goto(address, wait_until="networkidle")
    index, what = ecoindex(page)
    page.close()
    assert index > GRADE_A, f"{address}: {what}"


def paths(asked: str, tutor: Served) -> list[str]:
    return [
        "/tutor",
        asked.removeprefix(tutor.address),
        "/knowledge",
        "/knowledge?q=dropout",
        "/knowledge?q=zzzz",
        "/knowledge/cnn",
        "/knowledge/cnn/convolution",
        "/knowledge/glossary?letter=C",
        "/corrections",
        "/corrections?state=decided",
        "/corrections/1?passage=training.regularization/glossary/1",
        "/asked",
        "/providers",
    ]


@pytest.mark.parametrize(("width", "scheme", "language"), SCREENS)
def test_no_violation_and_no_sideways_scrolling(
    browser: Browser, tutor: Served, asked: str, width: int, scheme: Any, language: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, locale=language)
    try:
        page = context.new_page()
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        for path in paths(asked, tutor):
            page.goto(tutor.address + path)
            for summary in page.locator("summary").all()[:4]:
                summary.click()
            assert_no_violation(page, path)
            assert page.evaluate("document.documentElement.lang") == language[:2]
        assert faults == []
    finally:
        context.close()


def test_each_page_has_ecoindex_a_and_few_requests(browser: Browser, tutor: Served, asked: str) -> None:
    for path in paths(asked, tutor):
        assert_light(browser, tutor.address + path)


def test_a_long_conversation_stays_light_and_whole(browser: Browser, tutor: Served, page: Page) -> None:
    ask(page, tutor)
    whole(page)
    engine, place = tutor.solution.engine, page.url.partition("?")[0]
    name = place.rpartition("/")[2]
    for number in range(5):
        page.fill("#question", f"c'est quoi le dropout, question {number} ?")
        page.click(".send button")
        page.wait_for_selector(f".asked:has-text('question {number} ')")
        whole(page)
    assert_light(browser, place)
    seen = []
    page.goto(place)
    while page.locator("a[rel=prev]").count():
        seen += page.locator("article.turn").evaluate_all("all => all.map(one => one.id)")
        page.click("a[rel=prev]")
        page.wait_for_load_state()
    seen += page.locator("article.turn").evaluate_all("all => all.map(one => one.id)")
    kept = store.list_turns(engine, OWNER, name)
    assert sorted(set(seen)) == sorted(f"turn-{turn.id}" for turn in kept)


def test_by_keyboard_alone_a_question_a_citation_and_a_rating(page: Page, tutor: Served) -> None:
    page.goto(tutor.address + "/")
    tab_to(page, "header nav a[href='/tutor']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tutor")
    assert page.locator(".ai-notice").is_visible()
    tab_to(page, "#question")
    page.keyboard.type(QUESTION)
    tab_to(page, ".send button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tutor/*turn=*")
    whole(page)
    tab_to(page, "sup a")
    page.keyboard.press("Enter")
    assert page.locator(".passages details[open] mark").first.is_visible(), "the passage opens beside the answer"
    page.reload()
    tab_to(page, "button[value=good]")
    page.keyboard.press("Enter")
    page.wait_for_selector("button[value=good][aria-pressed=true]")
    assert page.inner_text("[role=status].done")


def test_a_finished_answer_is_announced_once(page: Page, tutor: Served, slow: Emulator) -> None:
    slow.delay = 0.05
    page.add_init_script(WATCH)
    ask(page, tutor)
    assert page.get_attribute("article.turn", "aria-busy") == "true"
    whole(page)
    assert page.evaluate("window.said") == ["The answer is there, with its passages."]
    assert page.locator("[aria-live], [role=log]").count() == 0


def test_without_a_script_everything_works(browser: Browser, tutor: Served) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-US")
    page = context.new_page()
    ask(page, tutor)
    assert page.locator(".after").is_visible()
    page.click("sup a >> nth=0")
    assert page.locator("blockquote mark").first.is_visible()
    page.click("button[value=bad]")
    assert page.locator("button[value=bad][aria-pressed=true]").is_visible()
    page.click(".own summary")
    page.fill("#title", "Another title")
    page.click("form[action$=rename] button")
    assert page.inner_text("h1") == "Another title"
    page.click(".own summary")
    page.click("form[action$=delete] button")
    page.wait_for_url("**/tutor?noted=deleted")
    context.close()


def test_nothing_is_lost_when_the_stream_is_cut(page: Page, tutor: Served, slow: Emulator) -> None:
    slow.delay = 0.1
    cut: list[str] = []

    def refuse(route: Any) -> None:
        if len(cut) < 2:
            cut.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/events*", refuse)
    ask(page, tutor)
    page.wait_for_selector("[data-cut]:not([hidden])")
    whole(page)
    assert len(cut) == 2
    assert page.locator("sup a").count() > 0


def test_nothing_is_lost_by_reload_and_by_leaving(page: Page, tutor: Served, slow: Emulator) -> None:
    ask(page, tutor)
    page.reload()
    assert page.inner_text(".asked").endswith(QUESTION)
    place = page.url
    page.goto("about:blank")
    slow.delay = 0.0
    page.goto(place)
    whole(page)
    assert page.locator("article.turn").count() == 1
    page.fill("#question", "une question que je n'ai pas envoyée")
    page.reload()
    assert page.input_value("#question") == "une question que je n'ai pas envoyée"


def test_stopped_and_asked_again(page: Page, tutor: Served, slow: Emulator) -> None:
    slow.delay = 1.0
    ask(page, tutor)
    page.click("form[action$=stop] button")
    page.wait_for_selector("form[action$=retry]")
    assert re.search("Stopped before the end|There is no answer", page.inner_text("article.turn"))
    slow.delay = 0.0
    page.click("form[action$=retry] button")
    page.wait_for_selector("button[value=good]", timeout=60_000)
    assert "Stopped" not in page.inner_text("article.turn")


HOSTILE = "<img src=x onerror='window.hit=1'><script>window.hit=1</script><b>gras</b> [x](javascript:window.hit=1)"


def test_nothing_in_an_answer_is_executed(
    page: Page, tutor: Served, service: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hostile(messages: Messages) -> str:
        return "\n".join(f"{line} {HOSTILE}" for line in grounded(messages).splitlines()) + f"\n{HOSTILE}\n"

    before, service.script, service.delay = service.script, hostile, 0.02
    # As if every check let it through: the page itself must hold.
    monkeypatch.setattr("compagnon.services.tutor.answer.check.carries", lambda text, known: False)
    monkeypatch.setattr("compagnon.services.tutor.answer.check.visible", lambda text: text)
    try:
        ask(page, tutor, HOSTILE + " dropout")
        whole(page)
        page.reload()
        assert page.evaluate("window.hit") is None
        assert (
            page.locator("main img, main script:not([src]), main b:has-text('gras'), main a[href^=javascript]").count()
            == 0
        )
        assert "<img src=x" in page.inner_text(".asked")
    finally:
        service.script, service.delay = before, 0.0
