"""What earlier turns add to a question, bounded whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compagnon.services.tutor.answer.history import (
    LONGEST,
    SUMMED,
    WHOLE,
    Turn,
    follows,
    recent,
    summed,
    understood,
)

TEXT = st.text(max_size=30) | st.sampled_from(["a" * 5000, "mot " * 900, "\n" * 2000, "c'est quoi le dropout ?"])
TURNS = st.lists(st.builds(Turn, TEXT, TEXT, st.sampled_from(["answer", "hints", "solution", "refusal"])), max_size=20)
DROPOUT = Turn("c'est quoi le dropout ?", "Une régularisation.")


@pytest.mark.parametrize(
    "question",
    [
        "et en Keras ?",
        "pourquoi ?",
        "un exemple ?",
        "et ça sert à quoi ?",
        "explique mieux",
        "what about Keras?",
        "why?",
    ],
)
def test_a_question_that_points_back_takes_the_one_before(question: str) -> None:
    assert follows(question)
    assert understood(question, [DROPOUT]) == f"c'est quoi le dropout ? {question}"


@pytest.mark.parametrize(
    "question", ["c'est quoi une convolution ?", "et le taux d'apprentissage d'Adam, comment on le choisit vraiment ?"]
)
def test_a_question_of_its_own_does_not(question: str) -> None:
    assert understood(question, [DROPOUT]) == question


def test_a_refused_turn_is_passed_over() -> None:
    refused = Turn("une recette de quiche", "Hors du cours.", "refusal")

    assert understood("et en Keras ?", [DROPOUT, refused]).startswith(DROPOUT.question)
    assert understood("et en Keras ?", [refused]) == "et en Keras ?"


@given(TURNS, TEXT)
@example([Turn("a" * 301, "")], "et ça ?")
@example([DROPOUT, Turn(" ", "")], "")
def test_what_is_understood_ends_with_the_question_and_does_not_grow(turns: list[Turn], question: str) -> None:
    text = understood(question, turns)

    assert text.endswith(question)
    assert len(text) <= len(question) + 301
    assert text == question or text.removesuffix(question).strip()


@given(st.lists(st.sampled_from(["et en Keras ?", "pourquoi ?", "encore", "un exemple ?"]), max_size=60))
def test_a_chain_of_questions_stays_bounded_and_keeps_its_subject(asked: list[str]) -> None:
    turns = [DROPOUT]
    for question in asked:
        turns.append(Turn(understood(question, turns), "Oui."))

    assert len(turns[-1].question) <= 301 + 20
    assert turns[-1].question.startswith(DROPOUT.question)


@given(TURNS)
def test_what_a_model_reads_of_a_conversation_is_bounded(turns: list[Turn]) -> None:
    kept, older = recent(turns), summed(turns)

    assert len(kept) == min(len(turns), WHOLE)
    assert len(older) == min(max(0, len(turns) - WHOLE), SUMMED)
    assert all(len(turn.question) <= LONGEST and len(turn.answer) <= LONGEST for turn in kept)
    assert all(len(line) <= 160 and "\n" not in line for line in older)
    assert [turn.mode for turn in kept] == [turn.mode for turn in turns[-WHOLE:]]


@pytest.mark.parametrize("question", ["", "?", "et ?", "   "])
def test_a_question_without_a_word_takes_the_one_before(question: str) -> None:
    assert follows(question)
