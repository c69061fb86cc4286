"""The one way to an AI service: ceiling, mask, memory, call, account. Nothing asks a provider past it.

>>> exchange = gateway.ask(request, person="person:3f9c", names=["Zoé Lefèvre"])
>>> async for piece in exchange: ...
>>> exchange.receipt.as_dict()
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from compagnon.chain.clock import Clock, SystemClock
from compagnon.chain.secrets import Secrets
from compagnon.operate.usage import record, remember
from compagnon.operate.usage.record import Account, Receipt, State
from compagnon.privacy.pseudonym import KEY_NAME, pseudonym
from compagnon.privacy.veil import Veil
from compagnon.providers.footprint import footprint
from compagnon.providers.port import Message, Piece, Provider, ProviderDown, Request, Usage
from compagnon.providers.prices import Price, catalog
from compagnon.spec.model import ProviderOptions

if TYPE_CHECKING:
    from sqlalchemy import Engine

AROUND_A_MESSAGE = 8
"""Tokens that a service may add for the role and the ends of a message."""
BYTES_OF_A_TOKEN = 4
"""Of French and English text, about; for estimates where the service does not count."""
UNPAID = frozenset({"unauthorized", "forbidden", "not-found", "refused", "rate-limited", "unreachable"})
"""Failures before any work was done."""


@dataclass
class Gateway:
    """A provider with the limits that solution.yaml sets it."""

    engine: Engine
    secrets: Secrets = field(repr=False)
    provider: Provider
    options: ProviderOptions
    clock: Clock = field(default_factory=SystemClock)

    def ask(
        self, request: Request, *, person: str | None = None, names: Iterable[str] = (), again: bool = True
    ) -> Exchange:
        """One question. ``person``: who asks (kept as a pseudonym); ``names``: hidden from an outside service.

        ``again``: an answer given before may be given again.
        """
        who = pseudonym(person, self.secrets.own(KEY_NAME)) if person else None
        return Exchange(self, request, who, Veil(names), again)

    def price(self, model: str) -> Price | None:
        """Price of a model: as solution.yaml says, else as the dated list does."""
        own: Any = getattr(self.options, "price", None)
        if own is not None:
            return Price(Decimal(str(own.prompt)), Decimal(str(own.answer)))
        return catalog().price(self.options.kind, model)


class Exchange:
    """One question and its answer: iterate over the pieces, then look at ``receipt``.

    Raises CeilingReached before anything is sent, and ProviderDown. Leaving early is accounted for too.
    """

    def __init__(self, gateway: Gateway, request: Request, person: str | None, veil: Veil, again: bool) -> None:
        self._gateway, self._veil, self._again = gateway, veil, again
        provider = gateway.provider
        self._asked = replace(request, messages=self._masked(request.messages)) if provider.outside else request
        model = catalog().model(gateway.options.kind, request.model) if request.model else provider.model
        self._account = Account(provider.name, model, person, gateway.price(model), catalog().currency)
        self.receipt: Receipt | None = None
        self._pieces = self._go()

    def __aiter__(self) -> AsyncIterator[Piece]:
        return self._pieces

    async def aclose(self) -> None:
        """End the exchange early."""
        await self._pieces.aclose()

    async def text(self) -> str:
        """The whole answer."""
        return "".join([piece.text async for piece in self._pieces])

    async def _go(self) -> AsyncGenerator[Piece, None]:
        gateway, key = self._gateway, self._key()
        if key is not None:
            known = await asyncio.to_thread(remember.recall, gateway.engine, key, gateway.clock.now())
            if known is not None:
                self.receipt = await asyncio.to_thread(
                    record.add_cached, gateway.engine, self._account, gateway.clock.now()
                )
                yield Piece(self._veil.show(known.text), known.finish, Usage(0, 0), known.model)
                return
        row = await asyncio.to_thread(
            record.reserve, gateway.engine, self._account, self._worst(), gateway.options.ceiling, gateway.clock.now()
        )
        count = _Count(gateway.clock.monotonic())
        lifting = self._veil.lifting()
        stream = gateway.provider.stream(self._asked)
        state: State = "stopped"
        reason: str | None = None
        try:
            async for piece in stream:
                count.add(piece, gateway.clock.monotonic())
                text = lifting.feed(piece.text) + (lifting.end() if piece.finish else "")
                if piece.finish:
                    state = "done"
                    # Accounted before the last piece is given: who stops reading there has the receipt.
                    await asyncio.to_thread(self._settle, row, count, state, None)
                    await self._keep(key, count)
                if text or piece.finish:
                    yield replace(piece, text=text)
        except ProviderDown as down:
            state, reason = "failed", down.reason
            raise
        finally:
            if self.receipt is None:
                self._settle(row, count, state, reason)
            with contextlib.suppress(RuntimeError):
                await stream.aclose()  # type: ignore[attr-defined]

    def _settle(self, row: int, count: _Count, state: State, reason: str | None) -> None:
        account = replace(self._account, model=count.model or self._account.model)
        if account.price is None:
            account = replace(account, price=self._gateway.price(account.model))
        seconds = self._gateway.clock.monotonic() - count.start
        usage = count.usage or self._estimate(count, reason)
        url = str(getattr(self._gateway.options, "url", ""))
        self.receipt = record.settle(
            self._gateway.engine,
            row,
            account,
            state,
            usage,
            counted=count.usage is not None,
            footprint=footprint(url, account.model, usage.completion_tokens, seconds),
            first_ms=None if count.first is None else int((count.first - count.start) * 1000),
            whole_ms=int(seconds * 1000),
            reason=reason,
        )

    def _estimate(self, count: _Count, reason: str | None) -> Usage:
        """Tokens where the service does not count them; a request that was turned away used none."""
        if reason in UNPAID and not count.texts:
            return Usage(0, 0)
        prompt = sum(len(m.content.encode()) // BYTES_OF_A_TOKEN + AROUND_A_MESSAGE for m in self._asked.messages)
        return Usage(prompt, -(-len("".join(count.texts).encode()) // BYTES_OF_A_TOKEN))

    def _worst(self) -> Usage:
        """The most that this request can use: no token is shorter than a byte."""
        prompt = sum(len(m.content.encode()) + AROUND_A_MESSAGE for m in self._asked.messages)
        most = self._asked.max_tokens
        return Usage(prompt, self._gateway.options.max_tokens if most is None else most)

    def _masked(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        return tuple(replace(message, content=self._veil.hide(message.content)) for message in messages)

    def _key(self) -> str | None:
        """Under what the answer is remembered; None where it must not be: personal data that no mask covers."""
        gateway, options = self._gateway, self._gateway.options
        if not self._again or not options.remember.answers:
            return None
        if not gateway.provider.outside:
            self._masked(self._asked.messages)  # only to see whether there is anything to mask
            if self._veil.hidden:
                return None
        secret = gateway.secrets.own(remember.KEY_NAME)
        defaults = (options.temperature, options.max_tokens, options.seed, str(getattr(options, "url", "")))
        return remember.key_of(secret, gateway.provider.name, self._account.model, self._asked, defaults)

    async def _keep(self, key: str | None, count: _Count) -> None:
        if key is None or count.last is None or count.last.finish != "stop" or self.receipt is None:
            return
        answer = remember.Remembered("".join(count.texts), "stop", self.receipt.usage, self.receipt.model)
        gateway = self._gateway
        await asyncio.to_thread(
            remember.keep,
            gateway.engine,
            key,
            gateway.provider.name,
            answer,
            gateway.options.remember,
            gateway.clock.now(),
        )


@dataclass
class _Count:
    """What has come so far, as the service sent it."""

    start: float
    first: float | None = None
    texts: list[str] = field(default_factory=list, repr=False)
    usage: Usage | None = None
    model: str | None = None
    last: Piece | None = None

    def add(self, piece: Piece, now: float) -> None:
        if piece.text and self.first is None:
            self.first = now
        self.texts.append(piece.text)
        self.usage, self.model, self.last = piece.usage or self.usage, piece.model or self.model, piece
