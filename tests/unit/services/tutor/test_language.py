"""The language of a question: its small words tell it, however badly it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.services.tutor.search.language import language_of

SETS = Path(__file__).parents[3] / "data" / "tutor"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("c'est quoi un neurone ?", "fr"),
        ("pk mon reseau apprend pas", "fr"),
        ("what is a neuron?", "en"),
        ("how do I choose the learning rate", "en"),
        ("je comprends pas « the quick brown fox », ça veut dire quoi", "fr"),
        ("jai ValueError: the shapes do not match the layer, je fais quoi", "fr"),
    ],
)
def test_small_words_tell_the_language(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["dropout", "CNN 3x3", "", "?", "zero-shot vs few-shot prompting"])
def test_what_tells_nothing_keeps_the_language_that_is_given(text: str) -> None:
    assert language_of(text, "fr") == "fr"
    assert language_of(text, "en") == "en"


@given(st.text(max_size=200))
def test_any_text_has_a_language(text: str) -> None:
    assert language_of(text) in ("fr", "en")


def test_questions_of_learners_are_told_apart() -> None:
    rows = [json.loads(line) for line in (SETS / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    wrong = [row["question"] for row in rows if language_of(row["question"]) != row["language"]]

    # Messages of programs, which are English in a French question too.
    assert len(wrong) / len(rows) < 0.02, wrong
