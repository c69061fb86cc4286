"""Folding of text: one spelling for what people write in many ways.

ONNX Runtime's text operators know neither case nor accents, so the fold happens before the graph, identically in
training, sealing and serving. Words of a folded text are parted by exactly one space: splitting it on spaces means the
same to scikit-learn and to the graph.
"""

from __future__ import annotations

import unicodedata

FOLD_VERSION = 1
"""Grows when the same text would fold to another; recorded in each package."""

_LIGATURES = {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i"}
_APART = ("P", "S")  # punctuation and symbols are words of their own: "?" tells a question, "%" a ratio
_DROPPED = ("Mn", "Me", "Cf")  # accents; invisible marks such as soft hyphens and joiners
_BLANK = ("Z", "C")


class _Spelling(dict[int, str]):
    """What becomes of each character, found at first use."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if category in _DROPPED:
            spelling = ""
        elif category[0] in _BLANK:
            spelling = " "
        elif category[0] in _APART:
            spelling = f" {character} "
        else:
            spelling = _LIGATURES.get(character, character)
        self[code] = spelling
        return spelling


_SPELLING = _Spelling()


def fold_text(text: str) -> str:
    """``text`` without case, accents, ligatures or control characters; words and signs parted by one space.

    Canonical and compatible forms are equal (Unicode NFKD); folding twice changes nothing more. Source: Unicode
    Standard, chapter 3.13 (caseless matching) and annex 15 (normalization).
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join(plain.translate(_SPELLING).split())
