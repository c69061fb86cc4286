"""From a text to the terms that are compared: elisions, case and accents away, French endings cut off.

The stemmer is Snowball's for French (https://snowballstem.org/algorithms/french/stemmer.html). It wants accents, which
learners often leave out: stems are taken with the accents there are, and folded after.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from compagnon.services.tutor.search.stopwords import STOP_WORDS

_WORD = re.compile(r"[^\W_]+(?:[-_.][^\W_]+)*(?:\+\+|#)?")
_PARTS = re.compile(r"[-_.]")
_MEMORY = 50_000


@dataclass(frozen=True)
class Word:
    """One word of a text: as written but folded, and the term that it counts as."""

    surface: str
    term: str


def fold(text: str) -> str:
    """``text`` in lower case, without accents or ligatures."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    return "".join(c for c in plain if not unicodedata.combining(c))


def words(text: str) -> list[Word]:
    """The words of ``text`` that say something.

    A compound gives its parts and the whole without its joint: ``fine-tuning`` is found by ``fine tuning`` and by
    ``finetuning`` too.
    """
    found: list[Word] = []
    for match in _WORD.finditer(unicodedata.normalize("NFC", text)):
        whole = match[0]
        parts = [part for part in _PARTS.split(whole) if part]
        for part in parts:
            word = _word(part)
            if word.surface not in STOP_WORDS:
                found.append(word)
        if len(parts) > 1:
            joined = fold("".join(parts))
            found.append(Word(joined, joined))
    return found


@lru_cache(_MEMORY)
def _word(written: str) -> Word:
    lower = written.casefold()
    surface = fold(lower)
    if not lower.isalpha() or len(surface) <= 3:  # numbers, versions, abbreviations
        return Word(surface, surface)
    return Word(surface, fold(_stemmer().stemWord(lower)))


@cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("french")
