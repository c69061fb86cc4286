"""Proof that a form was sent from one of our pages.

For a signed-in person the token is bound to the session (HMAC, so that nothing needs keeping); for others it is bound
to a signed cookie (double submit). A random mask makes each token different, against BREACH. Source: OWASP CSRF
Prevention Cheat Sheet.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as random

_MASK = 16
_PLAIN = "session"
_ANONYMOUS = "anonymous"
_SEED = "seed"
_MARK = "mark"


def token(key: bytes, session_id: str) -> str:
    """A token for a form of this session; ``key`` is ``secrets.own("csrf_key")``."""
    return _token(key, _PLAIN, session_id)


def check(key: bytes, session_id: str, token: str) -> bool:
    """Whether ``token`` was made for this session."""
    return _check(key, _PLAIN, session_id, token)


def mark(key: bytes, account_id: str) -> str:
    """Tells forms of one account from those of another; says nothing of who that is, and allows nothing."""
    return _text(_sign(key, _MARK, account_id.encode())[:12])


def new_seed(key: bytes) -> str:
    """What to put into a cookie for somebody who has not signed in."""
    nonce = random.token_urlsafe(16)
    return f"{nonce}.{_text(_sign(key, _SEED, nonce.encode()))}"


def is_seed(key: bytes, seed: str) -> bool:
    """Whether the cookie is one of ours, rather than put there by a neighboring site."""
    nonce, _dot, signature = seed.partition(".")
    return _same(_text(_sign(key, _SEED, nonce.encode("utf-8", "surrogatepass"))), signature)


def anonymous_token(key: bytes, seed: str) -> str:
    """A token for a form sent together with the cookie ``seed``."""
    return _token(key, _ANONYMOUS, seed)


def check_anonymous(key: bytes, seed: str, token: str) -> bool:
    """Whether ``seed`` is ours and ``token`` was made for it."""
    good_seed, good_token = is_seed(key, seed), _check(key, _ANONYMOUS, seed, token)
    return good_seed and good_token


def _token(key: bytes, purpose: str, subject: str) -> str:
    mask = random.token_bytes(_MASK)
    signature = _sign(key, purpose, subject.encode())
    return _text(mask + _xor(signature, _stretch(mask)))


def _check(key: bytes, purpose: str, subject: str, token: str) -> bool:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    mask, masked = raw[:_MASK], raw[_MASK:]
    expected = _xor(_sign(key, purpose, subject.encode("utf-8", "surrogatepass")), _stretch(mask))
    return bool(subject) and hmac.compare_digest(expected, masked) and _same(_text(raw), token)


def _sign(key: bytes, purpose: str, subject: bytes) -> bytes:
    return hmac.digest(key, b"compagnon-csrf:" + purpose.encode() + b":" + subject, hashlib.sha256)


def _stretch(mask: bytes) -> bytes:
    return hashlib.sha256(mask).digest()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
