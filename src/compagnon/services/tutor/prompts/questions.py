"""The questions on which prompts are scored: JSON Lines, each with what its answer must cite or that it is refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from compagnon.errors import Location, Problem, Problems, UserError
from compagnon.i18n import _
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.model import Difficulty, Language
from compagnon.services.tutor.prompts.variant import place
from compagnon.spec.text import read_text

if TYPE_CHECKING:
    from compagnon.solution import Solution

FILE = "questions.jsonl"
"""Beside the prompt."""
MOST = 500


class Asked(BaseModel):
    """One question: either ``expected``, subtopics of which one must be cited, or ``refuse``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = Field(min_length=1, max_length=1000)
    expected: tuple[str, ...] = ()
    refuse: bool = False
    language: Language | None = None
    """Of the answer; that of the question by default."""
    level: Difficulty = "beginner"
    """Said, never inferred: two prompts are compared at the same level."""


@dataclass(frozen=True)
class QuestionSet:
    """The questions of a file, in their order."""

    name: str
    asked: tuple[Asked, ...]
    digest: str

    def __len__(self) -> int:
        return len(self.asked)


def read_questions(solution: Solution, given: str | None, base: Base) -> QuestionSet:
    """The questions of the file ``given``, else those beside the prompt.

    Raises UserError ``prompt.questions``, ``prompt.no-questions``.
    """
    if given is None:
        path = place(solution).parent / FILE
    else:
        path = Path(given) if Path(given).is_file() else solution.root / given
    path, root = path.absolute(), solution.root.absolute()
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(given)
    if given is None and not path.is_file():
        raise UserError(
            "prompt.no-questions",
            _("There is no set of questions beside the prompt."),
            where=Location(name),
            next=_('Write one, a line each: {"question": "...", "expected": ["TOPIC.SUBTOPIC"]}'),
        )
    text = read_text(path, name)
    problems, asked = Problems(), []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = Location(name, number)
        try:
            one = Asked.model_validate_json(line)
        except ValidationError as error:
            what = _("This line is not a question of a set: {reason}.").format(reason=error.errors()[0]["msg"])
            problems.add(Problem("prompt.questions", what, where))
            continue
        unknown = [each for each in one.expected if each not in base.by_id]
        if one.refuse == bool(one.expected):
            what = _("Write either `expected`, with subtopics, or `refuse`.")
            problems.add(Problem("prompt.questions", what, where))
        elif unknown:
            what = _("The knowledge base has no subtopic {names}.").format(names=", ".join(unknown))
            problems.add(Problem("prompt.questions", what, where))
        asked.append(one)
    if not asked or len(asked) > MOST:
        what = _("A set holds from 1 to {count} questions.").format(count=MOST)
        problems.add(Problem("prompt.questions", what, Location(name)))
    problems.raise_if_any()
    digest = hashlib.sha256("\n".join(one.model_dump_json() for one in asked).encode()).hexdigest()
    return QuestionSet(name, tuple(asked), digest)
