"""The playground of prompts: two on one question, their scores, their versions; shipped by two acts of a person."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.chain.job import Job
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.providers.extract import KIND as EXTRACT
from compagnon.services.model_api.problem import Refused
from compagnon.services.tutor.answer.events import Line
from compagnon.services.tutor.answer.opening import default_provider
from compagnon.services.tutor.knowledge.model import DIFFICULTIES
from compagnon.services.tutor.place import tutor_of
from compagnon.services.tutor.prompts import job as plays
from compagnon.services.tutor.prompts import scores
from compagnon.services.tutor.prompts.compare import Difference, compare
from compagnon.services.tutor.prompts.measure import MEASURES, Heard
from compagnon.services.tutor.prompts.play import Conditions, Stage, hear_all
from compagnon.services.tutor.prompts.questions import Asked, read_questions
from compagnon.services.tutor.prompts.scores import Score
from compagnon.services.tutor.prompts.ship import Shipping, prepare
from compagnon.services.tutor.prompts.ship import write as write_prompt
from compagnon.services.tutor.prompts.variant import LONGEST, Variant, found, shipped, typed
from compagnon.services.tutor.prompts.words import figure, interval, verdict_word
from compagnon.web.editions import base_of
from compagnon.web.forms import FORM_KEY, seal, unseal
from compagnon.web.runs import ENDED
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

TYPED = "page"
"""Name of a prompt that was typed here."""
SCORES = 4
"""Scores in the table, the newest first."""


@dataclass(frozen=True)
class Prompts:
    """Handlers of ``/prompts`` and of what stands under it."""

    view: View

    def home(self, request: Request) -> Response:
        self._require()
        return self._page(request, {"b": request.query_params.get("b", "")})

    def try_(self, request: Request, form: dict[str, str]) -> Response:
        """One question answered by both prompts; nothing is kept but the cost."""
        self._require()
        try:
            if not form.get("question", "").strip():
                raise UserError("prompt.no-question", _("Write your question first."))
            known, second = self._known(), typed(TYPED, form.get("text", ""))
            first = known.get(form.get("a", "")) or shipped(self.view.solution)
            level = form.get("level", "")
            asked = Asked.model_validate(
                {
                    "question": form["question"].strip()[:1000],
                    "level": level if level in DIFFICULTIES else "beginner",
                }
            )
            stage = self._stage(form)
            heard = hear_all(stage, (first, second), asked, visitor_of(request).identity.author)
        except UserError as error:
            return self._page(request, form, error.problems[0].what)
        answers = [_shown(*each) for each in zip((first, second), heard, strict=True)]
        return self._page(request, form, answers=answers)

    def play(self, request: Request, form: dict[str, str]) -> Response:
        """Ask for the set to be played with the prompt in use, then with this one: what is known is not asked again."""
        self._require()
        solution, by = self.view.solution, visitor_of(request).identity.author
        try:
            second, stage = typed(TYPED, form.get("text", "")), self._stage(form)
            self._conditions(stage)
            provider = stage.gateway.provider.name
            for each in (shipped(solution), second):
                plays.ask(solution, each, provider, by)
        except UserError as error:
            return self._page(request, form, error.problems[0].what)
        return RedirectResponse(f"/prompts?b={second.digest}&noted=asked", 303)

    def stop(self, request: Request, form: dict[str, str]) -> Response:
        self._require()
        for job in self._jobs():
            if job.state not in ENDED:
                self.view.solution.jobs.cancel(job.id, self.view.solution.clock.now())
        return RedirectResponse("/prompts?noted=stopped", 303)

    def ship(self, request: Request, form: dict[str, str]) -> Response:
        """Show the exact difference of the file; nothing is written."""
        self._require()
        try:
            made = self._made(typed(TYPED, form.get("text", "")), form)
        except UserError as error:
            return self._page(request, form, "\n".join(problem.what for problem in error.problems))
        told = {"text": made.variant.text, "digest": made.digest, "provider": form.get("provider", "")}
        return self._page(request, form, shipping=made, sealed=seal(self._key(), told))

    def write(self, request: Request, form: dict[str, str]) -> Response:
        """Write the difference that was shown."""
        self._require()
        told = unseal(self._key(), form.get("proposal", ""))
        try:
            made = self._made(typed(TYPED, told["text"]), told)
            if made.digest != told["digest"]:
                what = _("The file has changed meanwhile; nothing was written. Look at the difference again.")
                return self._page(request, told, what)
            write_prompt(self.view.solution, made, visitor_of(request).identity.author)
        except UserError as error:
            return self._page(request, told, error.problems[0].what)
        return RedirectResponse("/prompts?noted=shipped", 303)

    def _require(self) -> None:
        try:
            tutor_of(self.view.solution.spec)
        except UserError as none:
            raise Refused(404, none.code, none.problems[0].what) from None

    def _made(self, variant: Variant, form: Mapping[str, str]) -> Shipping:
        return prepare(self.view.solution, variant, self._conditions(self._stage(form)))

    def _stage(self, form: Mapping[str, str]) -> Stage:
        return Stage(self.view.solution, form.get("provider") or None, base=base_of(self.view.solution))

    def _conditions(self, stage: Stage) -> Conditions:
        return stage.conditions(read_questions(self.view.solution, None, stage.base))

    def _services(self) -> list[str]:
        """Names of the services that write, the usual one first."""
        solution = self.view.solution
        names = [name for name, options in solution.spec.providers.items() if options.kind != EXTRACT]
        return sorted(names, key=lambda name: name != default_provider(solution))

    def _known(self) -> dict[str, Variant]:
        """Prompts by their digests: those of files, the one in use first, then those that were played."""
        solution = self.view.solution
        known = {each.digest: each for each in reversed(found(solution))}
        known = dict(reversed(known.items()))
        for score in scores.latest(solution.engine):
            known.setdefault(score.variant.digest, score.variant)
        return known

    def _jobs(self) -> list[Job]:
        return [job for job in self.view.solution.jobs.latest(50) if job.kind == plays.KIND]

    def _page(
        self,
        request: Request,
        form: Mapping[str, str],
        error: str | None = None,
        *,
        answers: Sequence[Mapping[str, Any]] = (),
        shipping: Shipping | None = None,
        sealed: str = "",
    ) -> Response:
        solution, known, now = self.view.solution, self._known(), shipped(self.view.solution)
        latest = scores.latest(solution.engine)
        wanted = known.get(form.get("b", ""))
        if wanted is None and form.get("b"):
            wanted = scores.find_variant(solution.engine, form["b"])
        words = {"beginner": _("beginner"), "intermediate": _("intermediate"), "advanced": _("advanced")}
        values = {
            "services": self._services(),
            "known": list(known.values()),
            "used": now,
            "versions": [(each, _difference(now, each)) for each in found(solution)[1:]],
            "a": form.get("a", now.digest),
            "text_written": form.get("text", (wanted or now).text),
            "question": form.get("question", ""),
            "level": form.get("level", "beginner"),
            "levels": [(level, words[level]) for level in DIFFICULTIES],
            "provider": form.get("provider", ""),
            "longest": LONGEST,
            "answers": answers,
            "error": error,
            "shipping": shipping,
            "differences": _rows(shipping.differences) if shipping else [],
            "sealed": sealed,
            "job": next(iter(self._jobs()), None),
            "waiting": sum(job.state not in ENDED for job in self._jobs()),
            "scores": latest[:SCORES],
            "measures": _table(latest[:SCORES]),
            "compared": self._compared(latest, now),
            "noted": request.query_params.get("noted"),
        }
        return self.view.page(request, "prompts.html", values, status=422 if error else 200)

    def _compared(self, latest: Sequence[Score], now: Variant) -> Mapping[str, Any] | None:
        """The newest score beside that of the prompt in use, where both were played under the same conditions."""
        newest = next((score for score in latest if score.variant.digest != now.digest), None)
        if newest is None:
            return None
        engine = self.view.solution.engine
        before = scores.answers(engine, now.digest, newest.conditions)
        differences = compare(before, scores.answers(engine, newest.variant.digest, newest.conditions))
        if not differences:
            return None
        named: dict[str, list[str]] = {}
        for one in differences:
            if MEASURES[one.measure].gated:
                named.setdefault(one.verdict, []).append(_(MEASURES[one.measure].title).lower())
        return {"score": newest, "rows": _rows(differences), "better": named.get("better"), "worse": named.get("worse"),
                "unclear": named.get("unclear"), "questions": max(one.questions for one in differences)}  # fmt: skip

    def _key(self) -> bytes:
        return self.view.solution.secrets.own(FORM_KEY)


def _shown(variant: Variant, heard: Heard) -> dict[str, Any]:
    reply = heard.reply
    kept: list[Line] = [line for line in heard.lines if line.citations]
    return {
        "variant": variant, "lines": reply.lines, "citations": reply.citations, "refused": reply.refused,
        "kept": len(kept), "dropped": reply.dropped, "by_model": reply.provider != EXTRACT, "tokens": reply.tokens,
        "cost": reply.cost, "seconds": heard.seconds, "raw": heard.raw,
    }  # fmt: skip


def _rows(differences: Sequence[Difference]) -> list[tuple[str, int, str, str, str, str]]:
    """Differences as a table says them: measure, questions, before, after, interval, verdict."""
    found = []
    for one in differences:
        before, after = (figure(one.measure, value) for value in (one.before, one.after))
        title = _(MEASURES[one.measure].title)
        found.append((title, one.questions, before, after, interval(one), verdict_word(one.verdict)))
    return found


def _table(latest: Sequence[Score]) -> list[tuple[str, str, list[str]]]:
    """Measures in lines: title, meaning, the figure of each score."""
    rows = []
    for name, measure in MEASURES.items():
        values = [score.means[name] for score in latest]
        if any(value is not None for value in values):
            figures = ["–" if value is None else figure(name, value) for value in values]
            rows.append((_(measure.title), _(measure.meaning), figures))
    return rows


def _difference(now: Variant, other: Variant) -> str:
    before, after = (each.text.strip().splitlines() for each in (now, other))
    return "\n".join(difflib.unified_diff(before, after, now.name, other.name, n=1, lineterm=""))
