"""What is measured of one answer, without a model: only what can be computed from its lines and its citations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compagnon.errors import UserError
from compagnon.i18n import N_
from compagnon.providers.extract import KIND as EXTRACT
from compagnon.services.tutor.answer.events import Line, Reply
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.passages import resolve, source_of
from compagnon.services.tutor.prompts.questions import Asked
from compagnon.services.tutor.search.language import language_of

Values = Mapping[str, float | None]
"""Measures of one answer; None where one says nothing of it."""

POINTS = range(3, 6)
"""How many points the form of an answer asks for."""
LONG_LINE = 25
"""Words over which a line is long for a beginner."""
_FORMULA = re.compile(r"[=∑∏∂∇√≤≥≈∈^]|\\[a-z]{2,}")


@dataclass(frozen=True)
class Measure:
    """One figure: a share of 1 that must not fall (``gated``), or a quantity that is only shown."""

    title: str
    meaning: str
    gated: bool = True
    unit: str = ""
    less_is_better: bool = False


MEASURES: Mapping[str, Measure] = {
    "decided": Measure(N_("Answers or refuses rightly"), N_("decided by the search, before the prompt is read")),
    "written": Measure(
        N_("Written by the model"), N_("at least two checked lines; else passages are put in order instead")
    ),
    "kept": Measure(N_("Lines that pass the check"), N_("of those that the model wrote")),
    "cited": Measure(N_("Expected subtopic cited"), N_("by a line of the model")),
    "resolved": Measure(N_("Citations found again"), N_("word for word in the knowledge base")),
    "example": Measure(N_("Example"), N_("the model gives one of the knowledge base")),
    "points": Measure(N_("Three to five points"), N_("as the form of an answer asks")),
    "language": Measure(N_("Language asked for"), N_("of the whole text, by its small words")),
    "plain": Measure(N_("Plain for a beginner"), N_("lines of 25 words at most, without a formula")),
    "words": Measure(N_("Words"), N_("of the lines that are shown"), gated=False),
    "tokens": Measure(N_("Tokens"), N_("as the service counts them"), gated=False, less_is_better=True),
    "cost": Measure(N_("Cost"), N_("by the price of the provider"), gated=False, unit="USD", less_is_better=True),
    "seconds": Measure(N_("Time"), N_("to the whole answer"), gated=False, unit="s", less_is_better=True),
}
"""Every measure by its name, in the order in which they are shown."""


@dataclass(frozen=True)
class Heard:
    """One answer: what the model wrote, the lines of it that are shown, and the whole that a learner would get."""

    raw: str
    lines: tuple[Line, ...]
    reply: Reply
    seconds: float
    model: str = ""
    failure: UserError | None = None
    """Why the service did not answer."""


def measure(asked: Asked, heard: Heard, base: Base, *, desk: bool) -> dict[str, float | None]:
    """The measures of ``heard``; what the search refuses says nothing of the prompt, but that it is right or wrong."""
    reply = heard.reply
    values: dict[str, float | None] = dict.fromkeys(MEASURES)
    values["decided"] = float(reply.refused == asked.refuse)
    if reply.refused:
        return values
    values |= {"tokens": float(reply.tokens), "cost": reply.cost, "seconds": heard.seconds}
    if asked.refuse:
        return values
    shown = [line for line in heard.lines if line.citations]
    numbers = {number for line in shown for number in line.citations}
    cited = [citation for citation in reply.citations if citation.number in numbers]
    written = len(shown) + reply.dropped
    values["written"] = float(reply.provider != EXTRACT)
    values["kept"] = len(shown) / written if written else 0.0
    values["cited"] = float(any(one.id.partition("/")[0] in asked.expected for one in cited))
    if cited:
        values["resolved"] = sum(_stands(one.id, one.start, one.end, one.quote, base) for one in cited) / len(cited)
    if reply.mode == "answer" and not desk:
        gives = any(line.kind == "code" for line in shown) or any("/example/" in one.id for one in cited)
        values["example"] = float(gives)
        values["points"] = float(sum(line.kind == "point" for line in shown) in POINTS)
    values["language"] = float(bool(heard.raw.strip()) and language_of(heard.raw, reply.language) == reply.language)
    if reply.level == "beginner" and not desk:
        values["plain"] = _plain(shown)
    values["words"] = float(sum(len(line.text.split()) for line in shown))
    return values


def _plain(lines: Sequence[Line]) -> float | None:
    told = [line.text for line in lines if line.kind != "code"]
    if not told:
        return None
    return sum(len(text.split()) <= LONG_LINE and not _FORMULA.search(text) for text in told) / len(told)


def _stands(passage_id: str, start: int, end: int, quote: str, base: Base) -> bool:
    try:
        return source_of(resolve(passage_id, base), base)[start:end] == quote
    except UserError:
        return False
