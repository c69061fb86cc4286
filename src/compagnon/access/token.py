"""Opaque tokens: 256 random bits, of which only a digest is kept (nothing to guess, so a plain SHA-256 is enough)."""

from __future__ import annotations

import hashlib
import secrets as random

_LENGTH = 43
_HEXADECIMAL = frozenset("0123456789abcdef")


def new_token() -> str:
    """A token of 256 random bits, 43 characters that need no escaping in an address or a cookie."""
    return random.token_urlsafe(32)


def new_id() -> str:
    """A random name of 128 bits; no secret."""
    return random.token_hex(16)


def is_id(text: str) -> bool:
    """Whether ``text`` can be a name of ours: what comes from an address is not handed to the database otherwise."""
    return len(text) == 32 and set(text) <= _HEXADECIMAL


def digest_of(token: str) -> str:
    """What is kept of ``token``; the empty text for what cannot be one."""
    if len(token) != _LENGTH or not token.isascii():
        return ""
    return hashlib.sha256(token.encode("ascii")).hexdigest()
