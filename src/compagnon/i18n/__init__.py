"""French and English: messages from gettext catalogs, numbers and dates by locale.

Messages are written in English in the code, inside ``_()``; ``catalogs/fr/LC_MESSAGES/compagnon.po`` holds the French,
which ``scripts/messages.py`` gathers and compiles. The language of the current
context (a command, a request) is set with ``use``.
"""

from compagnon.i18n.locale import (
    LANGUAGES,
    N_,
    _,
    current,
    detect,
    format_date,
    format_datetime,
    format_duration,
    format_number,
    ngettext,
    pick,
    preferred,
    use,
)

__all__ = [
    "LANGUAGES",
    "N_",
    "_",
    "current",
    "detect",
    "format_date",
    "format_datetime",
    "format_duration",
    "format_number",
    "ngettext",
    "pick",
    "preferred",
    "use",
]
