"""The knowledge base: topics, subtopics, drawings and words of the trade, to read, to search and to print."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from compagnon.errors import UserError
from compagnon.i18n import _, format_date
from compagnon.services.model_api.problem import Refused
from compagnon.services.tutor.knowledge import drawing
from compagnon.services.tutor.knowledge.base import Base, Entry
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.knowledge.model import Subtopic
from compagnon.services.tutor.passages import passages
from compagnon.services.tutor.place import knowledge_folder, tutor_of
from compagnon.web.chat import level_word, require_tutor, shorter
from compagnon.web.live import Live
from compagnon.web.view import View

if TYPE_CHECKING:
    from compagnon.solution import Solution

LONGEST_SEARCH = 200
INK = ("#1c2326", "#e9edeb")
"""Of drawings on a light and on a dark page, as ``--ink`` of the style sheet."""
_loaded: dict[Path, tuple[tuple[tuple[str, int], ...], Base]] = {}
_lock = threading.Lock()


def base_of(solution: Solution) -> Base:
    """The knowledge base, read again when one of its files has changed. Raises UserError."""
    folder = knowledge_folder(solution.root, solution.spec)
    stamp = tuple((path.name, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.json")))
    with _lock:
        known = _loaded.get(folder)
        if known is None or known[0] != stamp:
            known = _loaded[folder] = (stamp, load(folder, shown=tutor_of(solution.spec).knowledge))
        return known[1]


@dataclass(frozen=True)
class KnowledgePages:
    """Handlers of ``/knowledge`` and of what stands under it."""

    view: View
    live: Live

    async def home(self, request: Request) -> Response:
        require_tutor(self.view)
        words = request.query_params.get("q", "").strip()[:LONGEST_SEARCH]
        hits = []
        if words:
            tutor = await self.live.tutor()
            hits = await asyncio.to_thread(tutor.index.search, words)
        return await asyncio.to_thread(self._home, request, words, hits)

    def _home(self, request: Request, words: str, hits: list[Any]) -> Response:
        base = base_of(self.view.solution)
        values = {
            "words_sought": words,
            "hits": [{"subtopic": hit.subtopic, "quote": shorter(hit.quote, 240)} for hit in hits],
            "topics": base.topics,
            "count": len(base),
            "level_word": level_word,
        }
        return self.view.page(request, "knowledge.html", values)

    def glossary(self, request: Request) -> Response:
        require_tutor(self.view)
        by_letter: dict[str, list[Entry]] = {}
        for entry in base_of(self.view.solution).glossary:
            by_letter.setdefault(_letter(entry.term.term), []).append(entry)
        letters = sorted(by_letter)
        asked = request.query_params.get("letter", "")
        letter = asked if asked in by_letter else (letters[0] if letters else "")
        values = {"letters": letters, "letter": letter, "entries": by_letter.get(letter, [])}
        return self.view.page(request, "glossary.html", values)

    def topic(self, request: Request) -> Response:
        require_tutor(self.view)
        base, name = base_of(self.view.solution), request.path_params["topic"]
        if name not in base.topics:
            raise Refused(404, "knowledge.unknown-topic", _("There is no such topic in the knowledge base."))
        return self.view.page(request, "topic.html", {"topic": base.topics[name], "level_word": level_word})

    def subtopic(self, request: Request) -> Response:
        base, found = self._find(request)
        neighbors = base.neighbors(found.id)
        values = {
            "subtopic": found,
            "topic": base.topics[found.topic],
            "neighbors": neighbors,
            "parts": marked(found, request.query_params),
            "drawn": base.diagram(found.id) is not None,
            "at": request.query_params.get("at", ""),
            "level_word": level_word,
            "link": link,
            "day": format_date,
        }
        return self.view.page(request, "subtopic.html", values)

    def drawing(self, request: Request) -> Response:
        """The drawing of a subtopic, in the ink of the reader's color scheme."""
        base, found = self._find(request)
        path = base.diagram(found.id)
        if path is None or drawing.fault(base.folder, path.relative_to(base.folder.resolve()).as_posix()):
            raise Refused(404, "knowledge.no-drawing", _("This subtopic has no drawing."))
        body = path.read_text(encoding="utf-8")
        ink = INK[request.query_params.get("on") == "dark"]
        return Response(re.sub(r"<svg\b", f'<svg color="{ink}"', body, count=1), media_type="image/svg+xml")

    def _find(self, request: Request) -> tuple[Base, Subtopic]:
        require_tutor(self.view)
        base = base_of(self.view.solution)
        try:
            return base, base.subtopic(f"{request.path_params['topic']}.{request.path_params['name']}")
        except UserError as unknown:
            what = _("There is no such subtopic in the knowledge base.")
            raise Refused(404, unknown.code, what) from None


def marked(subtopic: Subtopic, query: Mapping[str, str]) -> dict[str, Markup]:
    """The text of each passage by its place (``content-0``), what a citation quotes marked."""
    found: dict[str, Markup] = {}
    for passage in passages(subtopic):
        place = f"{passage.part}-{passage.number}"
        found[place] = escape(passage.text)
        if place == query.get("at"):
            start, end = (_number(query.get(name, "")) - passage.start for name in ("from", "to"))
            if 0 <= start < end <= len(passage.text):
                text = passage.text
                found[place] = escape(text[:start]) + Markup("<mark>%s</mark>") % text[start:end] + escape(text[end:])
    return found


def link(subtopic: Subtopic) -> str:
    """The address of a subtopic; ids hold only letters, digits and ``_``."""
    topic, _dot, name = subtopic.id.partition(".")
    return f"/knowledge/{topic}/{name}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


def _letter(term: str) -> str:
    from compagnon.features.text import fold_text

    first = fold_text(term)[:1].upper()
    return first if "A" <= first <= "Z" else "#"
