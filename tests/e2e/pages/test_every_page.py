"""Every page in every state: no violation that axe finds, what a browser can prove of RGAA, light, nothing cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import GRADE_A, assert_no_violation, ecoindex
from criteria import cut_when_spaced, faults
from playwright.sync_api import Browser
from serving import SMALL
from walking import PLACES, Place, Walk, walk

from compagnon.web.rights import NEEDED

pytestmark = pytest.mark.browser

HEAVY = {"quarantine": 70, "quarantine-error": 70}
"""Pages of grade B (over 70): docs/explanation/pages.md says why."""


@pytest.fixture(scope="module")
def walked(browser: Browser, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with walk(browser, trained, SMALL, tmp_path_factory.mktemp("walked")) as walked:
        yield walked


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_every_page(walked: Walk, place: Place) -> None:
    """In French, light and wide; then dark and 320 pixels wide; then with more space between letters and lines."""
    page = walked.page(place.house, place.who)
    refused: list[str] = []
    statuses: list[int] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    page.on("response", lambda answer: statuses.append(answer.status))
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")
    walked.open(place)
    assert place.status in statuses
    assert page.evaluate("document.documentElement.lang") == "fr"
    # Pages that say nothing of the solution have no menu either.
    assert not faults(page, ("9.2", "12.6") if place.status in (404, 421) else ())
    assert_no_violation(page, place.name)
    index, what = ecoindex(page)
    assert index > HEAVY.get(place.name, GRADE_A), what
    page.set_viewport_size({"width": 320, "height": 800})
    page.emulate_media(color_scheme="dark")
    assert_no_violation(page, place.name)
    assert not cut_when_spaced(page)
    assert not refused


def test_every_page_in_english_on_a_tablet_and_at_twice_the_size(walked: Walk) -> None:
    """640 pixels are those of a window of 1280 at 200 % (WCAG 1.4.4 and 1.4.10)."""
    for place in PLACES:
        if place.act is None:
            page = walked.page(place.house, place.who)
            page.set_viewport_size({"width": 768, "height": 900})
            walked.open(place, "en")
            assert page.evaluate("document.documentElement.lang") == "en", place.name
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place.name
            page.set_viewport_size({"width": 640, "height": 400})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place.name


CONTROLS = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea,"
  + " summary, [tabindex='0']")].filter((e) => e.checkVisibility() && !e.disabled).length"""
STOP = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  if (e === document.body) return null;
  e.dataset.stop ??= String(window.stops = (window.stops ?? 0) + 1);
  return [Number(e.dataset.stop), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
}"""


@pytest.mark.parametrize(
    "name",
    [
        "home-new",
        "table",
        "row",
        "model",
        "answer",
        "runs",
        "job-queued",
        "logbook",
        "help",
        "account",
        "keys",
        "handovers",
        "handover-waiting",
        "own-taken",
        "faq",
    ],
)
def test_tab_reaches_every_control_once_in_the_order_of_the_code(walked: Walk, name: str) -> None:
    page = walked.open(next(place for place in PLACES if place.name == name))
    page.goto(page.url.partition("#")[0]) if name != "answer" else None
    count = page.evaluate(CONTROLS)
    stops = []
    for _ in range(count):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(STOP))
    reached = [stop[0] for stop in stops if stop]
    assert all(seen for _number, seen in filter(None, stops)), "the focus is not visible"
    assert len(reached) >= count - 1 or name == "answer", f"{len(reached)} of {count} controls"
    assert reached == sorted(reached), "one goes back: the order is not that of the page"
    assert len(set(reached)) == len(reached), "the focus is held"


def test_every_route_of_a_page_is_walked() -> None:
    """A page that nobody walks is a page whose faults nobody sees."""
    files = {"logbook.file", "quality.file", "model-card.file", "model-chart", "table.export", "job.events"}
    # The tutor's own tests walk its pages, on a solution that has one; queries are those of a file this one has not.
    elsewhere = {"tutor", "conversation", "knowledge", "corrections", "correction", "asked", "chat-script"}
    # A proposal has an address that comes of its question: it is walked from the list.
    elsewhere |= {"query", "predict", "sign-out", "proposal", "talk-script"}
    elsewhere |= {"prompts"}  # test_prompts_browser.py
    machines = {"completions", "models", "model", "openapi", "metrics", "live", "ready", "style", "script"}
    opened = {name for name in NEEDED if "." not in name} - machines - files
    addresses = {
        "home": "/", "try": "/models/theme/try", "api-docs": "/api/docs", "source": "/sources/shop",
        "table": "/tables/messages", "quality": "/tables/messages/quality", "quarantine": "/quarantine/messages",
        "model-page": "/models/theme", "model-card": "/models/theme/card", "run": "run", "job": "job-running",
        "guide": "/help/serve", "link": "invitation", "accounts": "/admin/accounts", "settings": "/admin/settings",
        "audit": "/admin/audit", "handovers": "/tutor/handovers", "handover": "desk-mine", "faq": "/tutor/faq",
    }  # fmt: skip
    walked = {place.path.partition("?")[0] for place in PLACES}
    missing = {name for name in opened if addresses.get(name, f"/{name}") not in walked and name not in walked}
    assert missing <= elsewhere, missing
