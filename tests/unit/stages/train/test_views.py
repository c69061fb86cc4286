"""Views: what the graph computes is what training saw, for any text and any value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from model_solution import questions

from compagnon.errors import UserError
from compagnon.features.inputs import Input, feeds_of_rows
from compagnon.stages.package.session import session_of
from compagnon.stages.train.graph import Graph, write
from compagnon.stages.train.port import FittedView
from compagnon.stages.train.view_reduced import ReducedText
from compagnon.stages.train.view_table import TableView
from compagnon.stages.train.view_text import TextView

TEXT = (Input("text", "text"),)
LEARNED = feeds_of_rows(TEXT, [*questions(60), {"text": "a b a b à 日本語 😀😀 l'été x_y"}, {"text": "aa aa aa aa"}])
FIELDS = (Input("kind", "category", True), Input("size", "float", True), Input("day", "date", True))
ROWS = [
    {"kind": [None, "a", "b", "b"][i % 4], "size": None if i % 5 == 0 else i * 1.5, "day": f"20{i % 90 + 10:02d}-03-04"}
    for i in range(40)
]


def in_graph(fitted: FittedView, width: int) -> Any:
    graph = Graph()
    return session_of(write(graph.model(fitted.export(graph), width)))


VIEWS = {
    "both": TextView(),
    "words": TextView(words=(1, 3), chars=None),
    "chars": TextView(words=None, chars=(2, 5), chars_from=1),
    "long": TextView(words=(2, 3), chars=(3, 8), words_from=2),
    "reduced": ReducedText(TextView(), 5),
}
FITTED = {name: view.fit(TEXT, LEARNED) for name, view in VIEWS.items()}
SESSIONS = {name: in_graph(f, f.transform(LEARNED).shape[1]) for name, f in FITTED.items()}
PIECES = st.sampled_from(["a", "b", "aa", "réseau", "filtre", " ", "  ", "?", "'", "_", "😀", "日本", "x", "\n", "É"])


@pytest.mark.parametrize("name", VIEWS)
@given(texts=st.lists(st.text(max_size=12) | st.lists(PIECES, max_size=12).map("".join), min_size=1, max_size=4))
@example(texts=[""])
@example(texts=["", "a b a"])
@example(texts=["\x01", "#", "a\x01b"])
def test_text_features_are_the_same_in_the_graph(name: str, texts: list[str]) -> None:
    feeds = feeds_of_rows(TEXT, [{"text": text} for text in texts])
    expected = FITTED[name].transform(feeds)
    expected = expected.toarray() if hasattr(expected, "toarray") else expected
    found = SESSIONS[name].run(None, feeds)[0]
    np.testing.assert_allclose(found, expected, atol=2e-6)


TABLES = {
    name: TableView(scaled=name == "scaled").fit(FIELDS, feeds_of_rows(FIELDS, ROWS)) for name in ("scaled", "raw")
}


@pytest.mark.parametrize("name", TABLES)
@given(
    row=st.fixed_dictionaries(
        {
            "kind": st.none() | st.sampled_from(["a", "b"]) | st.text(max_size=4),
            "size": st.none() | st.floats(-(2.0**127), 2.0**127, width=32),
            "day": st.none() | st.dates().map(str),
        }
    )
)
def test_columns_are_the_same_in_the_graph(name: str, row: dict[str, Any]) -> None:
    feeds = feeds_of_rows(FIELDS, [row])
    expected = TABLES[name].transform(feeds)
    found = in_graph(TABLES[name], expected.shape[1]).run(None, feeds)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    if name == "scaled":
        assert np.isfinite(found).all()


def test_rare_categories_share_a_feature_and_missing_is_one() -> None:
    values = [{"kind": v} for v in ["a"] * 9 + ["b"] * 5 + ["c"] + [None] * 3]
    view = TableView(categories=2).fit(FIELDS[:1], feeds_of_rows(FIELDS[:1], values))
    found = view.transform(feeds_of_rows(FIELDS[:1], [{"kind": "a"}, {"kind": "c"}, {"kind": "new"}, {"kind": None}]))
    assert found.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]]


def test_equal_views_are_one_view() -> None:
    assert len({TextView(), TextView((1, 2), (3, 5)), TableView(), TableView(True)}) == 2


def test_texts_without_a_shared_term_are_explained() -> None:
    feeds = feeds_of_rows(TEXT, [{"text": "un"}, {"text": "deux"}])
    with pytest.raises(UserError) as caught:
        TextView(words_from=2, chars_from=2).fit(TEXT, feeds)
    assert caught.value.code == "train.no-terms"


def test_a_graph_is_written_to_the_same_bytes() -> None:
    graphs = []
    for _time in range(2):
        graph = Graph()
        graphs.append(write(graph.model(VIEWS["both"].fit(TEXT, LEARNED).export(graph), 2)))
    assert graphs[0] == graphs[1]
