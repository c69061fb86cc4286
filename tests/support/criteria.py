"""What a browser can prove of RGAA 4.1.2 on a page (``criteria.js``), and of text with more space (``cut.js``)."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from playwright.sync_api import Page

_CHECKS, _CUT = ((Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("criteria.js", "cut.js"))
CHECKED = frozenset(re.findall(r'^    "(\d+\.\d+)": ', _CHECKS, re.MULTILINE))
"""Criteria that a function of ``criteria.js`` looks at on every page."""
# Line height, letters and words as WCAG 1.4.12 spaces them; a sheet of the browser, which our content policy allows.
_SPACE = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important; }
    * { word-spacing: .16em !important; }
    p { margin-bottom: 2em !important; }`);
  document.adoptedStyleSheets = [sheet];
}"""


def faults(page: Page, but: Collection[str] = ()) -> dict[str, list[str]]:
    """What is wrong on the page by criterion; nothing is asked for those in ``but``."""
    found: dict[str, list[str]] = page.evaluate(_CHECKS, list(but))
    return found


def cut_when_spaced(page: Page) -> list[str]:
    """What is cut or makes the page scroll sideways once its text has more space."""
    page.evaluate(_SPACE)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    cut: list[str] = page.evaluate(_CUT)
    return [*cut, *(["wider than the screen"] if wide else [])]
