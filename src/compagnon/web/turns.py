"""Turns of a conversation as pages show them: sentences in blocks, citations with the words around them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from compagnon.errors import UserError
from compagnon.i18n import _, current
from compagnon.services.tutor.conversations.store import Kept
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.passages import edition_of, resolve
from compagnon.services.tutor.search.language import language_of
from compagnon.web.editions import EDITION
from compagnon.web.live import Making

EXAMPLES = 3
"""Questions to click: titles of subtopics for beginners."""


def level_word(level: str | None) -> str:
    """A level in words."""
    return {
        "beginner": _("beginner"),
        "intermediate": _("intermediate"),
        "advanced": _("advanced"),
    }.get(level or "", "")


def how_word(how: str | None) -> str:
    """How the level is known."""
    return {
        "inferred": _("inferred from the question"),
        "chosen": _("chosen by you"),
        "remembered": _("chosen by you"),
    }.get(how or "", "")


def shown_turn(turn: Kept, base: Base | None, making: Making | None) -> dict[str, Any]:
    """One turn as its page shows it."""
    lines: Sequence[Mapping[str, Any]] = turn.lines
    if making is not None:
        lines = [{"kind": line.kind, "text": line.text, "citations": line.citations} for line in making.lines]
    return {
        "id": turn.id,
        "at": turn.at,
        "question": turn.question,
        "making": making is not None,
        "cut": making is None and turn.state == "asked",
        "stopped": making is None and turn.state == "stopped",
        "language": answered_in(turn, base),
        "blocks": blocks(lines),
        "count": len(lines),
        "citations": [] if making is not None else [shown_citation(citation, base) for citation in turn.citations],
        "level": level_word(turn.level),
        "how": how_word(turn.how),
        "provider": turn.provider,
        "sure": turn.sure,
        "refused": turn.refused,
        "tokens": turn.tokens,
        "cost": turn.cost,
        "rating": turn.rating,
    }


def answered_in(turn: Kept, base: Base | None) -> str:
    """The language of an answer, for those who read it aloud: that of the passages cited, else of the question."""
    edition = next((edition_of(citation["id"]) for citation in turn.citations), None)
    if edition is not None:
        return edition or (base.language if base else current())
    return language_of(turn.question, base.language if base else "fr")


def examples(base: Base | None) -> list[str]:
    """Titles of subtopics for beginners, spread over the base."""
    shown = base.spoken(current()) if base else ()
    easy = [subtopic.title for subtopic in shown if subtopic.difficulty == "beginner"]
    step = max(1, len(easy) // EXAMPLES)
    return easy[::step][:EXAMPLES]


def blocks(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lines as blocks: sentences that follow each other are one paragraph, points one list."""
    found: list[dict[str, Any]] = []
    for line in lines:
        kind = line["kind"]
        if kind in ("text", "point") and found and found[-1]["kind"] == kind:
            found[-1]["lines"].append(line)
        else:
            found.append({"kind": kind, "lines": [line]})
    return found


def shown_citation(citation: Mapping[str, Any], base: Base | None) -> dict[str, Any]:
    """A citation with the words around its quote, and the address where it is read whole."""
    before = after = heading = ""
    address = None
    if base is not None:
        with contextlib.suppress(UserError):
            passage = resolve(citation["id"], base)
            start, end = citation["start"] - passage.start, citation["end"] - passage.start
            if passage.text[start:end] == citation["quote"]:  # the base has not changed since
                before, after = passage.text[:start], passage.text[end:]
            heading = passage.heading
            topic, _dot, name = passage.subtopic.partition(".")
            mark = f"{passage.part}-{passage.number}"
            spoken = passage.edition or base.language
            query = f"at={mark}&from={citation['start']}&to={citation['end']}&{EDITION}={spoken}"
            address = f"/knowledge/{quote(topic)}/{quote(name)}?{query}#{mark}"
    return {
        "number": citation["number"],
        "title": citation["title"],
        "heading": heading or shorter(citation["quote"], 70),
        "before": before,
        "quote": citation["quote"],
        "after": after,
        "address": address,
    }


def shorter(text: str, most: int) -> str:
    """``text`` up to a whole word."""
    return text if len(text) <= most else text[:most].rpartition(" ")[0] + "…"
