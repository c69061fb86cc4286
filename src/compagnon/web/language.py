"""The language of a request: the reader's switch, else the browser's wish, else French."""

from __future__ import annotations

from compagnon.i18n import LANGUAGES

COOKIE = "lang"
DEFAULT = "fr"


def negotiate(accept: str, chosen: str | None = None) -> str:
    """ "fr" or "en" from a cookie and an Accept-Language header (RFC 9110, 12.5.4)."""
    if chosen in LANGUAGES:
        return chosen
    best, best_weight = DEFAULT, 0.0
    for item in accept.split(",")[:20]:
        name, _semicolon, parameter = item.strip().partition(";")
        weight = _weight(parameter)
        language = name.strip().lower().partition("-")[0]
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _equals, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
