"""Fixtures over ``kitchen.Kitchen``, which runs ``prepare`` on given rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kitchen import Kitchen


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    made = Kitchen(tmp_path)
    made.workspace.prepare()
    return made


@pytest.fixture
def new_kitchen(tmp_path: Path) -> Callable[[str], Kitchen]:
    def make(name: str) -> Kitchen:
        made = Kitchen(tmp_path / name)
        made.workspace.prepare()
        return made

    return make
