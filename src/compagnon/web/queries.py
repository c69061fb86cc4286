"""Documented queries: what each says of itself, and the plans, rows and times last measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from compagnon.errors import UserError
from compagnon.evidence.queries import explain, header
from compagnon.i18n import _, current, format_number
from compagnon.services.model_api.problem import Refused
from compagnon.web.view import View


@dataclass(frozen=True)
class Queries:
    """Handlers of ``/queries`` and ``/queries/{name}``."""

    view: View

    def list(self, request: Request) -> Response:
        found = [self._described(query) for query in header.queries(self.view.solution.workspace.root)]
        return self.view.page(request, "queries.html", {"queries": found})

    def show(self, request: Request) -> Response:
        try:
            query = header.named(request.path_params["name"], self.view.solution.workspace.root)
        except UserError as error:
            raise Refused(404, "page.unknown-query", _("There is no query of that name.")) from error
        said = [(header.part_word(part), query.text(part, current())) for part in header.PARTS]
        return self.view.page(request, "query.html", {**self._described(query), "said": said, "sql": query.sql.strip()})

    def _described(self, query: header.Query) -> dict[str, Any]:
        solution = self.view.solution
        try:
            source = explain.source_of(query, solution.spec)
        except UserError:
            source = query.on
        found = explain.last(query, solution.ledger, solution.artifacts)
        run, plans = found if found else (None, None)
        facts = {fact.name: fact.value for fact in run.facts} if run else {}
        return {
            "name": query.name,
            "goal": query.text("goal", current()),
            "source": source,
            "run": run,
            "plans": plans,
            "is_current": run is not None and explain.is_current(query, run),
            "rows": facts.get("query_rows"),
            "rows_before": facts.get("query_rows_before"),
            "time": _milliseconds(facts.get("query_time")),
            "time_before": _milliseconds(facts.get("query_time_before")),
        }


def _milliseconds(seconds: Any) -> str | None:
    return None if seconds is None else _("{count} ms").format(count=format_number(round(1000 * seconds, 2)))
