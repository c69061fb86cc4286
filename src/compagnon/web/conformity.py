"""The RGAA 4.1.2 grid as data, and what follows from it: a statement that claims no more than what was proven.

A criterion counts as tested when an automatic test of the project proves it, or when its makers read every template
for it on the day said; all others, such as those that need a person with a screen reader, stay "not tested".
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
    """One of the 106; ``proof`` names what was done, in one word or several, empty where nothing was."""

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


def group_title(status: str) -> str:
    """The title of the criteria of one status."""
    return {
        "not": _("Criteria that these pages do not meet"),
        "conform": _("Criteria that these pages meet"),
        "na": _("Criteria that do not apply"),
    }[status]


def proof_word(proof: str) -> str:
    """What a test of the project proves, or what was read and when."""
    return " ".join(_words_of(name) for name in proof.split())


def _words_of(proof: str) -> str:
    return {
        "walk": _(
            "A browser test asks it of every page in every state, and runs axe on it in light, dark and at 320 pixels."
        ),
        "read": _(
            "Read by the makers in every template, and looked at in Chromium, on 2026-11-21; without a screen reader."
        ),
        "contrast": _(
            "Tests compute the contrast of the colors of the style sheet, and axe that of every page, light and dark."
        ),
        "zoom": _("A browser test opens every page at 640 pixels, which is 200 % of a window of 1280."),
        "spaced": _(
            "A browser test gives the text of every page more space: nothing is cut, nothing scrolls sideways."
        ),
        "order": _(
            "No style changes the order of the code and no page sets an order of tabulation: a test reads them."
        ),
        "keyboard": _(
            "A browser test presses Tab through whole pages: each control is reached once, in order, and seen."
        ),
        "one-frame": _("All pages have one frame, with the same menu: a test reads every template."),
        "documents": _("Every document is there as a web page too, with the same content; axe finds nothing in it."),
        "orientation": _("Nothing depends on the orientation of the screen: a test reads the style sheet and scripts."),
        "plain-tables": _("No table is complex or made for layout: a browser test looks at each."),
        "hover": _(
            "Nothing appears on hover, and no help text in bubbles: a test reads the style sheet and templates."
        ),
        "direction": _("French and English are written from left to right."),
        "gestures": _("No script listens to gestures, pointers or movements: a test reads them all."),
        "revoke": _("A key is revoked at once: one is not asked to confirm, and it cannot be undone."),
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
