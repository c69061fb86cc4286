"""What earlier turns add to a question: bounded, the older ones summed up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from compagnon.services.tutor.answer.events import Mode
from compagnon.services.tutor.search.words import fold, words

WHOLE = 3
"""Turns that a model reads as they are; of the older ones it reads the questions."""
SUMMED = 8
"""Older turns that are summed up."""
LONGEST = 800
"""Characters kept of an earlier answer."""

_FOLLOWS = re.compile(
    r"^\W*(?:et|mais|ou|donc|alors|and|or|but|so|ok|d.accord|merci|what about|how about|pareil|idem|meme "
    r"(?:question|chose)|"
    r"pourquoi ca|comment ca|par exemple|un exemple|donne|encore|plus (?:simple|de details|court)|precise|detaille|"
    r"continue|"
    r"(?:re)?expli\w+(?: moi)?(?: mieux| autrement)?|la (?:solution|reponse)|why|more|again)\b"
)
_POINTS_BACK = re.compile(
    r"\b(?:ca|cela|celui-ci|celle-ci|ceux-ci|ce (?:truc|machin|dernier)|cette (?:methode|technique|derniere)|ces "
    r"(?:deux|derniers)|il|elle|ils|elles|"
    r"l.autre|les deux|it|that|this one|they|them|both)\b"
)
FEW = 3
"""A question with at most so many words of its own may point back."""


@dataclass(frozen=True)
class Turn:
    """One question and what was answered."""

    question: str
    """As it was understood: with what the turn before added."""
    answer: str
    mode: Mode = "answer"
    subtopics: tuple[str, ...] = ()


def understood(question: str, turns: Sequence[Turn]) -> str:
    """``question`` with what it takes from the turn before: « et en Keras ? » after a question on dropout."""
    last = next((turn for turn in reversed(turns) if turn.mode != "refusal"), None)
    if last is None or not follows(question):
        return question
    kept = last.question if len(last.question) <= 300 else last.question[:300].rpartition(" ")[0]
    return f"{kept} {question}" if kept.strip() else question


def follows(question: str) -> bool:
    """Whether a question cannot be understood without the one before it."""
    folded = fold(question).strip()
    own = len(words(question))
    if own == 0:
        return True
    if own > FEW:
        return False
    return bool(_FOLLOWS.search(folded) or _POINTS_BACK.search(folded))


def recent(turns: Sequence[Turn]) -> list[Turn]:
    """The turns that are read as they are, their answers cut short."""
    return [Turn(turn.question[:LONGEST], turn.answer[:LONGEST], turn.mode, turn.subtopics) for turn in turns[-WHOLE:]]


def summed(turns: Sequence[Turn]) -> list[str]:
    """The questions of the turns before those, one a line."""
    older = turns[:-WHOLE] if len(turns) > WHOLE else ()
    return [" ".join(turn.question.split())[:160] for turn in older[-SUMMED:]]
