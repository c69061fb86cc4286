"""Does a passage support a sentence? Without a model: words, numbers, negations and opposites.

It compares what both say, not what is true. A sentence passes when most of its words, by their stems, stand close
together in the passage, all its numbers do, and no clause denies or reverses the clause of the passage it speaks of.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from compagnon.services.tutor.answer.sentences import sentences
from compagnon.services.tutor.search.words import fold, words

ENOUGH = 0.45
"""Share of a sentence's words that the passage must hold; chosen on ``support_train.jsonl``."""
COPIED, NEAR_COPY = 3, 0.6
"""Words in a row, and share of all, from which a sentence is a copy of one of the passage: then it may put none in."""

_TURNING = ("Sm", "So", "Sk", "Mn", "Me")
"""Categories of Unicode: symbols, and marks that are put over letters."""
ITS_OWN, IN_ORDER = 0.9, 0.8
"""Share of a sentence's words that are the passage's, from which so many of them must follow its order; chosen on
``support_train.jsonl``: surer, at the price of right sentences turned round."""

_TOKEN = re.compile(r"[a-z0-9]+(?:[._][a-z0-9]+)*")

_NUMBER = re.compile(r"(?<![\w.,])[-+−]?\d+(?:[.,]\d+)*(?![\w])|(?<=[A-Za-z])\d+|\d+(?=[A-Za-z%×])")
_WRITTEN = {
    "zero": "0", "deux": "2", "trois": "3", "quatre": "4", "cinq": "5", "six": "6", "sept": "7", "huit": "8",
    "neuf": "9", "dix": "10", "onze": "11", "douze": "12", "quinze": "15", "seize": "16", "vingt": "20", "trente": "30",
    "cent": "100", "mille": "1000", "two": "2", "three": "3", "four": "4", "five": "5", "ten": "10",
}  # fmt: skip
_NAME = re.compile(r"\b(?=\w*[A-Z_])\w+[A-Z_\d]\w*|/\w+(?:/\w+)+|\b\w+_\w+\b|(?<=[a-zà-ÿ,] )[A-Z][a-z]+\w*")
_NEGATION = re.compile(
    r"\b(?:ne|n['’]\w+|pas|jamais|aucune?s?|sans|ni|nullement|impossible|inutile|not|never|no|cannot|without|"
    r"\w+n['’]t)\b",
    re.IGNORECASE,
)
_ONLY = re.compile(
    r"\b(?:ne|n['’]\w*)\b[^.;:]{0,40}?\bque?\b|\bn['’][^.;:]{0,40}?\bqu['’]|\bnon seulement\b", re.IGNORECASE
)
_CLAUSE = re.compile(
    r"[;:()]|,\s+(?=\w+\s+\w+)|\b(?:mais|car|donc|tandis que|alors que|parce que|puis|whereas|but)\b", re.I
)

_OPPOSITES = (
    ("augmente", "diminue"), ("augmenter", "diminuer"), ("augmente", "reduit"), ("augmenter", "reduire"),
    ("accelere", "ralentit"), ("accelerer", "ralentir"), ("grand", "petit"), ("grande", "petite"),
    ("eleve", "faible"), ("elevee", "faible"), ("haut", "bas"), ("superieur", "inferieur"), ("avant", "apres"),
    ("plus", "moins"), ("toujours", "jamais"), ("premier", "dernier"), ("premiere", "derniere"), ("lent", "rapide"),
    ("lente", "rapide"), ("facile", "difficile"), ("vrai", "faux"), ("supervise", "autosupervise"),
    ("entree", "sortie"), ("encodeur", "decodeur"), ("precision", "rappel"), ("ligne", "colonne"),
    ("entrainement", "inference"), ("entrainement", "test"), ("minimum", "maximum"), ("minimiser", "maximiser"),
    ("ajoute", "retire"), ("ajouter", "retirer"), ("ajoute", "enleve"), ("commence", "finit"), ("monte", "baisse"),
    ("mieux", "moins"), ("meilleur", "pire"), ("court", "long"), ("courte", "longue"), ("obligatoire", "facultatif"),
    ("gele", "degele"), ("lineaire", "lineaire non"), ("interdit", "autorise"), ("positif", "negatif"),
    ("gauche", "droite"), ("tous", "aucun"), ("actif", "coupe"), ("empeche", "permet"), ("ancienne", "recente"),
    ("ancien", "recent"),
    ("directe", "indirecte"), ("dynamique", "statique"), ("anonyme", "pseudonyme"), ("eleve", "professeur"),
    ("toutes", "aucune"), ("suffit", "manque"), ("large", "etroit"),
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """Whether a passage supports a sentence, how much of it, and where in the passage: ``text[start:end]``."""

    supported: bool
    score: float
    start: int
    end: int
    why: str = ""
    """What speaks against it: words, number, entity, sign, negation, opposite, altered or scrambled."""


def support(sentence: str, passage: str) -> Verdict:
    """What ``passage`` says of ``sentence``."""
    wanted = terms(sentence)
    spans = sentences(passage)
    if not wanted or not spans:
        return Verdict(False, 0.0, 0, 0, "words")
    whole = terms(passage)
    start, end, near = _window(wanted, passage, spans)
    score = (len(wanted & whole) + 2 * len(wanted & near)) / (3 * len(wanted))
    if score < ENOUGH:
        return Verdict(False, score, start, end, "words")
    # What a window leans on stands just before it.
    before = next((passage[s:e] for s, e in reversed(spans) if e <= start), "")
    around = f"{before} {passage[start:end]}"
    if not numbers(sentence) <= numbers(around):
        return Verdict(False, score, start, end, "number")
    if not _names(sentence) <= _names(around):
        return Verdict(False, score, start, end, "entity")
    if _signs(sentence) - _signs(passage):
        return Verdict(False, score, start, end, "sign")
    against = _against(sentence, passage[start:end]) or ("altered" if altered(sentence, [passage]) else "")
    against = against or ("scrambled" if _scrambled(sentence, passage, spans) else "")
    return Verdict(not against, score, start, end, against)


def altered(sentence: str, passages: Sequence[str]) -> bool:
    """Whether it is a sentence of one of ``passages`` with a word put in that none of them has."""
    if terms(sentence) <= frozenset().union(*map(terms, passages)):
        return False
    said = _TOKEN.findall(fold(sentence))
    for text in (passage[start:end] for passage in passages for start, end in sentences(passage)):
        blocks = SequenceMatcher(None, said, _TOKEN.findall(fold(text)), False).get_matching_blocks()
        if max(b.size for b in blocks) >= COPIED and sum(b.size for b in blocks) >= NEAR_COPY * len(said):
            return True
    return False


def claims(sentence: str, belief: str) -> bool:
    """Whether ``sentence`` states ``belief``, what a misconception says and a passage denies."""
    said, believed = _sequence(sentence), _sequence(belief)
    alike = _in_order(said, believed) >= IN_ORDER * max(1, len(said), len(believed))
    return bool(said) and alike and _denies(sentence) == _denies(belief)


def _scrambled(sentence: str, passage: str, spans: list[tuple[int, int]]) -> bool:
    """Whether it is made of the words of the passage alone, in an order that one or two of its sentences do not have.

    « L'entraînement annule le modèle » takes its words from the passage and its claim from nowhere.
    """
    said, whole = _sequence(sentence), terms(passage)
    if sum(term in whole for term in said) < ITS_OWN * len(said):
        return False
    runs = (
        passage[spans[place][0] : spans[min(place + more, len(spans) - 1)][1]]
        for place in range(len(spans))
        for more in (0, 1)
    )
    return max(_in_order(said, _sequence(run)) for run in runs) < IN_ORDER * len(said)


def _sequence(text: str) -> list[str]:
    """The words of ``text`` that say something, by their stems, as they follow each other."""
    return [word.term for word in words(text) if not word.surface.isdigit()]


def _in_order(said: Sequence[str], other: Sequence[str]) -> int:
    """How many of ``said`` stand in ``other`` in the same order (the longest common subsequence)."""
    row = [0] * (len(other) + 1)
    for term in said:
        above, row = row, [0]
        for place, each in enumerate(other):
            row.append(above[place] + 1 if term == each else max(above[place + 1], row[place]))
    return row[-1]


def _signs(text: str) -> frozenset[str]:
    """Signs that can turn what is said round: =, →, ≠, crosses, smileys, bars through letters."""
    return frozenset(
        char for char in text if unicodedata.category(char) in ("Sm", "So", "Sk", "Mn", "Me") or char == "~"
    )


def _names(text: str) -> frozenset[str]:
    """Names of things that have no other: acronyms, model and function names, versions."""
    return frozenset(fold(found[0]) for found in _NAME.finditer(text))


@lru_cache(20_000)
def terms(text: str) -> frozenset[str]:
    """The words of ``text`` that say something, by their stems."""
    return frozenset(word.term for word in words(text) if not word.surface.isdigit())


def numbers(text: str) -> frozenset[str]:
    """The numbers of ``text``: a comma is a point, what groups thousands is left out."""
    joined = re.sub(r"(?<=\d)[\u00a0\u202f ](?=\d{3}\b)", "", text)
    figures = (found[0].replace(",", ".").replace("−", "-").lstrip("+-") for found in _NUMBER.finditer(joined))
    written = (_WRITTEN[word] for word in re.findall(r"[a-z]+", fold(text)) if word in _WRITTEN)
    return frozenset((*figures, *written))


def _window(wanted: frozenset[str], text: str, spans: list[tuple[int, int]]) -> tuple[int, int, frozenset[str]]:
    """The sentence of the passage, or the few in a row, that hold most of what is wanted; the shortest wins."""
    best: tuple[float, int, int, frozenset[str]] | None = None
    for place in range(len(spans)):
        for size in (1, 2, 3):
            if place + size > len(spans):
                break
            start, end = spans[place][0], spans[place + size - 1][1]
            held = terms(text[start:end])
            value = len(wanted & held) - 0.6 * (size - 1)
            if best is None or value > best[0]:
                best = (value, start, end, held)
    assert best is not None
    return best[1], best[2], best[3]


def _against(sentence: str, window: str) -> str:
    """Whether a clause of the sentence denies or reverses the clause of the window that it is closest to."""
    clauses = _clauses(window)
    for clause in _clauses(sentence):
        own = terms(clause)
        if not own:
            continue
        near = max(clauses, key=lambda other: (len(own & terms(other)), -len(terms(other))))
        shared = own & terms(near)
        if len(shared) < min(2, len(own)):
            continue
        if _denies(clause) != _denies(near):
            return "negation"
        if _reversed(clause, near):
            return "opposite"
    return ""


def _clauses(text: str) -> list[str]:
    found = [part.strip() for part in _CLAUSE.split(re.sub(r"(?<=[.!?…])\s+", " ; ", text)) if part and part.strip()]
    return found or [text]


def _denies(clause: str) -> bool:
    """Whether a clause is negative; « ne... que » is not."""
    return bool(_NEGATION.search(_ONLY.sub(" ", clause)))


def _reversed(clause: str, other: str) -> bool:
    mine, theirs = set(_surfaces(clause)), set(_surfaces(other))
    for first, second in _OPPOSITES:
        for one, two in ((first, second), (second, first)):
            if one in mine and one not in theirs and two in theirs and two not in mine:
                return True
    return False


def _surfaces(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", fold(text))
