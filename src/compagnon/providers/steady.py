"""Patience with a service: time limits, size limits and few tries again, the same for every adapter.

An adapter only opens a stream of pieces and names its failures; here they are asked again where that may help, and a
stream that is slow, endless or broken off becomes a ``ProviderDown``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from compagnon.providers import failure
from compagnon.providers.port import Answer, Piece, Provider, ProviderDown, Request, Usage
from compagnon.spec.model import ProviderOptions

AGAIN = frozenset({"rate-limited", "failed", "unreachable", "cut"})
"""Failures after which the same request may succeed a moment later."""
FIRST_WAIT = 0.3
"""Seconds before the first further try, twice that before the next, unless the service says how long."""


@dataclass(frozen=True)
class Pace:
    """How long and how much to wait for; times in seconds, sizes in characters."""

    first_token: float
    between_tokens: float
    whole_answer: float
    retries: int
    retry_for: float
    largest: int

    @classmethod
    def of(cls, options: ProviderOptions) -> Pace:
        return cls(
            options.first_token.total_seconds(),
            options.between_tokens.total_seconds(),
            options.whole_answer.total_seconds(),
            options.retries,
            options.retry_for.total_seconds(),
            options.largest,
        )


async def steady(
    name: str, pace: Pace, open_: Callable[[], AsyncGenerator[Piece, None]]
) -> AsyncGenerator[Piece, None]:
    """The pieces of ``open_()``, or of a further try where the first failed before its first word.

    Raises ProviderDown: what ``open_`` raises, or that it was too slow, too long, or ended without a ``finish``.
    """
    start = _now()
    source, first = await _begin(name, pace, open_, start)
    try:
        length, piece = 0, first
        while True:
            length += len(piece.text)
            if length > pace.largest:
                raise failure.huge(name, pace.largest)
            yield piece
            if piece.finish is not None:
                return
            limit = min(pace.between_tokens, start + pace.whole_answer - _now())
            piece = await _next(source, limit, name, failure.slow(name, pace.between_tokens if limit > 0 else limit))
    finally:
        await source.aclose()


async def _begin(
    name: str, pace: Pace, open_: Callable[[], AsyncGenerator[Piece, None]], start: float
) -> tuple[AsyncGenerator[Piece, None], Piece]:
    """The stream that gave a first word, and the piece with it; empty pieces before it do not count as an answer."""
    waited, tries = 0.0, 0
    while True:
        source = open_()
        try:
            late = failure.slow_start(name, pace.first_token)
            while True:
                piece = await _next(source, start + pace.first_token - _now(), name, late)
                if piece.text or piece.finish is not None:
                    return source, piece
        except ProviderDown as down:
            await source.aclose()
            wait = FIRST_WAIT * 2**tries if down.retry_after is None else down.retry_after
            waited, tries = waited + wait, tries + 1
            in_time = waited <= pace.retry_for and _now() + wait < start + pace.first_token
            if down.reason not in AGAIN or tries > pace.retries or not in_time:
                raise
        except BaseException:
            await source.aclose()
            raise
        await asyncio.sleep(wait)


async def _next(source: AsyncGenerator[Piece, None], limit: float, name: str, late: ProviderDown) -> Piece:
    """The next piece within ``limit`` seconds, else ``late``; the end without a ``finish`` is a cut."""
    over = ended = False
    try:
        async with asyncio.timeout(max(limit, 0)):
            return await anext(source)
    except TimeoutError:
        over = True
    except StopAsyncIteration:
        ended = True
    # Raised outside the handlers: what a library raised may hold the request, and must not hang on to this error.
    raise late if over and not ended else failure.cut(name)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def gather(provider: Provider, request: Request) -> Answer:
    """The whole answer of a stream."""
    texts: list[str] = []
    usage: Usage | None = None
    model, finish = "", None
    async for piece in provider.stream(request):
        texts.append(piece.text)
        usage, model, finish = piece.usage or usage, piece.model or model, piece.finish or finish
    return Answer("".join(texts), finish or "other", usage, model or request.model or provider.model)
