"""Pages of data, models, runs and the site: by keyboard, without scripts, followed live."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import assert_no_violation, tab_to
from playwright.sync_api import Browser, Page
from serving import Served, key_of, running

from compagnon import Solution
from compagnon.web.app import create_app

pytestmark = pytest.mark.browser


@pytest.fixture
def own(trained: Path, tmp_path: Path) -> Iterator[Served]:
    """A server of its own, for tests that change something."""
    shutil.copytree(trained, tmp_path / "small")
    solution = Solution(tmp_path / "small")
    with running(create_app(solution)) as address:
        yield Served(solution, address, key_of(solution))
    solution.close()


def test_by_keyboard_alone_a_row_is_put_back(page: Page, own: Served) -> None:
    page.goto(own.address + "/tables/messages")
    tab_to(page, "a[href='/quarantine/messages']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/quarantine/messages")
    tab_to(page, ".entries summary")
    page.keyboard.press("Enter")
    tab_to(page, "#because-1")
    page.keyboard.type("   ")
    page.keyboard.press("Enter")
    page.wait_for_selector("#because-error")
    assert page.evaluate("document.activeElement.id") == "because-1", "the focus is where the error is"
    assert page.title().startswith("Error:")
    page.keyboard.press("Control+A")
    page.keyboard.type("A good row after all.")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]")
    (entry,) = own.solution.ledger.corrections("messages")
    assert (entry.kind, entry.because, entry.author) == ("restore", "A good row after all.", "person:local")
    assert entry.row_id in page.inner_text("[role=status]")


def test_by_keyboard_alone_a_cell_is_corrected(page: Page, own: Served) -> None:
    page.goto(own.address + "/quarantine/messages")
    tab_to(page, ".entries a[href*='/row?id=']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/row?id=*")
    tab_to(page, "#column")
    page.keyboard.type("text")
    tab_to(page, "#value")
    page.keyboard.type("Où est mon colis ?")
    tab_to(page, "#because")
    page.keyboard.type("   ")
    page.keyboard.press("Enter")
    page.wait_for_selector("#because-error")
    assert page.evaluate("document.activeElement.id") == "because", "the focus is where the error is"
    assert page.title().startswith("Error:")
    assert page.input_value("#value") == "Où est mon colis ?"
    assert_no_violation(page)
    page.keyboard.press("Control+A")
    page.keyboard.type("Read again.")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]")
    (entry,) = own.solution.ledger.corrections("messages")
    assert (entry.kind, entry.column, entry.value) == ("correct", "text", "Où est mon colis ?")
    own.solution.run()
    page.goto(own.address + "/quarantine/messages")
    assert entry.row_id not in page.inner_text("main")


def test_by_keyboard_alone_a_run_is_started_and_followed_to_its_end(page: Page, own: Served) -> None:
    page.goto(own.address + "/")
    tab_to(page, "header nav a[href='/runs']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs")
    tab_to(page, "#refresh")
    page.keyboard.type("Prepare")
    tab_to(page, ".note-form button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/*")
    assert page.inner_text("[data-live=word]") == "waiting"
    page.reload()
    worker = threading.Thread(target=own.solution.work_once)
    worker.start()
    # The page was not asked for again: the words come by the stream.
    page.wait_for_selector(".state.done", timeout=60_000)
    assert page.inner_text("[role=status]") == "The run is done."
    assert page.locator("main a.button[href='/runs']").is_visible()
    assert not page.locator("form[action$=cancel]").is_visible()
    worker.join()


def test_following_goes_on_when_the_server_starts_again(
    browser: Browser, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Streams end soon, so that a server that stops does not wait for them.
    monkeypatch.setattr("compagnon.web.runs.STREAM_SECONDS", 1.0)
    shutil.copytree(trained, tmp_path / "small")
    solution = Solution(tmp_path / "small")
    job = solution.jobs.add("run", {"to": "collect/shop", "refresh": []}, "test", solution.clock.now())
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    with running(create_app(solution)) as address:
        page.goto(f"{address}/jobs/{job.id}")
        assert page.inner_text("[data-live=word]") == "waiting"
        page.evaluate("window.same = true")
    # The server is away while the run ends.
    solution.work_once()
    with running(create_app(solution), port=int(address.rpartition(":")[2])):
        page.wait_for_selector(".state.done", timeout=60_000)
        assert page.inner_text("[role=status]") == "The run is done."
        assert page.evaluate("window.same"), "the page was not loaded again"
    context.close()
    solution.close()


def test_a_failed_run_says_why_and_is_resumed_once(page: Page, own: Served) -> None:
    data = next((own.solution.root / "data").glob("*.csv"))
    kept = data.read_bytes()
    data.unlink()
    page.goto(own.address + "/runs")
    page.select_option("#refresh", "collect")
    page.click(".note-form button")
    page.wait_for_url("**/jobs/*")
    own.solution.work_once()
    page.wait_for_selector(".state.failed", timeout=60_000)
    assert page.locator(".panel.alert p").inner_text(), "the reason comes with the state"
    assert_no_violation(page)
    data.write_bytes(kept)
    place = page.url
    tab_to(page, "form[action$=resume] button")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != place)
    resumed = page.url
    assert page.inner_text("[data-live=word]") == "waiting"
    # Back, and once more: there is one job for it.
    page.go_back()
    page.reload()
    page.click("form[action$=resume] button")
    page.wait_for_url(resumed)
    own.solution.work_once()
    page.wait_for_selector(".state.done", timeout=60_000)
    job = own.solution.jobs.latest(1)[0]
    assert f"{own.address}/jobs/{job.id}" == resumed
    assert job.payload == {"to": None, "refresh": ["collect"]}


# The page is asked for last, so that it is closed before its server, which would wait for what the page follows.
def test_a_double_click_on_start_makes_one_job(own: Served, page: Page) -> None:
    before = len(own.solution.jobs.latest(50))
    page.goto(own.address + "/runs")
    page.dblclick(".note-form button")
    page.wait_for_url("**/jobs/*")
    assert len(own.solution.jobs.latest(50)) == before + 1
    # In another tab, while it is being done: the same job.
    job = own.solution.jobs.claim("a worker", own.solution.clock.now())
    assert job is not None
    other = page.context.new_page()
    other.goto(own.address + "/runs")
    other.click(".note-form button")
    other.wait_for_url(f"**/jobs/{job.id}")
    assert len(own.solution.jobs.latest(50)) == before + 1


def test_without_scripts_a_run_is_started_looked_at_and_stopped(browser: Browser, own: Served) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-US")
    page = context.new_page()
    page.goto(own.address + "/runs")
    page.click(".note-form button")
    page.wait_for_url("**/jobs/*")
    place = page.url
    page.click("main a[href^='/jobs/']")
    assert page.url == place
    page.click("form[action$=cancel] button")
    assert page.inner_text("[data-live=word]") == "stopped"
    # Pictures, tables and the search need none either.
    page.goto(own.address + "/help")
    page.fill("#q", "quarantine")
    page.click("form.search button")
    assert page.locator("main .map a >> nth=0").get_attribute("href") == "/help/restore-from-quarantine"
    context.close()


def test_every_link_of_the_site_map_leads_somewhere(page: Page, served: Served) -> None:
    page.goto(served.address + "/site-map")
    links = [link.get_attribute("href") for link in page.locator("main .map a").all()]
    assert len(links) > 20
    for link in links:
        answer = page.request.get(f"{served.address}{link}")
        assert answer.status == 200, link


INK = """async () => {
  const picture = document.querySelector(".chart img");
  picture.loading = "eager";
  await picture.decode();
  const canvas = new OffscreenCanvas(300, 300), pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0, 300, 300);
  const dots = pen.getImageData(0, 0, 300, 300).data;
  let sum = 0, count = 0;
  for (let i = 0; i < dots.length; i += 4)
    if (dots[i + 3] > 200) { sum += dots[i] + dots[i + 1] + dots[i + 2]; count += 3; }
  return [sum / count, getComputedStyle(picture).backgroundColor, picture.currentSrc];
}"""


@pytest.mark.parametrize(
    ("scheme", "media", "is_dark"), [("light", "screen", False), ("dark", "screen", True), ("dark", "print", False)]
)
def test_charts_follow_the_theme_and_print_in_dark_ink(
    browser: Browser, served: Served, scheme: Any, media: Any, is_dark: bool
) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.emulate_media(media=media, color_scheme=scheme)
    page.goto(served.address + "/models/theme", wait_until="networkidle")
    ink, ground, source = page.evaluate(INK)
    assert source.endswith("?on=dark") is is_dark
    assert (ink > 150) is is_dark, "the mean of what is drawn opaque: its words and lines"
    assert ground == ("rgb(27, 34, 35)" if is_dark else "rgb(255, 255, 255)")
    context.close()
