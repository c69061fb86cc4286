"""The level of a question: as the chain's own model says, else by the words in which it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable

from compagnon.services.tutor.knowledge.model import DIFFICULTIES, Difficulty
from compagnon.services.tutor.search.words import fold

MODEL = "level"
"""Name of the solution's model that tells the level."""

Inferred = Callable[[str], Difficulty]

_ADVANCED = re.compile(
    r"\b(?:demontr\w*|prouv\w*|montrer que|preuve|deriv\w*|complexite|asymptot\w*|convergence|theor\w*|borne\w*|"
    r"variance|"
    r"hessien\w*|jacobien\w*|lipschitz|quantifi\w*|distill\w*|sharding|zero redundancy|fsdp|lora rank|kv.?cache|rope|"
    r"flash.?attention|contrasti\w*|compromis|trade-?off|latence|p95|debit|throughput|article \d+|annexe|prove|derive|"
    r"formellement|mathematiquement|rigoureus\w*|en production|a l.echelle|esperance|divergence|entropie relative)\b"
)
_INTERMEDIATE = re.compile(
    r"\b(?:comment (?:choisir|regler|implement\w*|eviter|corriger|evaluer|entrainer|mesurer)|erreur|bug|code|keras|"
    r"pytorch|tensorflow|"
    r"hyperparametre\w*|taux d.apprentissage|learning rate|batch|epochs?|surapprentissage|overfitting|dropout|"
    r"optimiseur|adam|sgd|"
    r"regularisation|fine.?tun\w*|embedding\w*|implement\w*|choisir|regler|difference entre|versus|vs|f1|rappel|"
    r"matrice|"
    r"loss|accuracy|gradient|mon modele|mon reseau|how (?:do|should|to)|which)\b"
)
_BEGINNER = re.compile(
    r"\b(?:c.?est quoi|c koi|kesako|koi|qu.est.ce (?:que|qu)|definition|definir|que (?:veut dire|signifie)|"
    r"simple\w*|debut\w*|"
    r"pour les nuls|a quoi (?:ca |cela )?sert|sert a quoi|je (?:ne )?comprends? (?:pas|rien)|what is|what does|"
    r"explain like|first step|analogie)\b"
)


def by_words(text: str) -> Difficulty:
    """A rule: words of experts, then of beginners, then of practice; else it is a beginner's."""
    folded = fold(text)
    if _ADVANCED.search(folded):
        return "advanced"
    if _BEGINNER.search(folded):
        return "beginner"
    return "intermediate" if _INTERMEDIATE.search(folded) else "beginner"


def as_level(label: str) -> Difficulty | None:
    """``label`` if it is a level."""
    return next((level for level in DIFFICULTIES if level == label), None)
