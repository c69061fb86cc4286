"""The knowledge base that ships with the tutor, read and indexed once, by words alone, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

import compagnon
from compagnon.services.tutor.answer.prompt import Prompt, read_prompt
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.search.index import Index

TEMPLATES = Path(compagnon.__file__).parent / "templates"


@pytest.fixture(scope="session")
def base() -> Base:
    return load(TEMPLATES / "tutor" / "knowledge")


@pytest.fixture(scope="session")
def index(base: Base) -> Index:
    return Index(base, other=Index)


@pytest.fixture(scope="session")
def faq() -> Index:
    """That of the support desk."""
    return Index(load(TEMPLATES / "support" / "knowledge"))


@pytest.fixture(scope="session")
def prompt() -> Prompt:
    return read_prompt(TEMPLATES / "tutor" / "prompts" / "answer.md", "prompts/answer.md")
