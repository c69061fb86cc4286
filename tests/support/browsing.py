"""What every test of a page in Chromium asks: accessible, not too wide, light, usable by keyboard."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

# Quantiles of the EcoIndex (GreenIT.fr): elements of the page, requests, kilobytes.
_ELEMENTS = [0, 47, 75, 159, 233, 298, 358, 417, 476, 537, 603, 674, 753, 843, 949, 1076, 1237, 1459, 1801, 2479,
             594601]  # fmt: skip
_REQUESTS = [0, 2, 15, 25, 34, 42, 49, 56, 63, 70, 78, 86, 95, 105, 117, 130, 147, 170, 205, 281, 3920]
_KILOBYTES = [0, 1.37, 144.7, 319.53, 479.46, 631.97, 783.38, 937.91, 1098.62, 1265.47, 1448.32, 1648.27, 1876.08,
              2142.06, 2465.37, 2866.31, 3401.59, 4155.73, 5400.08, 8037.54, 223212.26]  # fmt: skip
GRADE_A = 80


def assert_no_violation(page: Page, where: str = "") -> None:
    """No violation that axe finds, and nothing wider than the screen."""
    results = Axe().run(page)
    assert results.violations_count == 0, f"{where}: {results.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where


def tab_to(page: Page, selector: str) -> None:
    """Reach ``selector`` by the tabulation key alone; the focus is seen there."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            seen = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert seen != "none", "the focus is not visible"
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def assert_light(browser: Browser, address: str, most_requests: int = 6) -> None:
    """EcoIndex A, few requests and at most 150 kB on a first visit."""
    context = browser.new_context()
    page = context.new_page()
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(len(answer.body())) if answer.url.startswith("http") else None)
    page.goto(address, wait_until="networkidle")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    elements = page.evaluate("document.querySelectorAll('*').length")
    context.close()
    ranks = _rank(_ELEMENTS, elements), _rank(_REQUESTS, len(sizes)), _rank(_KILOBYTES, sum(sizes) / 1000)
    index = 100 - 5 * (3 * ranks[0] + 2 * ranks[1] + ranks[2]) / 6
    assert len(sizes) <= most_requests
    assert sum(sizes) < 150_000
    assert index > GRADE_A, f"EcoIndex {index:.0f}: {elements} elements, {len(sizes)} requests, {sum(sizes)} bytes"


def _rank(quantiles: list[float], value: float) -> float:
    place = next(i for i in range(1, len(quantiles)) if value < quantiles[i])
    return place - 1 + (value - quantiles[place - 1]) / (quantiles[place] - quantiles[place - 1])
