"""Whether a question is one for this tutor: the base speaks of it, and of enough of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from compagnon.services.tutor.search.index import Found, Hit
from compagnon.services.tutor.search.words import fold

Reason = Literal["", "unknown", "elsewhere", "nothing-asked"]

ENOUGH = 0.55
"""Share of a question, by the rarity of its words, that the best subtopic must speak of."""
CLOSE = 4
"""Topics proposed instead."""

_GREETING = re.compile(
    r"\W*(?:bonjour|bonsoir|salut|hello|hi|hey|coucou|merci(?: beaucoup)?|thanks?(?: you)?|ok|d.accord|au revoir|"
    r"bye|ca va)\W*"
)
_ELSEWHERE = re.compile(
    r"\b(?:meteo|quel temps|recette|cuisin\w*|film|serie tele|chanson|football|match|president|election|horoscope|"
    r"blague|poeme|"
    r"medicament|symptome\w*|diagnosti\w* (?:moi|mon)|avocat|divorce|impots?|bitcoin|investir|bourse|paris sportif\w*|"
    r"ma note|mes notes|mon bulletin|mon emploi du temps|salle de cours|date de l.examen|mot de passe|weather|"
    r"recipe|football|joke|poem)\b"
)


@dataclass(frozen=True)
class Scope:
    """``within``: the tutor answers; ``sure``: the base speaks plainly of it."""

    within: bool
    reason: Reason = ""
    sure: bool = True
    near: tuple[Hit, ...] = ()


def decide(question: str, found: Found) -> Scope:
    """Whether to answer ``question``, for which ``found`` was found."""
    folded = fold(question)
    if _GREETING.fullmatch(folded) or not found.asked.surfaces:
        return Scope(False, "nothing-asked", near=found.hits[:CLOSE])
    if _ELSEWHERE.search(folded) and found.coverage < 0.9:
        return Scope(False, "elsewhere", near=found.hits[:CLOSE])
    if not found.hits or found.coverage < ENOUGH:
        return Scope(False, "unknown", near=found.hits[:CLOSE])
    return Scope(True, sure=found.coverage >= ENOUGH + 0.1)
