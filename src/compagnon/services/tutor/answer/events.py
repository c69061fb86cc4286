"""What happens while the tutor answers, in the order in which it is shown.

``Began``, then ``Cited`` before the first ``Line`` that uses it, and ``Done`` with the whole. Everything that a line
holds is plain text: nothing in it is markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from compagnon.services.tutor.answer.scope import Reason
from compagnon.services.tutor.knowledge.model import Difficulty, Language

Kind = Literal["note", "heading", "text", "point", "code"]
Mode = Literal["answer", "hints", "solution", "refusal"]
How = Literal["inferred", "chosen", "remembered"]


@dataclass(frozen=True)
class Citation:
    """A passage that a line rests on: ``quote`` is ``source[start:end]`` of the passage's source text."""

    number: int
    """As it stands in the answer: ``[1]``."""
    id: str
    """Id of the passage: ``cnn.convolution/content/0``."""
    title: str
    quote: str
    start: int
    end: int

    def as_dict(self) -> dict[str, str]:
        """What scripts read."""
        return {"id": self.id, "title": self.title, "quote": self.quote}


@dataclass(frozen=True)
class Began:
    """The question is understood: level and how it is known, who writes, and in what manner."""

    level: Difficulty
    how: How
    provider: str
    mode: Mode


@dataclass(frozen=True)
class Cited:
    """A citation that the next lines use."""

    citation: Citation


@dataclass(frozen=True)
class Line:
    """One sentence, heading, point or block of code, checked."""

    kind: Kind
    text: str
    citations: tuple[int, ...] = ()

    @property
    def written(self) -> str:
        """The text with its citations."""
        return self.text + "".join(f" [{number}]" for number in self.citations)


@dataclass(frozen=True)
class Reply:
    """The whole answer."""

    answer: str
    citations: tuple[Citation, ...]
    level: Difficulty
    provider: str
    """Who wrote what is shown: ``extract`` where the service asked for failed."""
    sure: bool
    """False where something could not be checked, or nothing is answered."""
    refused: bool
    tokens: int
    cost: float | None
    """In the currency of the prices (USD); None where the price is not known."""
    mode: Mode = "answer"
    how: How = "inferred"
    reason: Reason = ""
    """Why it is refused."""
    failure: str | None = None
    """Code of the failure of the service asked for."""
    dropped: int = 0
    """Sentences that were not shown because nothing supports them."""
    question: str = ""
    """The question as it was understood, with what an earlier turn adds."""
    subtopics: tuple[str, ...] = ()
    """What it is about, the nearest first; after a refusal, what the tutor can speak of instead."""
    receipt: Mapping[str, Any] | None = None
    language: Language = "fr"
    lines: tuple[Line, ...] = field(default=(), repr=False)

    def as_dict(self) -> dict[str, Any]:
        """The stable form for scripts."""
        return {
            "answer": self.answer,
            "citations": [citation.as_dict() for citation in self.citations],
            "level": self.level,
            "provider": self.provider,
            "sure": self.sure,
            "refused": self.refused,
            "tokens": self.tokens,
            "cost": self.cost,
        }


@dataclass(frozen=True)
class Done:
    """The end."""

    reply: Reply


Event = Began | Cited | Line | Done


def event_dict(event: Event) -> dict[str, Any]:
    """An event for a stream of server-sent events: its name under ``event``."""
    match event:
        case Began():
            return {"event": "began", **asdict(event)}
        case Cited(citation):
            return {"event": "citation", **asdict(citation)}
        case Line():
            return {"event": "sentence", "kind": event.kind, "text": event.text, "citations": list(event.citations)}
        case Done(reply):
            return {
                "event": "done", **reply.as_dict(), "mode": reply.mode, "how": reply.how, "failure": reply.failure,
                "subtopics": list(reply.subtopics),
            }  # fmt: skip


def write(lines: tuple[Line, ...] | list[Line]) -> str:
    """Lines as one text: ``## `` before headings, ``- `` before points, ``[n]`` after what is cited."""
    text = ""
    before: Kind | None = None
    for line in lines:
        text += between(before, line.kind) + dressed(line)
        before = line.kind
    return text


def between(before: Kind | None, kind: Kind) -> str:
    """What parts two lines in a text."""
    if before is None:
        return ""
    if before == kind == "text":
        return " "
    return "\n" if before == kind == "point" or before == "heading" else "\n\n"


def dressed(line: Line) -> str:
    """A line as it stands in a text."""
    if line.kind == "heading":
        return f"## {line.text}"
    if line.kind == "code":
        return f"```\n{line.text}\n```"
    return f"- {line.written}" if line.kind == "point" else line.written
