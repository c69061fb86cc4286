"""What every test of a page in Chromium asks: accessible, not too wide, light, usable by keyboard."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Quantiles of the EcoIndex (GreenIT.fr): elements of the page, requests, kilobytes.
_ELEMENTS = [0, 47, 75, 159, 233, 298, 358, 417, 476, 537, 603, 674, 753, 843, 949, 1076, 1237, 1459, 1801, 2479,
             594601]  # fmt: skip
_REQUESTS = [0, 2, 15, 25, 34, 42, 49, 56, 63, 70, 78, 86, 95, 105, 117, 130, 147, 170, 205, 281, 3920]
_KILOBYTES = [0, 1.37, 144.7, 319.53, 479.46, 631.97, 783.38, 937.91, 1098.62, 1265.47, 1448.32, 1648.27, 1876.08,
              2142.06, 2465.37, 2866.31, 3401.59, 4155.73, 5400.08, 8037.54, 223212.26]  # fmt: skip
GRADE_A = 80
MOST_REQUESTS, MOST_BYTES = 6, 150_000
# What a browser took from its own memory counts as if it had been asked for; a stream of events is no part of the page.
WEIGHT = """async () => {
  for (const image of document.images) { image.loading = "eager"; await image.decode(); }
  const parts = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const loaded = parts.filter((p) => p.name.startsWith("http") && !p.name.endsWith("/events"));
  return [document.querySelectorAll("*").length, loaded.map((p) => p.decodedBodySize + 300)];
}"""


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


def ecoindex(page: Page) -> tuple[float, str]:
    """The EcoIndex of the page as it stands, as on a first visit, and what it comes from.

    Raises AssertionError beyond 6 requests or 150 kB.
    """
    elements, sizes = page.evaluate(WEIGHT)
    ranks = _rank(_ELEMENTS, elements), _rank(_REQUESTS, len(sizes)), _rank(_KILOBYTES, sum(sizes) / 1000)
    index = 100 - 5 * (3 * ranks[0] + 2 * ranks[1] + ranks[2]) / 6
    what = f"EcoIndex {index:.1f}: {elements} elements, {len(sizes)} requests, {sum(sizes)} bytes"
    assert len(sizes) <= MOST_REQUESTS, what
    assert 0 < sum(sizes) < MOST_BYTES, what
    return index, what


def _rank(quantiles: list[float], value: float) -> float:
    place = next(i for i in range(1, len(quantiles)) if value < quantiles[i])
    return place - 1 + (value - quantiles[place - 1]) / (quantiles[place] - quantiles[place - 1])
