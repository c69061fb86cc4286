"""An exercise is told from a question on the course."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.services.tutor.answer.exercise import is_exercise, wants_solution

QUESTIONS = Path(__file__).parents[4] / "data" / "tutor" / "questions.jsonl"


@pytest.mark.parametrize(
    "text",
    [
        "Exercice : calculer la taille de sortie d'une convolution",
        "calcule la sortie d'une image 32x32 avec un filtre 3x3",
        "j'ai un devoir maison sur les CNN",
        "TP 3 : entraîner un réseau",
        "une interro demain sur le gradient",
        "mon examen partiel porte sur les RNN",
        "fais le code à ma place",
        "solve this: a layer of 10 neurons and 5 inputs",
        "homework about attention",
    ],
)
def test_what_is_to_be_done_is_an_exercise(text: str) -> None:
    assert is_exercise(text)
    assert is_exercise(text.upper())


@pytest.mark.parametrize(
    "text",
    [
        "c'est quoi une convolution ?",
        "comment interroger l'API Mistral ?",
        "je m'interroge sur le dropout",
        "on peut voler un modèle en l'interrogeant ?",
        "gel partiel des couches ou affinage complet ?",
        "what is a dropout layer?",
        "comment calculer un gradient ?",
        "",
    ],
)
def test_a_question_on_the_course_is_not(text: str) -> None:
    assert not is_exercise(text)


def test_questions_of_learners_are_no_exercises() -> None:
    rows = [json.loads(line)["question"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]

    assert [text for text in rows if is_exercise(text)] == []


@pytest.mark.parametrize(
    "text",
    ["donne la solution", "j'ai trouvé 30x30", "je donne ma langue au chat", "I give up", "montre la réponse"],
)
def test_after_hints_the_solution_is_asked_for(text: str) -> None:
    assert wants_solution(text)


@pytest.mark.parametrize("text", ["encore un indice", "je ne comprends pas l'indice", "another hint please", ""])
def test_more_help_is_not_the_solution(text: str) -> None:
    assert not wants_solution(text)


@given(st.text(max_size=100))
def test_case_and_accents_change_nothing(text: str) -> None:
    assert is_exercise(text) == is_exercise(text.casefold())
    assert wants_solution(text) == wants_solution(text.casefold())
