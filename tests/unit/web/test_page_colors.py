"""Contrast of the colors of the style sheet, in light and dark, as docs/explanation/pages.md states them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compagnon.render.chart import DARK, DENSEST
from compagnon.web.view import STATIC

STYLE = (STATIC / "app.css").read_text(encoding="utf-8")
PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "pages.md"
TEXT, LARGE = 4.5, 3.0
PAIRS = [
    ("ink", "paper", 7.0),
    ("ink", "card", 7.0),
    ("ink", "tint", 7.0),
    ("soft", "paper", TEXT),
    ("soft", "card", TEXT),
    ("accent", "paper", TEXT),
    ("accent", "card", TEXT),
    ("accent", "tint", TEXT),
    ("accent-ink", "accent", TEXT),
    ("good", "paper", TEXT),
    ("warn", "paper", TEXT),
    ("bad", "paper", TEXT),
    ("busy", "paper", TEXT),
    ("ink", "bad-tint", 7.0),
    ("ink", "warn-tint", 7.0),
    ("control", "card", LARGE),
    ("control", "paper", LARGE),
]


def colors() -> dict[str, dict[str, str]]:
    """The custom properties by scheme."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[:2]
    return {
        scheme: {name: _six(value) for name, value in re.findall(r"--([\w-]+): #([0-9a-f]{3,6})", block)}
        for scheme, block in zip(("light", "dark"), blocks, strict=True)
    }


def contrast(first: str, second: str) -> float:
    """Contrast of two colors (WCAG 2.2, relative luminance)."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _six(value: str) -> str:
    return value if len(value) == 6 else "".join(sign * 2 for sign in value)


def _luminance(value: str) -> float:
    parts = [int(value[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def table() -> list[str]:
    """The lines of the documentation."""
    found = colors()
    return [
        f"| `{front}` / `{back}` | {contrast(found['light'][front], found['light'][back]):.1f} "
        f"| {contrast(found['dark'][front], found['dark'][back]):.1f} | {least:g} |"
        for front, back, least in PAIRS
    ]


def test_contrast_of_known_colors() -> None:
    assert contrast("000000", "ffffff") == pytest.approx(21.0)
    assert contrast("777777", "ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_each_pair_is_legible(scheme: str, front: str, back: str, least: float) -> None:
    found = colors()[scheme]
    assert contrast(found[front], found[back]) >= least


def test_the_documentation_states_the_figures_of_the_style_sheet() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert not [line for line in table() if line not in text]


@pytest.mark.parametrize(("color", "least"), [("ink", 7.0), ("main", LARGE), ("faint", LARGE)])
def test_charts_are_legible_on_the_card_in_the_dark(color: str, least: float) -> None:
    assert contrast(DARK[color][1:], colors()["dark"]["card"]) >= least


def test_numbers_in_the_darkest_cell_of_a_matrix_are_legible() -> None:
    for scheme, ink, main in (("dark", DARK["ink"][1:], DARK["main"][1:]), ("light", "000000", "2f6fb5")):
        card = colors()[scheme]["card"]
        parts = [(int(main[i : i + 2], 16), int(card[i : i + 2], 16)) for i in (0, 2, 4)]
        mixed = "".join(f"{round(DENSEST * over + (1 - DENSEST) * under):02x}" for over, under in parts)
        assert contrast(ink, mixed) >= TEXT, scheme
