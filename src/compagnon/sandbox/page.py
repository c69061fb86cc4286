"""The page that lists what is there to practice on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compagnon.i18n import LANGUAGES, _, use
from compagnon.render.page import render
from compagnon.sandbox.catalog import Entry
from compagnon.sandbox.exchange import Reply, Request

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def index(entries: Sequence[Entry], environ: Mapping[str, str], request: Request) -> Reply:
    """The page in the reader's language; ``?lang=fr`` or ``?lang=en`` chooses."""
    english = request.headers.get("accept-language", "").lower().startswith("en")
    language = request.query.get("lang", "")
    if language not in LANGUAGES:
        language = "en" if english else "fr"
    with use(language):
        text = render(
            "sandbox.html",
            language=language,
            title=_("Practice sources"),
            sources=[entry for entry in entries if not entry.fault],
            faults=[entry for entry in entries if entry.fault],
            environ=environ,
            _=_,
        )
    headers = {
        "Content-Security-Policy": _POLICY,
        "Referrer-Policy": "no-referrer",
        "Content-Language": language,
        "Vary": "Accept-Language",
    }
    return Reply(body=text.encode(), kind="text/html; charset=utf-8", headers=headers)
