"""What learners asked, told in groups: nothing that fewer than five of them share, and no question word for word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from compagnon.database.ledger import reading
from compagnon.database.tables import conversations, turns
from compagnon.services.tutor.search.words import words

SMALLEST = 5
"""Learners that a group must have to be told."""
MOST_WORDS = 20


@dataclass(frozen=True)
class Group:
    """``learners`` different people or browsers asked ``questions`` about ``name``."""

    name: str
    learners: int
    questions: int


@dataclass(frozen=True)
class Asked:
    """Groups, the largest first. ``learners`` and ``questions`` are None where they are too few to be told."""

    learners: int | None
    questions: int | None
    topics: tuple[Group, ...]
    subtopics: tuple[Group, ...]
    levels: tuple[Group, ...]
    unanswered: tuple[Group, ...]
    """Words of questions without an answer, or with one that is not sure."""
    misunderstood: tuple[Group, ...]
    """Subtopics whose answers did not help."""


def asked(engine: Engine, since: datetime) -> Asked:
    """What was asked from ``since`` on."""
    query = (
        select(
            conversations.c.owner, turns.c.question, turns.c.subtopics, turns.c.level, turns.c.refused, turns.c.sure,
            turns.c.rating,
        )
        .join(conversations, conversations.c.id == turns.c.conversation_id)
        .where(turns.c.at >= since)
    )  # fmt: skip
    kinds: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    owners: list[str] = []
    with reading(engine) as connection:
        for row in connection.execute(query):
            owners.append(row.owner)
            about = "" if row.refused else next(iter(row.subtopics or ()), "")
            if about:
                kinds["subtopics"][about].append(row.owner)
                kinds["topics"][about.partition(".")[0]].append(row.owner)
            if row.level and not row.refused:
                kinds["levels"][row.level].append(row.owner)
            if row.refused or row.sure is False:
                for word in {word.surface for word in words(row.question)}:
                    kinds["unanswered"][word].append(row.owner)
            if about and row.rating == "bad":
                kinds["misunderstood"][about].append(row.owner)
    enough = len(set(owners)) >= SMALLEST
    return Asked(
        len(set(owners)) if enough else None,
        len(owners) if enough else None,
        groups(kinds["topics"].items()),
        groups(kinds["subtopics"].items()),
        groups(kinds["levels"].items()),
        groups(kinds["unanswered"].items())[:MOST_WORDS],
        groups(kinds["misunderstood"].items()),
    )


def groups(found: Iterable[tuple[str, list[str]]]) -> tuple[Group, ...]:
    """Those with enough different learners."""
    told = [Group(name, len(set(owners)), len(owners)) for name, owners in found]
    kept = [group for group in told if group.learners >= SMALLEST]
    return tuple(sorted(kept, key=lambda group: (-group.learners, -group.questions, group.name)))
