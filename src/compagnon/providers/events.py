"""The stream of chat completions, as OpenAI and Mistral send it: server-sent events, each a JSON object."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from compagnon.providers.port import Finish, Piece, Usage

LATE_USAGE = 2.0
"""Seconds that a finished answer waits for its count of tokens."""
_FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length", "model_length": "length", "error": "error"}


async def chunks(response: Any) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of a stream of server-sent events (WHATWG HTML, 9.2), up to ``[DONE]``."""
    decoder, rest, data = codecs.getincrementaldecoder("utf-8")(), "", list[str]()
    async for block in response.aiter_bytes():
        lines = (rest + decoder.decode(block)).replace("\r\n", "\n").split("\n")
        rest = lines.pop()
        for line in lines:
            if line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
            elif not line.strip() and data:
                text, data = "\n".join(data), []
                if text == "[DONE]":
                    return
                yield json.loads(text)


async def pieces(found: AsyncIterator[dict[str, Any]]) -> AsyncIterator[Piece]:
    """The pieces of an answer; the last waits for the count of tokens, which comes in a chunk of its own."""
    async for chunk in found:
        usage = _usage(chunk)
        if not chunk.get("choices"):
            if "error" in chunk:
                raise ValueError("an error in place of a chunk")
            continue
        choice = chunk["choices"][0]
        text = _text(choice.get("delta", {}).get("content"))
        reason = choice.get("finish_reason")
        piece = Piece(text, _FINISHES.get(reason, "other") if reason else None, usage, chunk.get("model"))
        if piece.finish is not None and piece.usage is None:
            piece = replace(piece, usage=await _late_usage(found))
        yield piece


async def _late_usage(found: AsyncIterator[dict[str, Any]]) -> Usage | None:
    """The count of tokens that follows a finished answer; without it the answer is whole all the same."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(LATE_USAGE):
            async for chunk in found:
                if usage := _usage(chunk):
                    return usage
    return None


def _usage(chunk: dict[str, Any]) -> Usage | None:
    usage = chunk.get("usage")
    return Usage(int(usage["prompt_tokens"]), int(usage["completion_tokens"])) if usage else None


def _text(content: Any) -> str:
    """The text of a delta: a string, or a list of parts of which only those of text are an answer."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(str(part["text"]) for part in content if part["type"] == "text")
