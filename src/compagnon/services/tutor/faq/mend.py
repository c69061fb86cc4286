"""Texts of a FAQ as exports give them, made readable: HTML, entities, and sentences or words glued together."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable

from compagnon.services.tutor.knowledge.blocks import from_html

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>|<!--")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b\u2060\ufeff\ufffd]")
# A sentence glued to the one before it: « fonds.Que faire », but neither « www.Site.fr » nor « M.Dupont » nor « P.S. ».
_GLUED_SENTENCE = re.compile(r"(?<=[^\W\d_]{3})([.…]|\s?[!?:;])(?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ'’ ])")
# A word glued to a sign: « messages ;nerépondez », « FCC :le ».
_GLUED_SIGN = re.compile(r"(?<=[^\W\d_]\s)([;:])(?=[^\W\d_])|(?<=[^\W\d_)])([,;])(?=[^\W\d_]{2})")
# Two words glued, the second with a capital: « sitesQue ». Names such as iPhone or LibreOffice have one such place only
# after few letters or in a word that begins with a capital.
_GLUED_CAPITAL = re.compile(r"(?<![^\W_])([a-zà-öø-ÿ]{3,})(?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ])")
_BRACKET = re.compile(r"(?<=\))(?=[^\W\d_]{2})|(?<=[^\W\d_]{3})(?=\([^\W\d_]{3})")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:fr|com|org|net|eu|gouv)\b\S*")
_WORD = re.compile(r"[^\W\d_]+")
_SHORT = """
à a au aux avec ce ces cette comme dans de des du elle en est et il ils je la le les leur lui mais ne nous on
ou par pas pour qu que qui sa sans se ses si son sont sur ta te tu un une vos votre vous y
"""
SHORT = frozenset(_SHORT.split())
"""Short words that are often glued to their neighbor."""
SEEN = 3
"""Times that a word must stand elsewhere to be one half of glued words."""


def clean(text: str) -> str:
    """``text`` without HTML, entities, and invisible characters; a blank line parts its paragraphs."""
    if _TAG.search(text):
        text = "\n\n".join(block.text for block in from_html(text))
    text = _CONTROL.sub("", html.unescape(text).replace("\r\n", "\n").replace("\r", "\n"))
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n|\n(?=\s*[-*•–]\s)", text))
    return "\n\n".join(part for part in paragraphs if part)


def mend(text: str) -> str:
    """``text`` with a blank where a sentence, a sign or a capital was glued to what comes before; addresses stay."""
    parts: list[str] = []
    start = 0
    for found in _ADDRESS.finditer(text):
        parts += [_mended(text[start : found.start()]), found[0]]
        start = found.end()
    return "".join([*parts, _mended(text[start:])])


def _mended(text: str) -> str:
    text = _GLUED_SENTENCE.sub(r"\1 ", text)
    text = _GLUED_SIGN.sub(lambda found: found[0] + " ", text)
    return _BRACKET.sub(" ", _GLUED_CAPITAL.sub(r"\1 ", text))


class Glued:
    """Words glued to another without any sign of it, told by the other words of the same FAQ: « simplesà ».

    A guess: « surface » is no « sur face », so that nothing is changed unless a person asks for it.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._count = Counter(word.casefold() for text in texts for word in _WORD.findall(text))

    def parts(self, word: str) -> tuple[str, str] | None:
        """The two words that ``word`` is made of; None if it seems to be one."""
        folded = word.casefold()
        if len(word) < 6 or self._count[folded] > 1 or not folded.isalpha():
            return None
        best: tuple[int, int] | None = None
        for cut in range(1, len(word)):
            first, second = folded[:cut], folded[cut:]
            long = (len(first) > 4 and self._count[first] >= SEEN, len(second) > 4 and self._count[second] >= SEEN)
            short = (first in SHORT, second in SHORT)
            if all(long) or (long[0] and short[1]) or (long[1] and short[0]):
                best = max(best or (0, 0), (min(self._count[first], self._count[second]), cut))
        return (word[: best[1]], word[best[1] :]) if best else None

    def found(self, text: str) -> dict[str, str]:
        """Glued words of ``text``, and how they would be parted."""
        words = dict.fromkeys(_WORD.findall(text))
        return {word: " ".join(parts) for word in words if (parts := self.parts(word)) is not None}

    def part(self, text: str) -> str:
        """``text`` with such words parted; addresses stay."""
        known = self.found(text)
        places = [found.span() for found in _ADDRESS.finditer(text)]

        def parted(found: re.Match[str]) -> str:
            inside = any(start <= found.start() < end for start, end in places)
            return found[0] if inside else known.get(found[0], found[0])

        return _WORD.sub(parted, text) if known else text
