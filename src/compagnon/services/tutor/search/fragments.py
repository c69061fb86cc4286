"""Fragments of words: what stems and typo rules miss (derived words, glued words, foreign endings) still meets.

Each word is cut into the runs of four letters in it, its edges marked; documents are ranked by these as by words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from compagnon.services.tutor.search.bm25 import Bm25, Field, Scores
from compagnon.services.tutor.search.words import Word

LENGTH = 4


@lru_cache(50_000)
def fragments(surface: str) -> tuple[str, ...]:
    """The runs of four letters of a folded word: ``_cnn_`` gives ``_cnn`` and ``cnn_``."""
    marked = f"_{surface}_"
    if len(marked) <= LENGTH:
        return (marked,)
    return tuple(marked[place : place + LENGTH] for place in range(len(marked) - LENGTH + 1))


class ByFragments:
    """Documents ranked by the fragments that they share with a question."""

    def __init__(self, documents: Iterable[Sequence[tuple[float, Sequence[Word]]]]) -> None:
        self._ranked = Bm25((_cut(fields) for fields in documents), k1=1.2, b=0.6)

    def scores(self, asked: Iterable[str]) -> Scores:
        """The score of each document for the folded words of a question."""
        weights: dict[str, float] = defaultdict(float)
        for surface in dict.fromkeys(asked):
            cut = fragments(surface)
            for fragment in cut:
                # A long word would else count for as many words as it has letters.
                weights[fragment] += 1 / len(cut) ** 0.5
        return self._ranked.scores(weights)


def _cut(fields: Sequence[tuple[float, Sequence[Word]]]) -> list[Field]:
    return [(weight, [f for word in words for f in fragments(word.surface)]) for weight, words in fields]
