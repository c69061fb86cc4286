"""The language of the current context and what depends on it."""

from __future__ import annotations

import contextlib
import gettext
import locale as system_locale
import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import date, datetime, tzinfo
from functools import cache
from pathlib import Path

LANGUAGES = ("fr", "en")
CATALOGS = Path(__file__).parent / "catalogs"
DOMAIN = "compagnon"

_language: ContextVar[str] = ContextVar("language", default="en")


def detect(environ: Mapping[str, str] = os.environ) -> str:
    """The language that the environment asks for: ``COMPAGNON_LANG``, then the locale; French unless English is named.

    A locale that names no language (``C``, ``POSIX``) means English, as for other command-line tools.
    """
    for variable in ("COMPAGNON_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(variable, "").strip().lower()
        if value:
            return "fr" if value.startswith("fr") else "en"
    with contextlib.suppress(ValueError):
        if (system_locale.getlocale()[0] or "").lower().startswith("fr"):
            return "fr"
    return "en"


@contextlib.contextmanager
def use(language: str) -> Iterator[None]:
    """Speak ``language`` ("fr" or "en") until the block ends, in this context only."""
    token = _language.set(language if language in LANGUAGES else "en")
    try:
        yield
    finally:
        _language.reset(token)


def current() -> str:
    """The language in use: "fr" or "en"."""
    return _language.get()


def preferred() -> str:
    """The language that ``use`` set, else the one of the environment: for notebooks, where nobody calls ``use``."""
    return _language.get(None) or detect()


@cache
def _catalog(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, str(CATALOGS), languages=[language], fallback=True)


def _(message: str) -> str:
    """``message`` (English) in the language in use."""
    # The catalog answers an empty message with its header.
    return message if current() == "en" or not message else _catalog(current()).gettext(message)


def N_(message: str) -> str:  # noqa: N802  gettext's usual name
    """Marks ``message`` for the catalog and gives it back as it is, to be translated when it is shown."""
    return message


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form of a message that fits ``count`` in the language in use."""
    return _catalog(current()).ngettext(singular, plural, count)


def pick(localized: object, language: str | None = None) -> str:
    """The text of a value that may be given by language (``{fr: ..., en: ...}``) or once for both."""
    if localized is None:
        return ""
    if isinstance(localized, Mapping):
        for wanted in (language or current(), *LANGUAGES):
            if localized.get(wanted):
                return str(localized[wanted])
        return next((str(v) for v in localized.values()), "")
    return str(localized)


def format_number(value: float, decimals: int | None = None) -> str:
    """A number as the language writes it: ``1 234,5`` in French, ``1,234.5`` in English."""
    from babel.numbers import format_decimal

    pattern = None if decimals is None else "#,##0" + ("." + "0" * decimals if decimals else "")
    return str(format_decimal(value, format=pattern, locale=current()))


def format_date(value: date) -> str:
    """A date as the language writes it."""
    from babel.dates import format_date as babel_format

    return str(babel_format(value, format="long", locale=current()))


def format_datetime(value: datetime, timezone: tzinfo | None = None) -> str:
    """A moment as the language writes it, in ``timezone`` (UTC unless given)."""
    from babel.dates import format_datetime as babel_format

    return str(babel_format(value, format="medium", tzinfo=timezone, locale=current()))


def format_duration(seconds: float) -> str:
    """A duration in the largest fitting units: ``0.4 s``, ``2 min 5 s``, ``3 h 10 min``."""
    if seconds < 60:
        return f"{format_number(seconds, 1 if seconds < 10 else 0)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
