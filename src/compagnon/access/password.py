"""Passwords: which are accepted, and how they are kept (Argon2id).

Sources: OWASP ASVS 5, 6.2 (8 characters or more, 64 or more accepted, no rule of composition, common ones refused);
OWASP Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane); NIST SP 800-63B, 3.1.1.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from compagnon.errors import UserError
from compagnon.i18n import _

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 8, 128
"""Characters of an accepted password."""

_FEWEST_DIFFERENT = 4


@dataclass(frozen=True)
class Effort:
    """What hashing one password costs: passes over memory, KiB, lanes."""

    passes: int = 2
    memory: int = 19 * 1024
    lanes: int = 1


EFFORT = Effort()

# Each hash takes 19 MiB and a core: a crowd that signs in waits in line instead of exhausting the machine.
_at_work = threading.BoundedSemaphore(max(1, os.cpu_count() or 1))


@dataclass(frozen=True)
class Verdict:
    """Whether a password is right, and its new hash where the old one was made with other parameters."""

    right: bool
    rehashed: str | None = None


def check_password(password: str, about: Iterable[str] = ()) -> str:
    """``password`` normalized (NFC) if it may be used; ``about`` are words on its owner. Raises UserError."""
    password = normalize(password)
    if len(password) < SHORTEST:
        raise UserError(
            "password.too-short",
            _("This password has fewer than {count} characters.").format(count=SHORTEST),
            next=_("Take several words: a long password is easier to keep in mind than a complicated one."),
        )
    if len(password) > LONGEST:
        raise UserError(
            "password.too-long",
            _("This password has more than {count} characters.").format(count=LONGEST),
            next=_("Take a shorter one."),
        )
    if not _is_text(password):
        raise UserError(
            "password.not-text", _("This password holds signs that are not text."), next=_("Type it again.")
        )
    if _is_common(password):
        raise UserError(
            "password.common",
            _("This password is one of those that are tried first."),
            next=_("Take several words that do not usually go together."),
        )
    if _is_about(password, about):
        raise UserError(
            "password.about-you",
            _("This password is your name, your sign-in name or the name of this application."),
            next=_("Take several words that do not usually go together."),
        )
    return password


def normalize(password: str) -> str:
    """The same password typed on another keyboard gives the same text (NFC)."""
    if len(password) > 4 * LONGEST:
        return password  # too long in any form: not worth the work
    return unicodedata.normalize("NFC", password)


def hash_password(password: str, effort: Effort = EFFORT) -> str:
    """What to keep of a checked password: Argon2id with its salt and parameters."""
    with _at_work:
        return _hasher(effort).hash(normalize(password))


def verify_password(password: str, kept: str | None, effort: Effort = EFFORT) -> Verdict:
    """Whether ``password`` is the one that ``kept`` was made of; the same work is done when ``kept`` is None."""
    from argon2.exceptions import InvalidHashError, VerificationError

    password = normalize(password)
    if len(password) > LONGEST or not _is_text(password):
        return Verdict(False)  # nobody has such a password: says nothing about the account
    if kept is None:
        hash_password(password, effort)
        return Verdict(False)
    hasher = _hasher(effort)
    try:
        with _at_work:
            hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return Verdict(False)
    return Verdict(True, hash_password(password, effort) if hasher.check_needs_rehash(kept) else None)


@cache
def _hasher(effort: Effort) -> PasswordHasher:
    from argon2 import PasswordHasher, Type

    return PasswordHasher(effort.passes, effort.memory, effort.lanes, hash_len=32, salt_len=16, type=Type.ID)


@cache
def _common() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST)


def _is_common(password: str) -> bool:
    folded = password.casefold()
    return folded in _common() or len(set(folded)) < _FEWEST_DIFFERENT


def _is_about(password: str, about: Iterable[str]) -> bool:
    """Whether nothing is left of the password but a word on its owner, between digits and signs."""
    core = "".join(sign for sign in password.casefold() if sign.isalpha())
    for text in ("compagnon", *about):
        folded = text.casefold()
        for word in (folded, folded.partition("@")[0]):
            letters = "".join(sign for sign in word if sign.isalpha())
            if password.casefold() == word or (len(letters) >= 3 and core == letters):
                return True
    return False


def _is_text(password: str) -> bool:
    try:
        password.encode()
    except UnicodeEncodeError:
        return False
    return True
