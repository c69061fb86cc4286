"""``extract``: no model and no network; the passages it is given, arranged as a teacher would.

It writes nothing of its own but headings: each line is a passage as it stands, with its citation.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import ClassVar

from compagnon.i18n import N_, _, current
from compagnon.providers.port import Answer, Passage, Piece, Request, Usage
from compagnon.providers.steady import gather
from compagnon.spec.model import ProviderOptions

KIND = "extract"
_BLANKS = re.compile(r"[ \t\r\n]+")
PARTS = {
    "answer": N_("Answer"),
    "definition": N_("Definition"),
    "point": N_("Points"),
    "example": N_("Example"),
    "mistake": N_("Common mistake"),
    "hint": N_("Hints"),
    "further": N_("To go further"),
}
"""Parts of an answer in their order, with their headings."""


class ExtractOptions(ProviderOptions):
    """Passages arranged without a model; needs nothing."""


class Extract:
    """The provider that is always there."""

    Options: ClassVar[type[ProviderOptions]] = ExtractOptions
    extra: ClassVar[str | None] = None
    outside = False
    model = KIND

    def __init__(self, name: str, options: ExtractOptions, key: str | None) -> None:
        self.name, self.options = name, options

    async def stream(self, request: Request) -> AsyncIterator[Piece]:
        """A piece for each line, then the end; it uses no token."""
        for line in lines(request.passages):
            yield Piece(line + "\n", model=KIND)
        yield Piece(finish="stop", usage=Usage(0, 0), model=KIND)

    async def complete(self, request: Request) -> Answer:
        return await gather(self, request)

    async def models(self) -> list[str]:
        return [KIND]

    async def close(self) -> None:
        pass


def lines(passages: tuple[Passage, ...]) -> list[str]:
    """The lines of an answer: a heading before each part that has passages; those without a part are points."""
    found: list[str] = []
    for part, heading in PARTS.items():
        own = [passage for passage in passages if (passage.part or "point") == part]
        if own and part == "answer":  # the question that is answered stands for a heading
            found += [f"{_quoted(own[0].title)} [{own[0].id}]", *(f"{_flat(each.text)} [{each.id}]" for each in own)]
            continue
        if own:
            found.append(f"## {_(heading)}")
        for passage in own:
            bullet = "- " if part in ("point", "hint", "further") else ""
            text = _flat(passage.title if part == "further" else passage.text)
            if part == "mistake":
                found.append(f"{_quoted(passage.title)} [{passage.id}]")
            found.append(f"{bullet}{text} [{passage.id}]")
            if passage.code:
                found += ["```", *passage.code.splitlines(), "```"]
    return found


def _quoted(text: str) -> str:
    """``text`` in quotation marks; those inside it become of the second kind."""
    inside = re.sub(r"«\s*", "“", re.sub(r"\s*»", "”", text))
    return f"« {inside} »" if current() == "fr" else f"“{inside}”"


def _flat(text: str) -> str:
    """``text`` on one line."""
    return _BLANKS.sub(" ", text)
