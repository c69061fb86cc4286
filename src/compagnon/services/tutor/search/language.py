"""The language of a question, French or English, by its small words.

Technical words are the same in both, and learners leave accents out; what tells them apart is ``le``, ``pour``,
``the``, ``how``. A question without any of them keeps the language that is given. What is quoted (messages of programs,
code) says nothing of who asks.
"""

from __future__ import annotations

import re

from compagnon.services.tutor.knowledge.model import Language
from compagnon.services.tutor.search.stopwords import ENGLISH_ONLY, FRENCH_ONLY
from compagnon.services.tutor.search.words import fold

_WORDS = re.compile(r"[^\W\d_]+")
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|«[^»]*»|\b\w*(?:Error|Exception|Warning)\s*:[^\n]*")
_ACCENT = re.compile("[àâæçéèêëîïôœùûü]", re.IGNORECASE)
ACCENT = 2
"""What a word with a French accent counts for, beside small words (1)."""


def language_of(text: str, otherwise: Language = "fr") -> Language:
    """The language in which ``text`` is written; ``otherwise`` where nothing tells it."""
    typed = _WORDS.findall(_QUOTED.sub(" ", text))
    surfaces = [fold(word) for word in typed]
    french = sum(word in FRENCH_ONLY for word in surfaces) + ACCENT * sum(bool(_ACCENT.search(word)) for word in typed)
    english = sum(word in ENGLISH_ONLY for word in surfaces)
    if french == english:
        return otherwise
    return "fr" if french > english else "en"
