"""For teachers: corrections that learners propose, and what they ask. For those who pay: providers and costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.operate.usage.opening import known
from compagnon.operate.usage.report import usage
from compagnon.services.model_api.problem import Refused
from compagnon.services.tutor import review
from compagnon.services.tutor.asked import SMALLEST, asked
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.passages import passages
from compagnon.spec.model import Ceiling
from compagnon.web import paging
from compagnon.web.editions import base_of
from compagnon.web.forms import FORM_KEY, seal, unseal
from compagnon.web.own import require_tutor
from compagnon.web.turns import level_word, shorter
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

DAYS = 14
"""Of usage on the page of providers."""
ASKED_DAYS = 90


@dataclass(frozen=True)
class Review:
    """Handlers of ``/corrections``, ``/asked`` and ``/providers``."""

    view: View

    def list(self, request: Request) -> Response:
        require_tutor(self.view)
        waiting = request.query_params.get("state") != "decided"
        number = paging.asked(request)
        first = (number - 1) * paging.SIZE
        engine = self.view.solution.engine
        found = review.corrections(engine, waiting=waiting, limit=paging.SIZE + 1, offset=first)
        shown = found[: paging.SIZE]
        values = {
            "corrections": shown,
            "waiting": waiting,
            "count": review.count_waiting(engine),
            "number_of_page": number,
            "more": len(found) > paging.SIZE,
            "changes": {} if waiting else review.history(self._base()),
            "names": self.view.names({one.decided_by for one in shown if one.decided_by}),
            "noted": request.query_params.get("noted"),
        }
        return self.view.page(request, "corrections.html", values)

    def show(self, request: Request) -> Response:
        return self._one(request, {})

    def propose(self, request: Request, form: dict[str, str]) -> Response:
        """Show what would be written; nothing is."""
        try:
            proposal = review.propose(self._base(), form.get("passage", ""), form.get("text", ""))
        except UserError as error:
            return self._one(request, form, error.problems[0].what)
        if not form.get("why", "").strip():
            return self._one(request, form, _("Say why."))
        told = {"passage": proposal.passage, "after": proposal.after, "digest": proposal.digest, "why": form["why"]}
        return self._one(request, form, proposal=proposal, sealed=seal(self._key(), told))

    def decide(self, request: Request, form: dict[str, str]) -> Response:
        """Write the difference that was shown, or leave the base as it is."""
        correction, solution = self._find(request), self.view.solution
        by, now = visitor_of(request).identity.author, solution.clock.now()
        try:
            if form.get("decision") == "refuse":
                why = form.get("why", "").strip()[:2000]
                if not why:
                    return self._one(request, form, _("Say why."))
                review.refuse(solution.engine, correction.id, by=by, why=why, now=now)
                return RedirectResponse("/corrections?noted=refused", 303)
            told = unseal(self._key(), form.get("proposal", ""))
            base = self._base()
            proposal = review.propose(base, told["passage"], told["after"])
            if proposal.digest != told["digest"]:
                what = _("The file has changed meanwhile; nothing was written. Look at the difference again.")
                return self._one(request, {**told, "text": told["after"]}, what)
            review.accept(solution.engine, base, correction.id, proposal, by=by, why=told["why"][:2000], now=now)
        except UserError as error:
            return self._one(request, form, error.problems[0].what)
        return RedirectResponse("/corrections?noted=accepted", 303)

    def asked(self, request: Request) -> Response:
        require_tutor(self.view)
        since = self.view.solution.clock.now() - timedelta(days=ASKED_DAYS)
        base = self._base()
        values = {
            "asked": asked(self.view.solution.engine, since),
            "smallest": SMALLEST,
            "days": ASKED_DAYS,
            "topics": {name: topic.title for name, topic in base.topics.items()},
            "subtopics": {name: subtopic.title for name, subtopic in base.by_id.items()},
            "level_word": level_word,
        }
        return self.view.page(request, "asked.html", values)

    def providers(self, request: Request) -> Response:
        require_tutor(self.view)
        solution = self.view.solution
        since = solution.clock.now().date() - timedelta(days=DAYS - 1)
        ceilings = {name: _ceilings(options.ceiling) for name, options in solution.spec.providers.items()}
        values = {
            "providers": known(solution),
            "ceilings": ceilings,
            "used": usage(solution.engine, "day", since=since)[::-1],
            "by_provider": usage(solution.engine, "provider", since=since),
            "days": DAYS,
        }
        return self.view.page(request, "providers.html", values)

    def _one(
        self,
        request: Request,
        form: Mapping[str, str],
        error: str | None = None,
        *,
        proposal: review.Proposal | None = None,
        sealed: str = "",
    ) -> Response:
        correction, base = self._find(request), self._base()
        wanted = form.get("passage") or request.query_params.get("passage", "")
        name = request.query_params.get("subtopic") or wanted.partition("/")[0] or correction.subtopic or ""
        subtopic = base.by_id.get(name)
        found = [
            passage
            for spoken in (base, *base.translations.values())
            if subtopic and subtopic.id in spoken.by_id
            for passage in passages(spoken.by_id[subtopic.id])
        ]
        passage = next((one for one in found if one.id == wanted), None)
        values = {
            "correction": correction,
            "subtopic": subtopic,
            "subtopics": base.topics,
            "passages": [(one.id, shorter(one.text, 80), one.edition or base.language) for one in found],
            "passage": passage,
            "text_written": form.get("text", passage.text if passage else ""),
            "why": form.get("why", ""),
            "proposal": proposal,
            "sealed": sealed,
            "error": error,
        }
        return self.view.page(request, "correction.html", values, status=422 if error else 200)

    def _find(self, request: Request) -> review.Correction:
        require_tutor(self.view)
        text = request.path_params["number"]
        try:
            known_number = text.isascii() and text.isdigit() and len(text) < 16
            return review.find(self.view.solution.engine, int(text) if known_number else 0)
        except UserError as unknown:
            raise Refused(404, unknown.code, unknown.problems[0].what) from None

    def _base(self) -> Base:
        return base_of(self.view.solution)

    def _key(self) -> bytes:
        return self.view.solution.secrets.own(FORM_KEY)


def _ceilings(ceiling: Ceiling) -> list[tuple[str, Any]]:
    """What a provider may use at most: (what, number)."""
    words = {
        "tokens_per_day": _("tokens a day"),
        "tokens_per_user": _("tokens a day of one person"),
        "tokens": _("tokens in all"),
        "cost_per_day": _("USD a day"),
        "cost_per_user": _("USD a day of one person"),
    }
    return [(word, getattr(ceiling, name)) for name, word in words.items() if getattr(ceiling, name) is not None]
