"""Folding of text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compagnon.features.inputs import text_feed
from compagnon.features.text import fold_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("C'est quoi un CNN ?", "c ' est quoi un cnn ?"),
        ("réseau  RÉCURRENT\n", "reseau recurrent"),
        ("cœur, naïf, Straße", "coeur , naif , strasse"),
        ("max_iter=100", "max _ iter = 100"),
        ("e\u0301te\u0301", "ete"),
        ("10\u00a0%", "10 %"),
        ("co\u00adopérer\u200b", "cooperer"),
        ("ﬁn \x00\x01 x", "fin x"),
        ("", ""),
        ("  \t", ""),
        ("😀日本", "😀 日本"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold_text(text) == folded


@given(st.text())
@example("ℐ℡")
@example("İI")
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold_text(text)
    assert fold_text(once) == once


@given(st.text())
def test_words_are_parted_by_exactly_one_space(text: str) -> None:
    folded = fold_text(text)
    assert folded == " ".join(folded.split())
    assert folded.split(" ") == folded.split() or folded == ""


@given(st.text(alphabet=st.characters(max_codepoint=0x24F)))
def test_case_and_composition_do_not_matter(text: str) -> None:
    assert fold_text(unicodedata.normalize("NFD", text)) == fold_text(text)
    assert fold_text(text.casefold()) == fold_text(text)


@given(st.text())
def test_a_feed_is_bounded_by_spaces_and_holds_no_control_character(text: str) -> None:
    feed = text_feed(text)
    assert feed.startswith(" ")
    assert feed.endswith(" ")
    assert not any(unicodedata.category(c)[0] == "C" for c in feed)
