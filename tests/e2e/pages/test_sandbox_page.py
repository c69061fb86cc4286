"""The page of the practice sources in a browser: both languages, both themes, narrow and wide, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from compagnon.sandbox.practice import Sandbox

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox"), rows=[], database=False) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("fr", 320, "light"), ("en", 768, "dark"), ("fr", 1440, "dark")]
)
def test_the_page_is_accessible(
    browser: Browser, sandbox: Sandbox, language: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{sandbox.address}/?lang={language}")
    found = Axe().run(page)
    assert found.response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate("document.querySelectorAll('*').length") < 380
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('hreflang')") == "fr"
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
    assert said == []
    context.close()
