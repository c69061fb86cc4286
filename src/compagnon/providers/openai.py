"""Any service that speaks the chat completions of OpenAI: a school's server, vLLM, llama.cpp, Ollama..."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, ClassVar

from pydantic import Field

from compagnon.errors import UserError
from compagnon.providers import connection, failure
from compagnon.providers.events import chunks, pieces
from compagnon.providers.options import Key, ServiceOptions, Url
from compagnon.providers.port import Answer, Piece, Request
from compagnon.providers.steady import Pace, gather, steady
from compagnon.spec.model import ProviderOptions


class OpenAIOptions(ServiceOptions):
    """A service at an address of yours."""

    url: Url = Field(description="Address up to `/v1`, such as http://127.0.0.1:11434/v1.")
    model: str = Field(description="Id of the model there.")
    key: Key | None = Field(None, description="Secret that holds the key, where it needs one: ${secret:NAME}.")
    tell_usage: bool = Field(True, description="Ask for the count of tokens; some services refuse that.")


class OpenAI:
    """One service. Its wire format is the one of https://platform.openai.com/docs/api-reference/chat."""

    Options: ClassVar[type[ProviderOptions]] = OpenAIOptions
    extra: ClassVar[str | None] = None

    def __init__(self, name: str, options: OpenAIOptions, key: str | None) -> None:
        self.name, self.options, self._key = name, options, key
        self._pace = Pace.of(options)
        self._open: tuple[asyncio.AbstractEventLoop, Any] | None = None

    @property
    def outside(self) -> bool:
        return not connection.is_local(self.options.url)

    @property
    def model(self) -> str:
        return self.options.model

    def stream(self, request: Request) -> AsyncIterator[Piece]:
        return steady(self.name, self._pace, lambda: self._pieces(request))

    async def complete(self, request: Request) -> Answer:
        return await gather(self, request)

    async def models(self) -> list[str]:
        down: UserError | None = None
        try:
            async with asyncio.timeout(self._pace.first_token):
                response = await self._client().get(f"{self.options.url}/models", headers=self._headers())
            if response.status_code != 200:
                raise failure.of_status(self.name, response.status_code, response.headers.get("retry-after"))
            return sorted({str(card["id"]) for card in response.json()["data"]})
        except Exception as error:
            down = self._explain(error, begun=False)
        raise down

    async def close(self) -> None:
        if self._open is not None:
            loop, client = self._open
            self._open = None
            if loop is asyncio.get_running_loop():
                await client.aclose()

    async def _pieces(self, request: Request) -> AsyncGenerator[Piece, None]:
        down: UserError | None = None
        begun = False
        try:
            async with self._client().stream(
                "POST", f"{self.options.url}/chat/completions", headers=self._headers(), json=self._body(request)
            ) as response:
                if response.status_code != 200:
                    raise failure.of_status(self.name, response.status_code, response.headers.get("retry-after"))
                if "text/event-stream" not in response.headers.get("content-type", ""):
                    raise failure.malformed(self.name)
                begun = True
                async for piece in pieces(chunks(response)):
                    yield piece
        except Exception as error:
            down = self._explain(error, begun=begun)
        # Outside the handler: the library's errors hold the request and its headers.
        if down is not None:
            raise down

    def _body(self, request: Request) -> dict[str, Any]:
        options = self.options
        seed = options.seed if request.seed is None else request.seed
        body: dict[str, Any] = {
            "model": request.model or options.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "temperature": options.temperature if request.temperature is None else request.temperature,
            "max_tokens": options.max_tokens if request.max_tokens is None else request.max_tokens,
            "stream": True,
        }
        if request.stop:
            body["stop"] = list(request.stop)
        if seed is not None:
            body["seed"] = seed
        if options.tell_usage:
            body["stream_options"] = {"include_usage": True}
        return body

    def _headers(self) -> dict[str, str]:
        return {"Accept": "text/event-stream", **({"Authorization": f"Bearer {self._key}"} if self._key else {})}

    def _client(self) -> Any:
        """The client of the running loop: connections of another loop cannot be used."""
        loop = asyncio.get_running_loop()
        if self._open is None or self._open[0] is not loop:
            self._open = (loop, connection.client(self.options.url, self.options.largest))
        return self._open[1]

    def _explain(self, error: Exception, *, begun: bool) -> UserError:
        if isinstance(error, UserError):
            return error
        if isinstance(error, TimeoutError):
            return failure.slow_start(self.name, self._pace.first_token)
        known = connection.explain(self.name, error, begun=begun, largest=self.options.largest)
        return known or failure.malformed(self.name)
