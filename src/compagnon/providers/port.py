"""AI services as a port: what is asked, what comes back piece by piece, and how a service fails.

An adapter never decides what the user sees: it answers, or raises ``ProviderDown`` with a stable code. Whoever asks
then falls back on something that needs no service.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from compagnon.errors import UserError
from compagnon.spec.model import ProviderOptions

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length", "error", "other"]
"""Why a text ended: complete, cut at ``max_tokens``, ended by the service, or otherwise (a tool was asked for)."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class Passage:
    """A text that an answer may cite. Services read it in the prompt, ``extract`` reads it here."""

    id: str
    title: str
    text: str
    part: str = ""
    """What it brings to the answer: definition, point, example, mistake, hint, further; services do not need it."""
    code: str = ""
    """Code that goes with it."""


@dataclass(frozen=True)
class Request:
    """What a model is asked. None means: as the provider's options in solution.yaml say."""

    messages: tuple[Message, ...]
    passages: tuple[Passage, ...] = ()
    model: str | None = None
    """``tiny``, ``small``, ``medium``, or an id of the service."""
    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens of one answer, as the service counts them."""

    prompt_tokens: int
    completion_tokens: int

    @property
    def total(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Piece:
    """A part of an answer. The last one has ``finish``, and ``usage`` where the service tells it."""

    text: str = ""
    finish: Finish | None = None
    usage: Usage | None = None
    model: str | None = None
    """Id of the model that answers, as the service names it."""


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    text: str
    finish: Finish
    usage: Usage | None
    model: str


class ProviderDown(UserError):
    """The service gave no answer, or not a whole one. ``code`` says why; the message never holds what was asked.

    Codes: ``provider.unauthorized`` (401), ``.forbidden`` (403), ``.not-found`` (404), ``.rate-limited`` (429),
    ``.refused`` (other 4xx, such as 422), ``.failed`` (5xx), ``.unreachable``, ``.slow-start``, ``.slow``, ``.cut``,
    ``.malformed``, ``.huge``. ``retry_after`` is in seconds, where the service tells it.
    """

    def __init__(
        self,
        code: str,
        what: str,
        *,
        next: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code, what, next=next)
        self.status = status
        self.retry_after = retry_after

    @property
    def reason(self) -> str:
        """The code without its family: ``rate-limited``."""
        return self.code.partition(".")[2]


class Provider(Protocol):
    """An adapter, opened with the options of solution.yaml and its key. Its module imports light."""

    Options: ClassVar[type[ProviderOptions]]
    extra: ClassVar[str | None]
    """Name of the pip extra that it needs, if any."""

    name: str
    """As solution.yaml calls it; its kind where it is used without being declared."""

    def __init__(self, name: str, options: Any, key: str | None) -> None: ...

    @property
    def outside(self) -> bool:
        """Whether what is asked leaves this machine: personal data are masked then."""

    @property
    def model(self) -> str:
        """Id of the model that answers a request which names none."""

    def stream(self, request: Request) -> AsyncIterator[Piece]:
        """The answer piece by piece; the last has ``finish``. Raises ProviderDown, also between two pieces.

        Leaving the iteration early (``aclose``) ends the request.
        """

    async def complete(self, request: Request) -> Answer:
        """The answer in one. Raises ProviderDown."""

    async def models(self) -> list[str]:
        """Ids of the models that the service offers, sorted. Raises ProviderDown."""

    async def close(self) -> None:
        """Give the connections back."""
