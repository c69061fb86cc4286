"""For those who answer: real questions without an answer, as drafts of entries of the FAQ, decided by a person.

Nothing of a question is shown before enough people asked alike. The exact difference of the file is shown before it is
written, and what was shown is written, or nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.providers.embedder import open_embedder
from compagnon.services.model_api.problem import Refused
from compagnon.services.tutor.faq import living
from compagnon.services.tutor.faq.living import Near, Proposal
from compagnon.services.tutor.faq.take import LONGEST_ANSWER, LONGEST_QUESTION, TOPIC
from compagnon.services.tutor.faq.write import Written
from compagnon.services.tutor.place import tutor_of
from compagnon.services.tutor.search.index import Index
from compagnon.web import paging
from compagnon.web.editions import base_of
from compagnon.web.forms import FORM_KEY, read_form, seal, unseal
from compagnon.web.live import Live
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

if TYPE_CHECKING:
    from compagnon.providers.embedder import Embedder

NEAREST = 8
"""Entries to which the wordings may be added."""
LONGEST_WHY = 2000
_FIELDS = ("question", "answer", "topic", "entry", "why")


@dataclass
class _Kept:
    """Proposals as they were last made: to make them again takes seconds."""

    index: Index | None = None
    mark: tuple[Any, ...] = ()
    known: dict[str, bool] = field(default_factory=dict)
    found: list[Proposal] = field(default_factory=list)
    embedder: Embedder | None = None


@dataclass(frozen=True)
class FaqPages:
    """Handlers of ``/tutor/faq``."""

    view: View
    live: Live
    _kept: _Kept = field(default_factory=_Kept, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def home(self, request: Request) -> Response:
        self._required()
        decided = request.query_params.get("state") == "decided"
        found = await self._proposals()
        return await asyncio.to_thread(self._home, request, found, decided)

    def _home(self, request: Request, found: list[Proposal], decided: bool) -> Response:
        past = living.history(self.view.solution.engine)
        page = paging.page_of(request, len(past if decided else found), "state=decided&" if decided else "")
        shown = slice(page.first, page.last)
        values = {
            "proposals": [] if decided else found[shown],
            "decisions": past[shown] if decided else [],
            "decided": decided,
            "counts": (len(found), len(past)),
            "page": page,
            "people": tutor_of(self.view.solution.spec).faq.people,
            "names": self.view.names({one.by for one in past[shown]}) if decided else {},
            "noted": request.query_params.get("noted"),
        }
        return self.view.page(request, "faq.html", values)

    async def show(self, request: Request) -> Response:
        self._required()
        name = request.path_params["proposal"]
        for one in await self._proposals():
            if one.id == name:
                decided = await asyncio.to_thread(living.last_decision, self.view.solution.engine)
                return await self._one(request, one, decided, {})
        raise Refused(
            404, "faq.unknown-proposal", _("This proposal is not there any more: it was decided, or changed.")
        )

    async def draft(self, request: Request) -> Response:
        """Show what would be written; nothing is."""
        self._required()
        form = await read_form(request)
        proposal, decided = self._about(form)
        told = {name: form.get(name, "") for name in _FIELDS}
        if form.get("change"):
            return await self._one(request, proposal, decided, told)
        if form.get("as") == "wordings" and not told["entry"]:
            return await self._one(request, proposal, decided, told, _("Choose an entry."))
        if form.get("as") != "wordings":
            told["entry"] = ""
        try:
            written = await asyncio.to_thread(self._draft, request, proposal, told)
        except UserError as error:
            return await self._one(request, proposal, decided, told, _said(error))
        sealed = seal(self._key(), {"told": told, "files": _digests(written)})
        return await self._one(request, proposal, decided, told, written=written, sealed=sealed)

    async def decide(self, request: Request) -> Response:
        """Write the difference that was shown, or leave the group out from now on."""
        self._required()
        form = await read_form(request)
        proposal, decided = self._about(form)
        by, now, solution = visitor_of(request).identity.author, self.view.solution.clock.now(), self.view.solution
        if form.get("decision") == "refuse":
            why = form.get("why_not", "").strip()[:LONGEST_WHY]
            if not why:
                return await self._one(request, proposal, decided, {}, _("Say why."))
            try:
                await asyncio.to_thread(
                    lambda: living.refuse(solution, proposal, by=by, now=now, why=why, after=decided)
                )
            except UserError as error:
                return await self._one(request, proposal, decided, {"why_not": why}, _said(error))
            return RedirectResponse("/tutor/faq?noted=refused", 303)
        shown = unseal(self._key(), form.get("shown", ""))
        told = shown["told"]
        try:
            written = await asyncio.to_thread(self._draft, request, proposal, told)
            if _digests(written) != shown["files"]:
                what = _("The file has changed meanwhile; nothing was written. Look at the difference again.")
                return await self._one(request, proposal, decided, told, what)
            why = told["why"].strip()[:LONGEST_WHY]
            await asyncio.to_thread(
                lambda: living.accept(solution, proposal, written, by=by, now=now, why=why, after=decided)
            )
        except UserError as error:
            return await self._one(request, proposal, decided, told, _said(error))
        return RedirectResponse("/tutor/faq?noted=accepted", 303)

    async def _one(
        self,
        request: Request,
        proposal: Proposal,
        decided: int,
        told: Mapping[str, str],
        error: str | None = None,
        *,
        written: Written | None = None,
        sealed: str = "",
    ) -> Response:
        index = await self._index()
        return await asyncio.to_thread(self._page, request, index, proposal, decided, told, error, written, sealed)

    def _page(
        self, request: Request, index: Index, proposal: Proposal, decided: int, told: Mapping[str, str],
        error: str | None, written: Written | None, sealed: str,
    ) -> Response:  # fmt: skip
        topics = {name: topic.title for name, topic in index.base.topics.items() if topic.kind == "faq"}
        topics.setdefault(TOPIC, _("Frequent questions"))
        nearest = [(hit.subtopic.id, hit.subtopic.title) for hit in index.find(proposal.question, count=NEAREST).hits]
        draft = {name: told.get(name, "") for name in (*_FIELDS, "why_not")}
        draft["question"] = draft["question"] or request.state.draft.get("question") or proposal.question
        draft["answer"] = draft["answer"] or request.state.draft.get("answer") or proposal.answer
        draft["topic"] = draft["topic"] if draft["topic"] in topics else proposal.topic
        shown = tutor_of(self.view.solution.spec).knowledge
        values = {
            "proposal": proposal,
            "about": seal(self._key(), {"proposal": _plain(proposal), "decided": decided}),
            "draft": draft,
            "topics": topics,
            "nearest": nearest,
            "longest": (LONGEST_QUESTION, LONGEST_ANSWER, LONGEST_WHY),
            "written": written,
            "patch": written.patch(shown) if written else "",
            "file": f"{shown}/{written.path.name}" if written else "",
            "entry": dict(nearest).get(told.get("entry", ""), "") if written else "",
            "sealed": sealed,
            "found": bool(request.state.draft),
            "error": error,
        }
        return self.view.page(request, "proposal.html", values, status=422 if error else 200)

    def _draft(self, request: Request, proposal: Proposal, told: Mapping[str, str]) -> Written:
        base, topic = base_of(self.view.solution), told["topic"]
        if told["entry"]:
            base.subtopic(told["entry"])
        elif not told["answer"].strip():
            raise UserError("faq.no-answer", _("Write the answer first."))
        if topic != TOPIC and (topic not in base.topics or base.topics[topic].kind != "faq"):
            topic = ""
        return living.draft(
            self.view.solution, proposal, question=told["question"], answer=told["answer"], topic=topic,
            entry=told["entry"], by=visitor_of(request).identity.author, now=self.view.solution.clock.now(),
        )  # fmt: skip

    async def _proposals(self) -> list[Proposal]:
        index = await self._index()
        async with self._lock:
            return await asyncio.to_thread(self._made, index)

    def _made(self, index: Index) -> list[Proposal]:
        kept, solution = self._kept, self.view.solution
        options = tutor_of(solution.spec).embedder
        if kept.embedder is None and options is not None:
            kept.embedder = open_embedder(options, solution.root, solution.secrets)
        mark = living.mark(solution.engine)
        if kept.index is not index:
            kept.index, kept.known, kept.mark = index, {}, ()
        if kept.mark != mark:
            kept.found = living.proposals(solution, index, kept.embedder, kept.known)
            kept.mark = mark
        return kept.found

    async def _index(self) -> Index:
        return (await self.live.tutor()).index

    def _about(self, form: Mapping[str, str]) -> tuple[Proposal, int]:
        """The proposal that the page showed, which a new question may have changed since, and the last decision."""
        told = unseal(self._key(), form.get("about", ""))
        return _proposal(told["proposal"]), int(told["decided"])

    def _required(self) -> None:
        if not self.view.grows_faq:
            raise Refused(404, "faq.none", _("This solution has no FAQ that grows."))

    def _key(self) -> bytes:
        return self.view.solution.secrets.own(FORM_KEY)


def _plain(proposal: Proposal) -> dict[str, Any]:
    return {**asdict(proposal), "first": proposal.first.isoformat(), "last": proposal.last.isoformat()}


def _proposal(values: Mapping[str, Any]) -> Proposal:
    near = Near(**values["near"]) if values["near"] else None
    first, last = (datetime.fromisoformat(values[name]) for name in ("first", "last"))
    return Proposal(**{**values, "near": near, "first": first, "last": last, "wordings": tuple(values["wordings"])})


def _digests(written: Written) -> list[str]:
    """Of the file before and after."""
    return [hashlib.sha256(text.encode()).hexdigest() for text in (written.before, written.after)]


def _said(error: UserError) -> str:
    return error.problems[0].what
