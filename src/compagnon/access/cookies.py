"""The cookies of a browser session: names, attributes, and how the tokens get into and out of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Cookie:
    """One cookie to set; ``max_age`` in seconds, None until the browser closes, 0 to remove it."""

    name: str
    value: str = field(repr=False)
    max_age: int | None
    secure: bool
    http_only: bool = True

    @property
    def header(self) -> str:
        """The value of a Set-Cookie header."""
        parts = [f"{self.name}={self.value}", "Path=/", "SameSite=Lax"]
        if self.max_age is not None:
            parts.append(f"Max-Age={self.max_age}")
        if self.secure:
            parts.append("Secure")
        if self.http_only:
            parts.append("HttpOnly")
        return "; ".join(parts)


@dataclass(frozen=True)
class Tokens:
    """The two tokens of a session, in the clear: they exist here and in the browser only."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires: datetime
    """When the refresh token ends."""
    remembered: bool


@dataclass(frozen=True)
class CookieStyle:
    """How one application writes its cookies.

    ``https`` adds Secure and the ``__Host-`` prefix (no other host, no neighboring site can set them). ``place`` tells
    applications on one host apart: cookies do not know ports.
    """

    https: bool
    place: str = ""

    def name(self, what: str) -> str:
        """The full name of the cookie for ``what``: ``access``, ``refresh``, ``csrf``..."""
        mark = f"_{hashlib.sha256(self.place.encode()).hexdigest()[:8]}" if self.place else ""
        return f"{'__Host-' if self.https else ''}compagnon{mark}_{what}"

    def cookie(self, what: str, value: str, max_age: int | None = None) -> Cookie:
        return Cookie(self.name(what), value, max_age, self.https)

    def read(self, cookies: Mapping[str, str]) -> tuple[str, str]:
        """Access and refresh token of a request, empty where absent."""
        return cookies.get(self.name("access"), ""), cookies.get(self.name("refresh"), "")

    def write(self, tokens: Tokens, now: datetime) -> tuple[Cookie, ...]:
        """Both cookies; they last as long as the refresh token, or until the browser closes.

        The access token ends by itself on the server; its cookie stays so that a request always sends the pair.
        """
        age = max(0, int((tokens.expires - now).total_seconds())) if tokens.remembered else None
        return self.cookie("access", tokens.access, age), self.cookie("refresh", tokens.refresh, age)

    def clear(self) -> tuple[Cookie, ...]:
        """What removes both cookies."""
        return self.cookie("access", "", 0), self.cookie("refresh", "", 0)
