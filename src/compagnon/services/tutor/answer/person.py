"""Whether somebody asks for a person instead of the assistant."""

from __future__ import annotations

import re

from compagnon.services.tutor.search.words import fold

_SOMEBODY = (
    r"(?:(?:une? |le |la |l.|votre |ton )?(?:vraie? )?(?:personne|humaine?|etre humain|conseill\w+|operat\w+|agente?|"
    r"technicien\w*|employee?|"
    r"vendeu\w+|responsable|standard|service client)|quelqu.un|(?:a |an )?(?:real |human )?"
    r"(?:person|human|agent|operator|representative)|someone|somebody|customer service)"
)
_ASKED = re.compile(
    rf"\b(?:parler|discuter|echanger|joindre|(?:mett\w+|mets)(?:.moi)? en (?:relation|contact)|transfer\w+|"
    rf"passe[rz]?(?:.moi)?|talk|speak|chat|connect me|transfer me)\b.{{0,20}}\b{_SOMEBODY}\b"
    rf"|^\W*{_SOMEBODY}\W*(?:svp|stp|s.il (?:vous|te) plait|please)?\W*$"
    r"|\b(?:je veux|j.aimerais|je voudrais|je souhaite|i want|i need|i.d like)\b.{0,15}"
    r"\b(?:humain|conseill\w+|une vraie personne|human|real person|agent)\b"
)
_FACTS = re.compile(r"\b(?:numero|adresse|horaires?|delai|combien|prix|tarif|how (?:long|much)|opening)\b")
"""A question about reaching somebody, which the FAQ answers."""


def asks_for_person(text: str) -> bool:
    """Whether ``text`` asks for a person, rather than when or where one is reached."""
    folded = fold(text)
    return bool(_ASKED.search(folded)) and not _FACTS.search(folded)
