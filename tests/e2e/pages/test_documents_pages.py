"""Documents to take away, opened from the disk in Chromium: no accessibility violation, nothing too wide."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from browsing import assert_no_violation
from playwright.sync_api import Browser

from compagnon import Solution
from compagnon.evidence.documents import document_of
from compagnon.render.document_file import write

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three documents in both languages, as files."""
    root = tmp_path_factory.mktemp("documents")
    solution = Solution(Path(shutil.copytree(trained, root / "small")))
    solution.note("Une note.", by="test")
    solution.ledger.add_correction(solution.clock.now(), "test", "messages", "shop:1", "restore", because="vu")
    asked: list[Any] = [("quality", "messages"), ("card", "theme"), ("logbook", None)]
    for kind, name in asked:
        for language in ("fr", "en"):
            document = document_of(
                kind,
                name,
                language,
                spec=solution.spec,
                ledger=solution.ledger,
                artifacts=solution.artifacts,
            )
            (root / f"{kind}.{language}.html").write_bytes(write(document, "html"))
    solution.close()
    return root


@pytest.mark.parametrize(("width", "scheme", "language"), [(1440, "light", "fr"), (320, "dark", "en")])
@pytest.mark.parametrize("kind", ["quality", "card", "logbook"])
def test_documents_have_no_violation(
    browser: Browser, folder: Path, kind: str, width: int, scheme: Any, language: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    try:
        page = context.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto((folder / f"{kind}.{language}.html").as_uri())
        assert_no_violation(page)
        assert page.evaluate("document.documentElement.lang") == {"fr": "fr-FR", "en": "en-US"}[language]
        assert len(requests) == 1, "a document needs nothing else"
    finally:
        context.close()
