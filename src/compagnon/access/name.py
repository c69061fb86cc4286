"""Names of people: what they sign in with (normalized, so that it is found again) and what is shown."""

from __future__ import annotations

import re
import unicodedata

from compagnon.errors import UserError
from compagnon.i18n import LANGUAGES, _

_LONGEST_SIGN_IN, _LONGEST_NAME = 200, 100
_NAME = re.compile(r"[^\W_](?:[\w.\-]*[^\W_])?")
_LABEL = r"[^\W_](?:[\w\-]*[^\W_])?"
_EMAIL = re.compile(rf"[^\s@<>,;:\"()\[\]\\]+@{_LABEL}(?:\.{_LABEL})+")
_NOT_SHOWN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def normalize_sign_in(text: str) -> str:
    """One form for all ways to write the same sign-in name or e-mail (Unicode NFKC_Casefold, spaces around gone)."""
    # What a database cannot hold becomes what no account can have.
    text = text[: 4 * _LONGEST_SIGN_IN].replace("\x00", "?").encode("utf-8", "replace").decode()
    while (folded := unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()) != text:
        text = folded
    return text


def check_sign_in(text: str) -> str:
    """``text`` normalized if it may serve to sign in: a name of 2 to 200 letters, digits, ``. _ -``, or an e-mail."""
    sign_in = normalize_sign_in(text)
    form = _EMAIL if "@" in sign_in else _NAME
    if not 2 <= len(sign_in) <= _LONGEST_SIGN_IN or not form.fullmatch(sign_in):
        raise UserError(
            "account.bad-sign-in",
            _("This cannot serve as a sign-in name."),
            next=_("Take an e-mail address, or 2 to 200 letters and digits, with . _ - between them."),
        )
    return sign_in


def check_name(text: str) -> str:
    """``text`` as it will be shown (NFC, single spaces), 1 to 100 characters that can be seen."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(name) <= _LONGEST_NAME or any(unicodedata.category(sign) in _NOT_SHOWN for sign in name):
        raise UserError(
            "account.bad-name",
            _("This name is empty, longer than 100 characters, or holds signs that cannot be shown."),
            next=_("Write the name as it should be shown to others."),
        )
    return name


def check_language(language: str | None) -> str | None:
    """``language`` if pages exist in it, or None for the browser's."""
    if language is not None and language not in LANGUAGES:
        raise UserError(
            "account.unknown-language",
            _("There are no pages in this language."),
            next=_("Languages: {languages}.").format(languages=", ".join(LANGUAGES)),
        )
    return language
