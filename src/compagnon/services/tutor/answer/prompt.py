"""The prompt: a versioned file of the solution, filled in for a level and a manner, with passages and earlier turns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template

import yaml

from compagnon.errors import Location, UserError
from compagnon.i18n import _
from compagnon.providers.port import Message, Passage
from compagnon.services.tutor.answer.events import Mode
from compagnon.services.tutor.answer.history import Turn, recent, summed
from compagnon.services.tutor.knowledge.model import Difficulty, Language
from compagnon.spec.text import read_text

LONGEST_QUESTION = 4000
"""Characters of a question that are read."""
_HEAD = re.compile(r"\A---\n(?P<head>.*?\n)---\n(?P<body>.*)\Z", re.DOTALL)

LEVELS: dict[Difficulty, tuple[str, str]] = {
    "beginner": ("débutant", "Définissez chaque terme, prenez une image de la vie courante, évitez les formules."),
    "intermediate": (
        "intermédiaire",
        "Dites comment faire et choisir ; montrez un cas pratique, avec du code si un passage en donne.",
    ),
    "advanced": ("avancé", "Allez au mécanisme, aux formules et aux compromis ; ne redites pas les bases."),
}
FORMS: dict[str, str] = {
    "answer": "une ou deux phrases de définition ; le titre « ## Points » et trois à cinq points ; le titre "
    "« ## $example » et un exemple concret d'informatique.",
    "hints": "c'est un exercice. Ne donnez pas la solution. Donnez deux ou trois indices en points, du plus général "
    "au plus "
    "précis, puis invitez l'apprenant à essayer.",
    "refusal": "aucune.",
    "solution": "l'apprenant a déjà eu des indices. Donnez la démarche en points, étape par étape, puis un exemple "
    "résolu.",
}
DESK = "la réponse d'abord, en une ou deux phrases ; puis, s'il le faut, les étapes en points. Aucun titre."
"""Form of an answer from a firm's FAQ."""
LANGUAGES: dict[Language, str] = {"fr": "français", "en": "anglais"}
EXAMPLE: dict[Language, str] = {"fr": "Exemple", "en": "Example"}


@dataclass(frozen=True)
class Prompt:
    """The text of a prompt file, with its version."""

    version: str
    body: str

    def system(self, level: Difficulty, mode: Mode, language: Language = "fr", *, desk: bool = False) -> str:
        """The instructions for one answer; ``desk``: from a firm's FAQ."""
        name, advice = LEVELS[level]
        values = {
            "level": name,
            "advice": advice,
            "form": DESK if desk else Template(FORMS[mode]).substitute(example=EXAMPLE[language]),
            "language": LANGUAGES[language],
        }
        return Template(self.body).safe_substitute(values).strip()


@lru_cache(8)
def _read(path: Path, shown: str, changed: int) -> Prompt:
    match = _HEAD.match(read_text(path, shown).replace("\r\n", "\n"))
    try:
        head = yaml.safe_load(match["head"]) if match else None
    except yaml.YAMLError:
        head = None
    if match is None or not isinstance(head, dict) or "version" not in head:
        raise UserError(
            "tutor.bad-prompt",
            _("The prompt {file} does not begin with its version.").format(file=shown),
            where=Location(shown, 1),
            next=_("Begin it with three lines: ---, version: 1, ---"),
        )
    return Prompt(str(head["version"]), match["body"])


def read_prompt(path: Path, shown: str) -> Prompt:
    """The prompt in ``path``; raises UserError ``tutor.bad-prompt``, and those of a file that cannot be read."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _read(path, shown, changed)


def messages(
    prompt: Prompt,
    question: str,
    passages: tuple[Passage, ...],
    turns: tuple[Turn, ...],
    level: Difficulty,
    mode: Mode,
    language: Language = "fr",
    *,
    desk: bool = False,
) -> tuple[Message, ...]:
    """What a model is asked: instructions, earlier turns, then passages and question as matter to read."""
    found = [Message("system", prompt.system(level, mode, language, desk=desk))]
    for turn in recent(turns):
        found += [Message("user", turn.question), Message("assistant", turn.answer)]
    parts = [f'<passage id="{p.id}" titre="{_inside(p.title)}">\n{_inside(p.text)}\n</passage>' for p in passages]
    older = summed(turns)
    if older:
        parts.append("<avant>\n" + "\n".join(f"- {_inside(line)}" for line in older) + "\n</avant>")
    parts.append(f"<question>\n{_inside(question[:LONGEST_QUESTION])}\n</question>")
    return (*found, Message("user", "\n\n".join(parts)))


def _inside(text: str) -> str:
    """``text`` without what could close or open the marks around it."""
    return text.replace("<", "‹").replace(">", "›").replace('"', "”")
