"""One row set aside: what the source gave, as it would leave, and correcting one cell of it.

Only cells that the table lets out are corrected here; a value that it hides would be written in the clear by somebody
who cannot see what stands there. Those, and rows named by a personal key, are for the command line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.chain.artifact import Artifact
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.privacy.classes import keep_of
from compagnon.services.model_api.problem import Refused
from compagnon.spec.model import Table
from compagnon.stages.prepare import quarantine
from compagnon.stages.prepare.exits import named_by_persons
from compagnon.web.quarantine import QuarantinePage, as_they_leave, wrong_reason
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

LONGEST_VALUE = 10_000


@dataclass(frozen=True)
class QuarantineRow:
    """Handlers of ``/quarantine/{table}/row?id=ROW``."""

    view: View
    page: QuarantinePage

    def show(self, request: Request) -> Response:
        return self._show(request)

    def correct(self, request: Request, form: dict[str, str]) -> Response:
        """Write the correction of one cell; says what is missing beside its field."""
        table, artifact = self.page.artifact(request)
        row = self._row(request, artifact)
        solution, spec = self.view.solution, self.view.solution.spec
        column, value, because = form.get("column", ""), form.get("value", ""), form.get("because", "").strip()
        errors: dict[str, str] = {}
        if column not in correctable(spec.tables[table], row.source):
            errors["column"] = _("Choose a column of the list.")
        if len(value) > LONGEST_VALUE:
            errors["value"] = _("The value is too long: at most {most} characters.").format(most=LONGEST_VALUE)
        wrong = wrong_reason(because, _("Say why this cell is corrected."))
        if wrong:
            errors["because"] = wrong
        if errors:
            return self._show(request, {"column": column, "value": value, "because": because}, errors)
        made = self._made(table, row.row_id, column)
        # A second click says the same once more.
        if made is None or (made.value or "", made.because) != (value, because):
            quarantine.correct(
                row.row_id,
                column,
                value or None,
                artifact,
                solution.artifacts,
                spec,
                solution.ledger,
                at=solution.clock.now(),
                author=visitor_of(request).identity.author,
                because=because,
            )
        return RedirectResponse(f"/quarantine/{table}?corrected={quote(row.row_id, safe='')}", 303)

    def _show(
        self, request: Request, written: dict[str, str] | None = None, errors: dict[str, str] | None = None
    ) -> Response:
        table, artifact = self.page.artifact(request)
        row, declared = self._row(request, artifact), self.view.solution.spec.tables[table]
        clear, draft = visitor_of(request).may("quarantine.read"), request.state.draft
        values: dict[str, Any] = {
            "table": table,
            "row": row,
            "reasons": [why.text for why in row.reasons],
            "raw": as_they_leave(declared, row.source, row.raw) if clear else None,
            "columns": correctable(declared, row.source),
            "form": written or {name: draft.get(name, "") for name in ("column", "value", "because")},
            "errors": errors or {},
            "found": bool(draft) and written is None,
            "longest": LONGEST_VALUE,
        }
        return self.view.page(request, "quarantine_row.html", values, status=422 if errors else 200)

    def _row(self, request: Request, artifact: Artifact) -> quarantine.Row:
        solution = self.view.solution
        try:
            found = quarantine.row(request.query_params.get("id", ""), artifact, solution.artifacts)
        except UserError as error:
            raise Refused(404, error.code, error.problems[0].what) from error
        if found.source in named_by_persons(solution.spec):
            # Its name would be personal data in an address.
            what = _("Rows of this source are named by personal data: correct them from the command line.")
            raise Refused(404, "quarantine.named-by-person", what)
        return found

    def _made(self, table: str, row_id: str, column: str) -> Any:
        """The latest correction of this cell, if any."""
        found = None
        for entry in self.view.solution.ledger.corrections(table):
            if (entry.kind, entry.row_id, entry.column) == ("correct", row_id, column):
                found = entry
        return found


def correctable(table: Table, source: str) -> dict[str, str]:
    """Columns of the table that ``source`` gives and that leave, by name: what the source calls them."""
    return {
        name: entry.column
        for name, entry in table.from_.get(source, {}).items()
        if keep_of(table.columns[name]) in ("plain", "mask")
    }
