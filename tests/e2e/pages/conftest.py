"""Chromium, and one server whose pages are looked at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pictures import ARGUMENTS, CHROMIUM
from playwright.sync_api import Browser, Page, sync_playwright
from serving import Served, key_of, running, trained

from compagnon import Solution
from compagnon.web.app import create_app

__all__ = ["trained"]


PATIENCE = 120_000
"""Milliseconds for a page to come: 30 s of Playwright's are not always enough while other tests take the machine."""


def patient(make: Callable[..., Any]) -> Callable[..., Any]:
    def made(**options: Any) -> Any:
        place = make(**options)
        place.set_default_timeout(PATIENCE)
        return place

    return made


@pytest.fixture(scope="session")
def served(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("pages") / "small"
    shutil.copytree(trained, root)
    solution = Solution(root)
    solution.note("Une première note.", by="test")
    with running(create_app(solution)) as address:
        yield Served(solution, address, key_of(solution))
    solution.close()


# Of the module: while Playwright is open its event loop runs in this thread, and other tests want one of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        browser.new_context = patient(browser.new_context)
        browser.new_page = patient(browser.new_page)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    yield page
    context.close()
