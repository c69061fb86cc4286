"""What a table is likely for: its key, the column to predict, the task and its inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compagnon.i18n import N_
from compagnon.scaffold.folder import slug
from compagnon.spec.model import PersonalClass, TaskName
from compagnon.stages.prepare.infer import Because, Guess

_KEY = re.compile(
    r"(.*_)?(id|ids|identifiant|identifier|key|cle|uuid|guid|num|numero|number|ref|reference|code|index|rowid|row_id)|id_.*"
)
_TARGET = re.compile(
    r"(.*_)?(label|labels|target|cible|class|classe|category|categorie|topic|theme|intent|intention|sentiment|species"
    r"|espece|income|outcome|y|tag|etiquette|result|resultat|survived|churn|fraud|fraude|default|diagnosis|spam"
    r"|approved|failure|panne|priority|priorite|quality|level|niveau)(_.*)?"
)
MOST_CLASSES = 200
MOST_NUMBERED_CLASSES = 20
LEAST_SCORE = 0.5
FEWEST_GROUPS = 50
"""With fewer persons, a split by person may leave a side without some class."""


@dataclass(frozen=True)
class Goal:
    """A model that could be learned, and why."""

    task: TaskName
    target: str
    inputs: tuple[str, ...]
    group: str | None
    why_target: tuple[Because, ...]
    why_task: Because
    left_out: Mapping[str, Because]


def key_of(guesses: Sequence[Guess], is_unique: Mapping[str, bool]) -> tuple[str, Because] | None:
    """The column that identifies a row, if one looks so; ``is_unique`` says it of each table by column."""
    for guess in guesses:
        if not is_unique.get(guess.source) or guess.type not in ("integer", "text", "category") or guess.words > 1.5:
            continue
        if guess.source == "_index":
            return guess.source, Because(N_("each row has its own number, in a column that the header does not name"))
        if _KEY.fullmatch(slug(guess.source, between="_", fallback="x")):
            return guess.source, Because(N_("each row has a value of its own, and the name says so"))
    return None


def goal_of(guesses: Sequence[Guess], key: str | None, personal: Mapping[str, PersonalClass]) -> Goal | None:
    """The most likely classification of a table; None if no column could be a target."""
    best: tuple[float, Guess, tuple[Because, ...]] | None = None
    for place, guess in enumerate(guesses):
        if guess.source == key or guess.source in personal:
            continue
        score, why = _score(guess, place == len(guesses) - 1)
        if score >= LEAST_SCORE and (best is None or score > best[0]):
            best = (score, guess, why)
    if best is None:
        return None
    target = best[1]
    left_out: dict[str, Because] = {}
    texts: list[Guess] = []
    columns: list[Guess] = []
    for guess in guesses:
        if guess.source in (target.source, key):
            continue
        reason = _why_not(guess, personal.get(guess.source))
        if reason is not None:
            left_out[guess.source] = reason
        elif guess.type == "text":
            texts.append(guess)
        else:
            columns.append(guess)
    group = next(
        (n for n, kind in personal.items() if kind in ("email", "phone", "identifier") and _repeats(guesses, n)), None
    )
    texts.sort(key=lambda g: -g.words)
    if texts and (texts[0].words >= 4 or not columns):
        for guess in (*texts[1:], *columns):
            left_out[guess.source] = Because(N_("a text classifier reads one text"))
        task = Because(N_("`{input}` is a text of {words} words on average"), _of(texts[0]))
        return Goal("text-classification", target.source, (texts[0].source,), group, best[2], task, left_out)
    for guess in texts:
        left_out[guess.source] = Because(N_("free text, which this task does not read"))
    if not columns:
        return None
    task = Because(N_("{count} columns of numbers, categories and dates"), {"count": len(columns)})
    names = tuple(guess.source for guess in columns)
    return Goal("tabular-classification", target.source, names, group, best[2], task, left_out)


def _of(guess: Guess) -> dict[str, object]:
    return {"input": guess.source, "words": round(guess.words)}


def _score(guess: Guess, is_last: bool) -> tuple[float, tuple[Because, ...]]:
    classes = len(guess.values)
    most = MOST_NUMBERED_CLASSES if guess.type == "integer" else MOST_CLASSES
    possible = guess.type in ("category", "boolean", "integer") and 2 <= classes <= most
    if not possible or guess.filled < 0.5 * guess.rows:
        return 0, ()
    score, why = 0.0, [Because(N_("{count} classes"), {"count": classes})]
    if _TARGET.fullmatch(slug(guess.source, between="_", fallback="x")):
        score += 2
        why.append(Because(N_("its name is one that targets often have")))
    if is_last:
        score += 1.5
        why.append(Because(N_("it is the last column")))
    if guess.type != "integer":
        score += 0.5
    return score + (0.2 if guess.filled == guess.rows else 0), tuple(why)


def _why_not(guess: Guess, personal: PersonalClass | None) -> Because | None:
    if guess.source == "_index":
        return Because(N_("it is only a row number"))
    if personal is not None and personal != "free_text":
        return Because(N_("personal data"))
    if guess.filled == 0:
        return Because(N_("it is empty"))
    if guess.distinct == 1:
        return Because(N_("it always has the same value"))
    is_named = _KEY.fullmatch(slug(guess.source, between="_", fallback="x")) is not None
    if guess.unique and guess.words <= 1.5 and (guess.type == "text" or (guess.type == "integer" and is_named)):
        return Because(N_("each row has a value of its own: nothing can be learned from it"))
    if guess.type == "text" and guess.words <= 1.5:
        return Because(N_("it looks like a code with many values"))
    return None


def _repeats(guesses: Sequence[Guess], name: str) -> bool:
    guess = next((g for g in guesses if g.source == name), None)
    return guess is not None and FEWEST_GROUPS <= guess.distinct < guess.filled
