"""The knowledge base: topics, subtopics, drawings and words of the trade, to read, to search and to print."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from compagnon.errors import UserError
from compagnon.i18n import _, format_date
from compagnon.services.model_api.problem import Refused
from compagnon.services.tutor.knowledge import drawing
from compagnon.services.tutor.knowledge.base import Base, Entry
from compagnon.services.tutor.knowledge.model import Subtopic
from compagnon.services.tutor.passages import passages
from compagnon.services.tutor.search.language import language_of
from compagnon.web.editions import base_of, edition, editions, within
from compagnon.web.live import Live
from compagnon.web.own import require_tutor
from compagnon.web.turns import level_word, shorter
from compagnon.web.view import View

LONGEST_SEARCH = 200
INK = ("#1c2326", "#e9edeb")
"""Of drawings on a light and on a dark page, as ``--ink`` of the style sheet."""


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
            asked = language_of(words, edition(request, tutor.index.base).language)
            index = await asyncio.to_thread(tutor.index.spoken, asked)
            hits = await asyncio.to_thread(index.search, words)
            base = index.base
        else:
            base = edition(request, await asyncio.to_thread(base_of, self.view.solution))
        return await asyncio.to_thread(self._home, request, words, hits, base)

    def _home(self, request: Request, words: str, hits: list[Any], base: Base) -> Response:
        values = {
            "within": within(base),
            "base_language": base.language,
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
        base = edition(request, base_of(self.view.solution))
        for entry in base.glossary:
            by_letter.setdefault(_letter(entry.term.term), []).append(entry)
        letters = sorted(by_letter)
        asked = request.query_params.get("letter", "")
        letter = asked if asked in by_letter else (letters[0] if letters else "")
        values = {"letters": letters, "letter": letter, "entries": by_letter.get(letter, []), "within": within(base)}
        return self.view.page(request, "glossary.html", values)

    def topic(self, request: Request) -> Response:
        require_tutor(self.view)
        whole, name = base_of(self.view.solution), request.path_params["topic"]
        base = edition(request, whole)
        if name not in base.topics:  # not translated yet
            base = whole
        if name not in base.topics:
            raise Refused(404, "knowledge.unknown-topic", _("There is no such topic in the knowledge base."))
        values = {"topic": base.topics[name], "level_word": level_word}
        return self.view.page(
            request, "topic.html", {**values, "within": within(base), "editions": editions(whole, base)}
        )

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
            "within": within(base),
            "editions": editions(base_of(self.view.solution), base),
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
        whole = base_of(self.view.solution)
        name = f"{request.path_params['topic']}.{request.path_params['name']}"
        base = edition(request, whole)
        if name not in base.by_id:  # not translated yet
            base = whole
        try:
            return base, base.subtopic(name)
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
