"""How easy a French text is to read, by the formula of Kandel and Moles.

207 - 1.015 x (words per sentence) - 73.6 x (syllables per word): the reading ease of Flesch, adapted to French. 100 is
very easy, 60 a newspaper, 30 a scientific article. Source: L. Kandel and A. Moles, « Application de l'indice de Flesch
à la langue française », Cahiers d'études de radio-télévision, 19, 1958. Syllables are counted by their written vowels:
the mute ending of a word (-e, -es, -ent) does not count.
"""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[.!?…]+(?=[\s»\")]|$)|\n+")
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d+(?:[.,]\d+)*")
_VOWELS = re.compile(r"[aeiouyàâäéèêëîïôöùûüÿœæ]+")
_MUTE = re.compile(r"(?<=[^aeiouyàâäéèêëîïôöùûüÿœæ])(?:es?|(?<!m)ent)$")
_HIATUS = re.compile(r"é(?=[aoiu]|er)|ï|ü")


def words(text: str) -> list[str]:
    """The words of ``text``: compounds and elided words (``l'image``) count once, and so does a number."""
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """The sentences of ``text`` that hold a word; a line is the end of a sentence too."""
    return [part.strip() for part in _SENTENCE.split(text) if _WORD.search(part)]


def syllables(word: str) -> int:
    """Syllables of a French word, one at least."""
    count = 0
    for part in re.split(r"[-'’]", word.lower()):
        spoken = _MUTE.sub("", part) if len(part) > 3 else part
        count += len(_VOWELS.findall(spoken)) + len(_HIATUS.findall(spoken))
    return max(1, count)


def reading_ease(text: str) -> float:
    """The reading ease of ``text`` by Kandel and Moles; 0 for a text without a word."""
    found = words(text)
    if not found:
        return 0.0
    per_sentence = len(found) / max(1, len(sentences(text)))
    return 207 - 1.015 * per_sentence - 73.6 * sum(map(syllables, found)) / len(found)
