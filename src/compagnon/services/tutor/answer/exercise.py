"""Exercises: the learner is given hints first, and the solution after having tried."""

from __future__ import annotations

import re

from compagnon.services.tutor.search.words import fold

_EXERCISE = re.compile(
    r"\b(?:exercices?|devoirs? (?:maison|a rendre)|mon devoir|td ?\d*|tp ?\d+|corriges?|enonce|qcm|interros?|"
    r"interrogations?|"
    r"(?<!gel )(?<!gele )(?<!degel )partiels?|examen|homework|assignment|"
    r"exercise|quiz)\b|\b(?:calcul(?:e|er|ez)|resou\w+|compute|solve)\b.{0,80}\d|\b(?:fais|fait|faites|ecris|"
    r"ecrivez|do|write)\b.{0,30}"
    r"\b(?:a ma place|pour moi|for me)\b"
)
_SOLUTION = re.compile(
    r"\b(?:solution|reponse complete|la reponse|corrige|correction|j.ai (?:essaye|trouve|obtenu|cherche)|je trouve|"
    r"i (?:tried|found|got)|"
    r"show me the answer|montre.{0,12}(?:reponse|solution)|je donne ma langue|j.abandonne|i give up)\b"
)


def is_exercise(text: str) -> bool:
    """Whether ``text`` is an exercise to be done, rather than a question on the course."""
    return bool(_EXERCISE.search(fold(text)))


def wants_solution(text: str) -> bool:
    """Whether the learner, after hints, has tried or asks for the solution."""
    return bool(_SOLUTION.search(fold(text)))
