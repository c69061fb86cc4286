"""The RGAA 4.1.2 grid as data, and what follows from it: a statement that claims no more than what was proven.

A criterion counts as tested only when an automatic test of the project proves it; all others stay "not tested".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compagnon.i18n import _

GRID = Path(__file__).parent / "rgaa.tsv"
STATUSES = ("conform", "not", "na", "untested")


@dataclass(frozen=True)
class Criterion:
    """One of the 106; ``proof`` names the test, empty where there is none."""

    number: str
    theme: str
    text: str
    level: str
    status: str
    proof: str


@dataclass(frozen=True)
class Statement:
    """Counts by status; ``rate`` is of the criteria that apply and were tested, None where there are none."""

    total: int
    conform: int
    not_conform: int
    not_applicable: int
    untested: int

    @property
    def rate(self) -> float | None:
        tested = self.conform + self.not_conform
        return self.conform / tested if tested else None

    @property
    def complete(self) -> bool:
        """Whether every criterion was looked at: without it, no level of conformity can be claimed."""
        return self.untested == 0


def read(path: Path = GRID) -> list[Criterion]:
    """The grid; raises ValueError for a status that is none, or one without its proof."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    criteria = [Criterion(*line.split("\t")) for line in lines]
    for criterion in criteria:
        if criterion.status not in STATUSES or (criterion.status != "untested") != bool(criterion.proof):
            raise ValueError(f"criterion {criterion.number}: {criterion.status} with proof {criterion.proof!r}")
    return criteria


def state(criteria: Sequence[Criterion]) -> Statement:
    found = Counter(criterion.status for criterion in criteria)
    return Statement(len(criteria), found["conform"], found["not"], found["na"], found["untested"])


def status_word(status: str) -> str:
    return {
        "conform": _("conforms"),
        "not": _("does not conform"),
        "na": _("does not apply"),
        "untested": _("not tested"),
    }[status]


def proof_word(proof: str) -> str:
    """What a test of the project proves."""
    return {
        "captcha": _("No page holds a captcha: a test reads every template."),
        "frame": _("No page holds a frame: a test reads every template."),
        "media": _("No page holds sound, video or animation: a test reads every template and style sheet."),
        "shortcut": _("No page defines a keyboard shortcut: a test reads every template and script."),
        "doctype": _("A test reads the first line of every page."),
        "language": _("A test compares the language of every page with the one asked for."),
        "title": _("A test reads the title of every page."),
        "reflow": _("A browser test opens every page at 320 pixels and finds no sideways scrolling."),
        "site-map": _("A test follows every link of the site map."),
        "site-map-link": _("A test finds the same link to the site map at the foot of every page."),
        "skip": _("A test finds the link to the content first in every page."),
        "windows": _("No link and no script opens a window: a test reads every template and script."),
    }.get(proof, proof)
