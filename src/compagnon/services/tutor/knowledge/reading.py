"""What was read of a course, with what was left out of it."""

from __future__ import annotations

from dataclasses import dataclass

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.tutor.knowledge.blocks import Block

LARGEST = 50_000_000
"""Bytes of a course."""
MOST_TEXT = 5_000_000
"""Characters of a course, once it is read: some thousand pages."""


@dataclass(frozen=True)
class Reading:
    """The blocks of a course, and a sentence for each thing that a person should look at in it."""

    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()


def too_large(name: str) -> UserError:
    """The error for a course that is larger than what is read, compressed or not."""
    return UserError(
        "knowledge.course-too-large",
        _("{path} is larger than what is read at once.").format(path=name),
        next=_("Cut it into several files, or take its pictures out."),
    )


def damaged(name: str) -> UserError:
    """The error for a file that is not what its first bytes say."""
    return UserError(
        "knowledge.course-damaged",
        _("{path} is damaged, or written in a way that is not understood.").format(path=name),
        next=_("Open it in the program that made it, save it again, then import that file."),
    )
