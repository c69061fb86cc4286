"""Providers opened against the emulated service, and what they answer, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compagnon.chain import plugins
from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.providers.opening import open_provider
from compagnon.providers.port import Message, Piece, Provider, ProviderDown, Request
from compagnon.sandbox.mistral import Emulator

CANARY = "sk-canary-4f1c9a7b2e"  # a key that no message, log, page or traceback may hold
WIRES = ("mistral", "openai")
QUESTION = "C'est quoi une convolution ?"


def options(kind: str, emulator: Emulator, **more: Any) -> Any:
    """Options of an adapter that reach the emulator, patient enough for a busy machine, without further tries."""
    adapter = plugins.load("providers")[kind]
    own: dict[str, Any] = {
        "mistral": {"url": emulator.url, "model": "small"},
        "openai": {"url": f"{emulator.url}/v1", "model": "mistral-small-2603", "key": "${secret:MISTRAL_API_KEY}"},
    }[kind]
    patient = {"first_token": "25 s", "between_tokens": "25 s", "retry_for": "0 s"}
    return adapter.Options(kind=kind, **{**own, **patient, **more})


@contextmanager
def opened(kind: str, emulator: Emulator, folder: Path, **more: Any) -> Iterator[Provider]:
    """A provider whose key is the canary."""
    secrets = Secrets(Workspace(folder), {"MISTRAL_API_KEY": CANARY})
    yield open_provider("school", options(kind, emulator, **more), secrets)


def ask(provider: Provider, request: Request | None = None) -> list[Piece]:
    """All the pieces of an answer."""

    async def go() -> list[Piece]:
        try:
            return [piece async for piece in provider.stream(request or question())]
        finally:
            await provider.close()

    return asyncio.run(go())


def failing(provider: Provider, request: Request | None = None) -> tuple[ProviderDown, list[Piece]]:
    """How an answer fails, and the pieces before it."""
    pieces: list[Piece] = []

    async def go() -> ProviderDown:
        try:
            async for piece in provider.stream(request or question()):
                pieces.append(piece)
        except ProviderDown as down:
            return down
        finally:
            await provider.close()
        raise AssertionError("no failure")

    return asyncio.run(go()), pieces


def question(text: str = QUESTION, **more: Any) -> Request:
    return Request((Message("system", "Tu es un tuteur."), Message("user", text)), **more)
