"""Mistral, through its official SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from compagnon.chain.plugins import missing_extra
from compagnon.errors import UserError
from compagnon.providers import connection, failure
from compagnon.providers.events import chunks, pieces
from compagnon.providers.options import Key, ServiceOptions, Url
from compagnon.providers.port import Answer, Piece, Request
from compagnon.providers.prices import catalog
from compagnon.providers.steady import Pace, gather, steady
from compagnon.spec.model import ProviderOptions

if TYPE_CHECKING:
    from mistralai.client import Mistral as Sdk

KIND = "mistral"


class MistralOptions(ServiceOptions):
    """Mistral's API, in Europe; needs a key."""

    model: str = Field("small", description="`tiny`, `small`, `medium`, or an id of Mistral.")
    key: Key = Field("${secret:MISTRAL_API_KEY}", description="Secret that holds the key; never the key itself.")
    url: Url = Field("https://api.mistral.ai", description="Address of the API.")


class Mistral:
    """One account at Mistral."""

    Options: ClassVar[type[ProviderOptions]] = MistralOptions
    extra: ClassVar[str | None] = "mistral"
    outside = True

    def __init__(self, name: str, options: MistralOptions, key: str | None) -> None:
        self.name, self.options, self._key = name, options, key
        self._pace = Pace.of(options)
        self._open: tuple[asyncio.AbstractEventLoop, Sdk, Any] | None = None

    @property
    def model(self) -> str:
        return catalog().model(KIND, self.options.model)

    def stream(self, request: Request) -> AsyncIterator[Piece]:
        return steady(self.name, self._pace, lambda: self._pieces(request))

    async def complete(self, request: Request) -> Answer:
        return await gather(self, request)

    async def models(self) -> list[str]:
        down: UserError | None = None
        try:
            async with asyncio.timeout(self._pace.first_token):
                found = await self._sdk().models.list_async()
            return sorted({str(name) for card in found.data or () if (name := getattr(card, "id", None))})
        except Exception as error:
            down = self._explain(error, begun=False)
        raise down

    async def close(self) -> None:
        if self._open is not None:
            loop, _sdk, client = self._open
            self._open = None
            if loop is asyncio.get_running_loop():
                await client.aclose()

    async def _pieces(self, request: Request) -> AsyncGenerator[Piece, None]:
        down: UserError | None = None
        events: Any = None
        try:
            sdk, options = self._sdk(), self.options
            from mistralai.client.types import UNSET

            model = catalog().model(KIND, request.model) if request.model else self.model
            seed = options.seed if request.seed is None else request.seed
            messages: Any = [{"role": message.role, "content": message.content} for message in request.messages]
            events = await sdk.chat.stream_async(
                model=model,
                messages=messages,
                temperature=options.temperature if request.temperature is None else request.temperature,
                max_tokens=options.max_tokens if request.max_tokens is None else request.max_tokens,
                stop=list(request.stop) or UNSET,
                random_seed=UNSET if seed is None else seed,
            )
            # For each event the SDK builds a model anew, some 5 ms of one core a word: its response is read here.
            async for piece in pieces(chunks(events.response)):
                yield piece
        except Exception as error:
            down = self._explain(error, begun=events is not None)
        finally:
            if events is not None:
                await events.close()
        # Outside the handler: the SDK's errors hold the request, its headers and the key.
        if down is not None:
            raise down

    def _sdk(self) -> Sdk:
        """The SDK for the running loop: connections of another loop cannot be used."""
        loop = asyncio.get_running_loop()
        if self._open is None or self._open[0] is not loop:
            try:
                from mistralai.client import Mistral as Sdk
            except ModuleNotFoundError as error:
                raise missing_extra("mistral", "mistralai") from error
            client = connection.client(self.options.url, self.options.largest)
            sdk = Sdk(
                api_key=self._key or "",
                server_url=self.options.url,
                async_client=client,
                debug_logger=_Silent(),  # else MISTRAL_DEBUG would write requests to the log
                timeout_ms=int(self._pace.whole_answer * 1000) + 1000,
            )
            self._open = (loop, sdk, client)
        return self._open[1]

    def _explain(self, error: Exception, *, begun: bool) -> UserError:
        if isinstance(error, UserError):
            return error
        from mistralai.client.errors import MistralError, NoResponseError

        known = connection.explain(self.name, error, begun=begun, largest=self.options.largest)
        if known is not None:
            return known
        if isinstance(error, TimeoutError):
            return failure.slow_start(self.name, self._pace.first_token)
        if isinstance(error, NoResponseError):
            return failure.unreachable(self.name)
        if isinstance(error, MistralError) and error.status_code >= 300:
            return failure.of_status(self.name, error.status_code, error.headers.get("retry-after"))
        return failure.malformed(self.name)


class _Silent:
    def debug(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Keeps nothing."""
