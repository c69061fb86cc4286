"""Home: what the solution is for, its life as a picture, what was promised, the next step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from compagnon.chain.indicator import judge_all
from compagnon.chain.plan import Step
from compagnon.errors import UserError
from compagnon.i18n import _, format_date
from compagnon.web import words
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

if TYPE_CHECKING:
    from compagnon.services.model_api.shelf import Shelf
    from compagnon.solution import Solution


@dataclass(frozen=True)
class Card:
    """One stage instance as the picture shows it."""

    target: str
    state: str
    reason: str
    facts: list[tuple[str, str]]
    day: str
    run: str | None
    quality: str | None


@dataclass(frozen=True)
class NextStep:
    """What to do next: in words, and as a command or a page."""

    text: str
    command: str | None = None
    link: tuple[str, str] | None = None


def make(view: View, shelf: Shelf) -> Callable[[Request], Response]:
    """The handler of ``/``."""

    def home(request: Request) -> Response:
        solution, may = view.solution, visitor_of(request).may
        problem: UserError | None = None
        steps: list[Step] = []
        try:
            steps = solution.status()
        except UserError as error:
            problem = error
        facts = {s.instance.id: {f.name: f for f in s.run.facts} if s.run else {} for s in steps}
        values: dict[str, Any] = {
            "need": solution.spec.need,
            "life": picture(steps),
            "indicators": judge_all(solution.spec, facts),
            "runs": {s.instance.id: s.run.id for s in steps if s.run},
            "problem": problem.problems[0] if problem else None,
            "next_step": next_step(solution, steps, shelf if may("model.try") else None, startable=may("run.start")),
        }
        return view.page(request, "home.html", values)

    return home


def picture(steps: Sequence[Step]) -> dict[str, list[Card]]:
    """Cards by kind of stage, in the order of the chain."""
    life: dict[str, list[Card]] = {}
    for step in steps:
        run = step.run
        life.setdefault(step.instance.stage, []).append(
            Card(
                target=step.instance.target,
                state=step.state,
                reason="" if step.valid else step.reason,
                facts=words.key_facts(run.facts) if run else [],
                day=format_date(run.ended) if run else "",
                run=run.id if run else None,
                quality=step.instance.target if run and step.instance.stage == "prepare" else None,
            )
        )
    return life


def next_step(solution: Solution, steps: Sequence[Step], shelf: Shelf | None, *, startable: bool = False) -> NextStep:
    """The one thing that helps most now; ``shelf`` is None for those who may not try a model.

    ``startable``: whether the reader may start a run from these pages.
    """
    start = ("/runs", _("Start a run")) if startable else None
    states = {step.state for step in steps}
    if "running" in states:
        return NextStep(_("The chain is at work; open this page again in a moment."), link=("/logbook", _("Logbook")))
    if "failed" in states:
        failed = next(step for step in steps if step.state == "failed")
        text = _("{stage} failed: {reason} Correct the cause, then run again.")
        return NextStep(text.format(stage=failed.instance.id, reason=failed.reason), "compagnon run", start)
    if states & {"stale", "missing"}:
        return NextStep(_("Some stages are not up to date: run them."), "compagnon run", start)
    served = next((name for name in shelf.names if shelf.find(name)), None) if shelf else None
    if served is not None:
        return NextStep(_("Everything is up to date: try the model."), link=(f"/models/{served}/try", _("Try it")))
    return NextStep(_("See what was done and why."), link=("/logbook", _("Logbook")))
