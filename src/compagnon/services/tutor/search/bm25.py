"""BM25 over fields: how well each document answers weighted terms.

S. Robertson and H. Zaragoza, « The Probabilistic Relevance Framework: BM25 and Beyond », 2009, chapter 3.6 (BM25F):
the counts of a term in the fields of a document are added with the weight of each field before they are damped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Field = tuple[float, Sequence[str]]
"""Weight of a field and its terms."""
Scores = NDArray[np.float64]


class Bm25:
    """Documents, each a list of fields, ready to be scored; the work is done once, here."""

    def __init__(self, documents: Iterable[Iterable[Field]], *, k1: float = 1.2, b: float = 0.6) -> None:
        counts: list[Counter[str]] = []
        for fields in documents:
            count: Counter[str] = Counter()
            for weight, terms in fields:
                for term in terms:
                    count[term] += weight  # type: ignore[assignment]  # a Counter adds floats as well
            counts.append(count)
        self.size = len(counts)
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float64)
        norm = 1 - b + b * lengths / (lengths.mean() or 1.0) if self.size else lengths
        postings: dict[str, list[int]] = {}
        for number, count in enumerate(counts):
            for term in count:
                postings.setdefault(term, []).append(number)
        self._postings: dict[str, tuple[NDArray[np.intp], Scores]] = {}
        self.idf: dict[str, float] = {}
        for term, numbers in postings.items():
            idf = float(np.log(1 + (self.size - len(numbers) + 0.5) / (len(numbers) + 0.5)))
            places = np.array(numbers, dtype=np.intp)
            often = np.array([counts[number][term] for number in numbers], dtype=np.float64)
            self.idf[term] = idf
            self._postings[term] = places, idf * often * (k1 + 1) / (often + k1 * norm[places])
        self.rarest = float(np.log(1 + (self.size + 0.5) / 0.5)) if self.size else 0.0
        """What a term that stands nowhere would weigh."""

    def scores(self, weights: Mapping[str, float]) -> Scores:
        """The score of each document for weighted terms; 0 where none of them stands."""
        total = np.zeros(self.size)
        for term, weight in weights.items():
            if term in self._postings:
                places, values = self._postings[term]
                total[places] += weight * values
        return total

    def covered(self, weights: Mapping[str, float]) -> Scores:
        """For each document, the summed rarity (idf) of the terms that stand in it, by weight."""
        total = np.zeros(self.size)
        for term, weight in weights.items():
            if term in self._postings:
                total[self._postings[term][0]] += weight * self.idf[term]
        return total
