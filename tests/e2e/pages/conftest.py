"""Chromium, and one server whose pages are looked at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pictures import ARGUMENTS, CHROMIUM
from playwright.sync_api import Browser, Page, sync_playwright
from serving import Served, key_of, running, trained

from compagnon import Solution
from compagnon.web.app import create_app

__all__ = ["trained"]


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
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    yield page
    context.close()
