"""The knowledge base as pages read it: in the language of the page, or in the one that the address names."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request

from compagnon.i18n import current
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import load, stamp
from compagnon.services.tutor.place import knowledge_folder, tutor_of

if TYPE_CHECKING:
    from compagnon.solution import Solution

EDITION = "in"
"""Names in an address the language of the base, where it is not that of the page."""
READ_IN = {"fr": "Lire en français", "en": "Read in English"}
"""Each said in its own language, whatever the page speaks."""
_loaded: dict[Path, tuple[tuple[tuple[str, int], ...], Base]] = {}
_lock = threading.Lock()


def base_of(solution: Solution) -> Base:
    """The knowledge base, read again when one of its files has changed. Raises UserError."""
    folder = knowledge_folder(solution.root, solution.spec)
    now = stamp(folder)
    with _lock:
        known = _loaded.get(folder)
        if known is None or known[0] != now:
            known = _loaded[folder] = (now, load(folder, shown=tutor_of(solution.spec).knowledge))
        return known[1]


def edition(request: Request, base: Base) -> Base:
    """``base`` in the language that the address names, else in that of the page."""
    return base.spoken(request.query_params.get(EDITION) or current())


def within(base: Base) -> str:
    """What an address of ``base`` ends with, so that it stays in its language."""
    return "" if base.language == current() else f"?{EDITION}={base.language}"


def editions(whole: Base, shown: Base) -> list[tuple[str, str]]:
    """The other languages in which ``whole`` can be read, with the words of the link."""
    known = (whole, *whole.translations.values())
    return [(base.language, READ_IN[base.language]) for base in known if base is not shown]
