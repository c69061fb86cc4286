"""Charts: readable by machine and person, in both languages, whatever the labels."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.i18n import use
from compagnon.render import chart

SPACE = "{http://www.w3.org/2000/svg}"
CHARTS = {
    "confusion": lambda: chart.confusion(["a", "b"], [[5, 1], [2, 7]]),
    "large": lambda: chart.confusion(
        [f"class {i}" for i in range(40)], [[i * j % 5 for i in range(40)] for j in range(40)]
    ),
    "roc": lambda: chart.roc([("yes", [0, 0.1, 1], [0, 0.9, 1], 0.93)]),
    "rocs": lambda: chart.roc([("mean", [0, 1], [0, 1], 0.8), ("a", [0, 1], [0, 1], 0.7), ("b", [0, 1], [0, 1], 0.9)]),
    "bars": lambda: chart.bars("F1", [chart.Bar("x", 0.5, 0.4, 0.6), chart.Bar("y", 0.9)]),
    "nothing": lambda: chart.bars("F1", []),
    "histogram": lambda: chart.histogram("Confidence", [0, 0.5, 1], [3, 9]),
}


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_chart_has_title_description_sentence_and_table(name: str, language: str) -> None:
    with use(language):
        drawn = CHARTS[name]()
    root = ElementTree.fromstring(drawn.svg)
    assert root.get("role") == "img"
    ids = [root.find(f"{SPACE}{part}").get("id") for part in ("title", "desc")]
    assert root.get("aria-labelledby") == " ".join(ids)
    assert root.find(f"{SPACE}desc").text == drawn.sentence
    headers, rows = drawn.table
    assert all(len(row) == len(headers) for row in rows)
    assert "<script" not in drawn.svg
    assert "<style" not in drawn.svg


def test_colors_leave_light_and_dark_to_the_page() -> None:
    for make in CHARTS.values():
        for color in re.findall(r'(?:fill|stroke)="([^"]+)"', make().svg):
            assert color in ("none", "currentColor") or color.startswith("var(--chart-")


def test_small_matrix_shows_all_cells_and_large_one_the_worst() -> None:
    headers, rows = CHARTS["confusion"]().table
    assert headers[1:] == ("a", "b")
    assert rows == (("a", 5, 1), ("b", 2, 7))
    headers, rows = CHARTS["large"]().table
    assert len(rows) == 20
    assert [row[2] for row in rows] == sorted((row[2] for row in rows), reverse=True)


def test_sentence_says_what_the_matrix_shows() -> None:
    assert CHARTS["confusion"]().sentence == (
        "12 rows of 15 are predicted right. The most frequent confusion: b taken for a, 2 times."
    )


def test_two_charts_on_a_page_have_different_ids_and_the_same_chart_the_same() -> None:
    first, second = CHARTS["roc"]().svg, CHARTS["bars"]().svg
    assert not set(re.findall(r' id="([^"]+)"', first)) & set(re.findall(r' id="([^"]+)"', second))
    assert first == CHARTS["roc"]().svg


@given(st.lists(st.text(), min_size=2, max_size=3))
def test_any_label_gives_well_formed_svg(labels: list[str]) -> None:
    matrix = [[1] * len(labels) for _label in labels]
    ElementTree.fromstring(chart.confusion(labels, matrix).svg)
    ElementTree.fromstring(chart.bars(labels[0], [chart.Bar(label, 0.1) for label in labels]).svg)


@pytest.mark.parametrize("name", CHARTS)
def test_on_a_dark_ground_nothing_stays_dark(name: str) -> None:
    svg = CHARTS[name]().svg
    dark = chart.on_dark(svg)
    assert ElementTree.fromstring(dark).get("color") == chart.DARK["ink"]
    assert "var(" not in dark
    # Nothing else has changed, words among others.
    assert list(ElementTree.fromstring(dark).itertext()) == list(ElementTree.fromstring(svg).itertext())
