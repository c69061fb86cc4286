"""What the owner of a site allows: robots.txt (RFC 9309), asked for once per site and collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from compagnon.stages.collect.http.client import Client

AGENT = "Compagnon"
LARGEST = 512_000
"""Bytes of robots.txt that are read (the norm asks for 500 KiB at least)."""
_ABSENT = tuple(code for code in range(400, 500) if code not in (408, 425, 429))


class Robots:
    """Answers by site; a site that cannot answer (5xx, no connection) is a source that is down."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, Any] = {}

    def allows(self, url: str) -> bool:
        """Whether ``url`` may be asked for; raises what ``Client.get`` raises."""
        if urlsplit(url).path == "/robots.txt":
            return True
        return bool(self._of(url).can_fetch(url, AGENT))

    def delay(self, url: str) -> float:
        """Seconds between two requests that the site asks for; 0 if it says nothing."""
        rules = self._of(url)
        rate = rules.request_rate(AGENT)
        return max(float(rules.crawl_delay(AGENT) or 0), rate.seconds / rate.requests if rate else 0.0)

    def _of(self, url: str) -> Any:
        from protego import Protego

        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._known:
            answer = self._client.get(f"{site}/robots.txt", accept=_ABSENT)
            text = answer.body[:LARGEST].decode("utf-8", "replace") if answer.status < 400 else ""
            self._known[site] = Protego.parse(text)
        return self._known[site]
