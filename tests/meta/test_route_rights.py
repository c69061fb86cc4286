"""Every route of the application has a line in the table of rights, and every line has its meaning."""

from __future__ import annotations

from pathlib import Path

from compagnon import Solution
from compagnon.access.role import RIGHTS
from compagnon.web.app import routes_of
from compagnon.web.rights import KEY, LOCAL_OR_KEY, NEEDED, PUBLIC


def test_every_route_has_a_line_and_names_are_unique(small_solution: Path) -> None:
    solution = Solution(small_solution)
    names = [route.name for route in routes_of(solution)]
    solution.close()
    assert len(names) > 15
    assert sorted(names) == sorted(set(names))
    assert not set(names) - set(NEEDED), "routes without a line in web/rights.py"


def test_every_line_names_a_right_that_exists() -> None:
    assert set(NEEDED.values()) <= {*RIGHTS, PUBLIC, KEY, LOCAL_OR_KEY}
