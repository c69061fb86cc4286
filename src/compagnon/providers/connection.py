"""HTTP to a service: bounded, without redirects, and with failures that hold nothing of what was sent."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from compagnon.providers import failure
from compagnon.providers.port import ProviderDown

if TYPE_CHECKING:
    import httpx2

CHARACTER = 4
"""Bytes of the longest character in UTF-8."""
ENVELOPE = 400
"""Bytes around each character that a service may use in a stream: a JSON object for each word, or for each letter."""
LONGEST_EVENT = 262_144
"""Bytes of one line of a stream; libraries search longer ones over and over."""
MOST_OF_AN_ERROR = 65_536


class TooLarge(Exception):
    """More bytes came than any answer of the allowed length takes."""


def is_local(url: str) -> bool:
    """Whether ``url`` points to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(url: str) -> bool:
    """Whether ``url`` points to this machine or, by its number or bare name, to the network around it."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return is_local(url) or (bool(host) and "." not in host)


def client(url: str, largest: int) -> httpx2.AsyncClient:
    """A client for one service, whose answers are cut off well above ``largest`` characters.

    Time limits are kept by ``steady``. A proxy of the environment is used, but not for this machine.
    """
    import httpx2

    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(None, connect=10.0),
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},  # what is counted is what comes
        trust_env=not is_local(url),
        limits=httpx2.Limits(max_connections=256, max_keepalive_connections=16),
        event_hooks={"response": [_Bounded(largest * (CHARACTER + ENVELOPE)).bound]},
    )


class _Bounded:
    """Counts the bytes of a response as they come."""

    def __init__(self, most: int) -> None:
        self.most = most

    async def bound(self, response: Any) -> None:
        import httpx2

        most = self.most if response.status_code == 200 else MOST_OF_AN_ERROR
        longest = LONGEST_EVENT if "event-stream" in response.headers.get("content-type", "") else most
        whole: Any = response.stream

        class Stream(httpx2.AsyncByteStream):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                count = line = 0
                async for chunk in whole:
                    count += len(chunk)
                    newline = chunk.rfind(b"\n")
                    line = line + len(chunk) if newline < 0 else len(chunk) - newline - 1
                    if count > most or line > longest:
                        raise TooLarge
                    yield chunk

            async def aclose(self) -> None:
                await whole.aclose()

        response.stream = Stream()


def explain(name: str, error: Exception, *, begun: bool, largest: int) -> ProviderDown | None:
    """What an error of the HTTP library means; None where it is none of its own. ``begun``: the answer had begun."""
    import httpx2

    if isinstance(error, TooLarge):
        return failure.huge(name, largest)
    if isinstance(error, httpx2.DecodingError):
        return failure.malformed(name)
    if isinstance(error, (httpx2.ReadError, httpx2.RemoteProtocolError, httpx2.CloseError)):
        return failure.cut(name) if begun else failure.unreachable(name)
    if isinstance(error, (httpx2.TransportError, httpx2.InvalidURL, OSError)):
        return failure.unreachable(name)
    return None
