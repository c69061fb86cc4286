"""The level of a question by its words."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.services.tutor.answer.level import as_level, by_words
from compagnon.services.tutor.knowledge.model import DIFFICULTIES

QUESTIONS = Path(__file__).parents[4] / "data" / "tutor" / "questions.jsonl"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("c'est quoi un neurone ?", "beginner"),
        ("c koi un neurone", "beginner"),
        ("What is a neuron?", "beginner"),
        ("un neurone", "beginner"),
        ("", "beginner"),
        ("comment choisir le taux d'apprentissage", "intermediate"),
        ("How do I fix my loss?", "intermediate"),
        ("Démontrer la convergence de SGD", "advanced"),
        ("c'est quoi la complexité de l'attention ?", "advanced"),
        ("derive the gradient of softmax", "advanced"),
    ],
)
def test_words_tell_the_level(text: str, level: str) -> None:
    assert by_words(text) == level
    assert by_words(text.upper()) == level


@given(st.text(max_size=100))
def test_every_text_has_a_level(text: str) -> None:
    assert by_words(text) in DIFFICULTIES


def test_on_questions_of_learners_words_are_better_than_one_level_for_all() -> None:
    """Each level counts the same, so that one level for all is right for a third."""
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    count = Counter(row["level"] for row in rows)
    right = Counter(row["level"] for row in rows if by_words(row["question"]) == row["level"])

    assert sum(right[level] / count[level] for level in DIFFICULTIES) / 3 > 0.36


@pytest.mark.parametrize("label", ["", "expert", "Beginner", "0"])
def test_an_unknown_label_is_no_level(label: str) -> None:
    assert as_level(label) is None


@pytest.mark.parametrize("label", DIFFICULTIES)
def test_a_level_is_one(label: str) -> None:
    assert as_level(label) == label
