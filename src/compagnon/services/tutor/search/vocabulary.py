"""The words that a base knows, and what a question's words mean among them: spelling, typos, abbreviations."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.search.stopwords import STOP_WORDS
from compagnon.services.tutor.search.words import Word, words

LONGEST = 40
"""Characters of a word that can be a typo; longer ones are no word."""
MOST = 400
"""Words of a question that are looked at."""
TYPO = {1: 0.8, 2: 0.5}
"""What a term counts for, by the edits between it and the word that was typed."""
SYNONYM = 0.5
"""What the terms of another name count for, together."""
CANDIDATES = 3
ELIDED = frozenset("cdjlmnst")
"""Letters that French writes before an apostrophe, which hurried hands leave out."""

_ALSO = re.compile(r"\(([^()]*)\)")
_PARTED = re.compile(r"\s*(?:,|;|/|\bou\b|\bor\b)\s*")


@dataclass(frozen=True)
class Asked:
    """The terms of a question with what each counts for, and its words that the base does not know."""

    weights: Mapping[str, float]
    surfaces: tuple[str, ...]
    """Its words, folded."""
    unknown: tuple[str, ...]
    corrected: Mapping[str, str]
    """Words taken for typos, and the word of the base taken instead."""


class Vocabulary:
    """The words of a base: how often each stands in it, its term, and its other names."""

    def __init__(self, written: Iterable[Word], base: Base) -> None:
        """``written`` are all words of ``base``, whose glossary gives the other names."""
        count: Counter[Word] = Counter(written)
        terms: dict[str, Counter[str]] = defaultdict(Counter)
        for word, times in count.items():
            terms[word.surface][word.term] += times
        self.term_of = {surface: found.most_common(1)[0][0] for surface, found in terms.items()}
        """Term of each word, however its accents are typed."""
        self.terms = frozenset(word.term for word in count)
        self._count = {surface: found.total() for surface, found in terms.items()}
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for surface in self._count:
            if len(surface) > 3:
                self._by_length[len(surface)].append(surface)
        self._names = _others(names_of(base))

    def asked(self, text: str) -> Asked:
        """What the words of ``text`` mean here."""
        weights: dict[str, float] = {}
        unknown: list[str] = []
        corrected: dict[str, str] = {}
        typed = words(text)[:MOST]
        for word in _with_pairs([self._apart(word) for word in typed], self.terms):
            if word.surface in STOP_WORDS:
                continue
            known = self.term_of.get(word.surface) or (word.term if word.term in self.terms else None)
            if known is not None:
                weights[known] = max(weights.get(known, 0.0), 1.0)
                continue
            near = self._near(word.surface)
            if not near:
                unknown.append(word.surface)
            for surface, edits in near:
                term = self.term_of[surface]
                weights[term] = max(weights.get(term, 0.0), TYPO[edits])
                corrected.setdefault(word.surface, surface)
        for others in self._other_names(frozenset(weights)):
            for term in others:
                if term in self.terms:
                    weights.setdefault(term, SYNONYM / len(others) ** 0.5)
        return Asked(weights, tuple(word.surface for word in typed), tuple(dict.fromkeys(unknown)), corrected)

    def _apart(self, word: Word) -> Word:
        """``word`` without the article that was typed into it (``lentree`` for ``l'entree``), where it is unknown."""
        surface, rest = word.surface, word.surface[1:]
        if surface in self.term_of or word.term in self.terms or surface[0] not in ELIDED or len(rest) < 2:
            return word
        if rest in self.term_of:
            return Word(rest, self.term_of[rest])
        return Word(rest, rest) if rest in STOP_WORDS else word

    def _near(self, surface: str) -> list[tuple[str, int]]:
        """Words at one or two edits (insert, delete, replace, swap of neighbors), the nearest and most frequent first.

        Words of 4 to 6 letters may have one edit, longer ones two; numbers none.
        """
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        if not 3 < len(surface) <= LONGEST or not surface.isalpha():
            return []
        allowed = 1 if len(surface) < 7 else 2
        found: list[tuple[str, int]] = []
        for length in range(len(surface) - allowed, len(surface) + allowed + 1):
            known = self._by_length.get(length, ())
            near = process.extract(surface, known, scorer=OSA.distance, score_cutoff=allowed, limit=None)
            found += [(candidate, int(edits)) for candidate, edits, _place in near]
        nearest = min((edits for _candidate, edits in found), default=0)
        best = [each for each in found if each[1] == nearest]
        best.sort(key=lambda each: (each[0][0] != surface[0], -self._count[each[0]], each[0]))
        return best[:CANDIDATES]

    def _other_names(self, terms: frozenset[str]) -> Iterator[tuple[str, ...]]:
        """Terms of the other names of what a question speaks of."""
        for name, others in self._names.items():
            if terms.issuperset(name):
                yield from others


def names_of(base: Base) -> Iterator[tuple[str, ...]]:
    """The names of each word of the glossary: ``réseau convolutif (CNN, ConvNet)`` has three."""
    for entry in base.glossary:
        written = entry.term.term
        inside = [name for found in _ALSO.findall(written) for name in _PARTED.split(found)]
        names = [name for name in (_ALSO.sub(" ", written).strip(), *inside) if name]
        if len(names) > 1:
            yield tuple(names)


def _with_pairs(typed: list[Word], terms: frozenset[str]) -> list[Word]:
    """``typed``, and two neighbors written as one where the base knows that word."""
    joined = [first.surface + second.surface for first, second in itertools.pairwise(typed)]
    return [*typed, *(Word(each, each) for each in joined if each in terms)]


def _others(names: Iterable[tuple[str, ...]]) -> dict[frozenset[str], list[tuple[str, ...]]]:
    """By the terms of a name: those of the other names of the same thing."""
    found: dict[frozenset[str], list[tuple[str, ...]]] = {}
    for group in names:
        terms = [tuple(dict.fromkeys(word.term for word in words(name))) for name in group]
        for place, own in enumerate(terms):
            others = [other for index, other in enumerate(terms) if index != place and other and other != own]
            if own and others:
                found.setdefault(frozenset(own), []).extend(others)
    return found
