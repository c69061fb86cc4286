"""Whose conversation it is: an account, or whoever holds a random cookie that only its keyed hash is kept of."""

from __future__ import annotations

import re
import secrets

from compagnon.chain.secrets import Secrets
from compagnon.privacy.pseudonym import KEY_NAME, pseudonym

COOKIE = "tutor"
"""Name of the cookie of a browser without an account, before what ``CookieStyle`` makes of it."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """A cookie for a browser that has none: 256 random bits."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether ``text`` has the form of such a cookie."""
    return bool(_TOKEN.fullmatch(text))


def owner_of_token(token: str, kept: Secrets) -> str:
    """The owner that a cookie stands for; the cookie itself is not kept."""
    return f"anonymous:{pseudonym(f'tutor {token}', kept.own(KEY_NAME))}"


def owner_of_account(account_id: str) -> str:
    """The owner that an account stands for."""
    return f"person:{account_id}"
