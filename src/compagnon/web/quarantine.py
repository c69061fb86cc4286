"""Rows set aside: their reasons, and putting one back; ``quarantine_row`` corrects one.

The quarantine itself is never served: those who have the right see cells as they would leave it, that is without what
the table hides or masks. Rows named by a personal key are put back from the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.chain.artifact import Artifact
from compagnon.errors import UserError
from compagnon.i18n import _, current
from compagnon.privacy.classes import keep_of
from compagnon.privacy.patterns import mask_text
from compagnon.services.model_api.problem import Refused
from compagnon.spec.model import Table
from compagnon.stages.prepare import quarantine
from compagnon.stages.prepare.exits import named_by_persons
from compagnon.web import paging
from compagnon.web.tables import cell
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

LONGEST_REASON = 1000


@dataclass(frozen=True)
class QuarantinePage:
    """Handlers of ``/quarantine/{table}``."""

    view: View

    def show(self, request: Request) -> Response:
        return self._page(request)

    def restore(self, request: Request, form: dict[str, str]) -> Response:
        """Put one row back at the next run; says what is missing beside its row."""
        table, artifact = self.artifact(request)
        row_id, because = form.get("row_id", ""), form.get("because", "").strip()
        error = wrong_reason(because, _("Say why this row is put back."))
        if error:
            return self._page(request, {"row_id": row_id, "because": because, "error": error})
        solution = self.view.solution
        done = {entry.row_id for entry in solution.ledger.corrections(table) if entry.kind == "restore"}
        try:
            if row_id not in done:
                quarantine.restore(
                    [row_id],
                    artifact,
                    solution.artifacts,
                    solution.ledger,
                    at=solution.clock.now(),
                    author=visitor_of(request).identity.author,
                    because=because,
                )
        except UserError as refused:
            raise Refused(404, refused.code, refused.problems[0].what) from refused
        return RedirectResponse(f"/quarantine/{table}?restored={quote(row_id, safe='')}", 303)

    def _page(self, request: Request, written: dict[str, str] | None = None) -> Response:
        table, artifact = self.artifact(request)
        solution = self.view.solution
        reasons = reason_counts(artifact, self.view)
        wanted = request.query_params.get("reason") or None
        if wanted not in {reason["code"] for reason in reasons}:
            wanted = None
        count = next((r["count"] for r in reasons if r["code"] == wanted), artifact.rows)
        page = paging.page_of(request, count, f"reason={wanted}&" if wanted else "")
        rows, _count = quarantine.rows(artifact, solution.artifacts, reason=wanted, limit=page.last)
        clear = visitor_of(request).may("quarantine.read")
        overlay = solution.ledger.corrections(table)
        restored = {entry.row_id: entry for entry in overlay if entry.kind == "restore"}
        corrected = {entry.row_id: entry for entry in overlay if entry.kind == "correct"}
        said, changed = (request.query_params.get(name) for name in ("restored", "corrected"))
        draft = request.state.draft
        named = named_by_persons(solution.spec)
        values: dict[str, Any] = {
            "table": table,
            "reasons": reasons,
            "reason": wanted,
            "rows": [
                {
                    "row_id": row.row_id if row.source not in named else f"{row.source}:…",
                    "named": row.source in named,
                    "source": row.source,
                    "reasons": [why.text for why in row.reasons],
                    "raw": as_they_leave(solution.spec.tables[table], row.source, row.raw) if clear else None,
                    "restored": restored.get(row.row_id),
                    "corrected": corrected.get(row.row_id),
                }
                for row in rows[page.first :]
            ],
            "paging": page,
            "clear": clear,
            "restorable": visitor_of(request).may("quarantine.restore"),
            "said": said if said in restored else None,
            "changed": changed if changed in corrected else None,
            "form": written or {"row_id": draft.get("row_id"), "because": draft.get("because", ""), "error": None},
            "found": bool(draft) and written is None,
            "here": page.link(page.number),
            "run": solution.current(f"prepare/{table}"),
        }
        return self.view.page(request, "quarantine.html", values, status=422 if written else 200)

    def artifact(self, request: Request) -> tuple[str, Artifact]:
        name, solution = request.path_params["table"], self.view.solution
        if name not in solution.spec.tables:
            raise Refused(404, "page.unknown-table", _("There is no table of that name."))
        try:
            return name, quarantine.of_table(name, solution.spec, solution.ledger, solution.artifacts)
        except UserError as error:
            raise Refused(404, error.code, error.problems[0].what) from error


def wrong_reason(because: str, missing: str) -> str | None:
    """What is wrong with the reason of a decision; ``missing`` is said where there is none."""
    if not because:
        return missing
    if len(because) > LONGEST_REASON:
        return _("The reason is too long: at most {most} characters.").format(most=LONGEST_REASON)
    return None


def as_they_leave(table: Table, source: str, raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Cells of a raw row that the table lets out, by the source's names; texts masked where the table masks them."""
    mapping = table.from_.get(source, {})
    keeps = {entry.column: keep_of(table.columns[name]) for name, entry in mapping.items()}
    # A column from which nothing was declared to leave stays where it is.
    return [
        (name, cell(value) if keeps[name] == "plain" or value is None else mask_text(cell(value)))
        for name, value in raw.items()
        if keeps.get(name) in ("plain", "mask")
    ]


def reason_counts(artifact: Artifact, view: View) -> list[dict[str, Any]]:
    """Reasons that rows have, the most frequent first; a row with two reasons counts in both."""
    import pyarrow.parquet as pq

    column = pq.read_table(view.solution.artifacts.paths(artifact)[0], columns=["reasons"]).column("reasons")
    found: Counter[str] = Counter()
    # The words of the rule, without what they say of one row.
    texts = {r["code"]: r["fr"] if current() == "fr" else r["en"] for r in reversed(artifact.meta["reasons"])}
    for reasons in column.to_pylist():
        for code in {reason["code"] for reason in reasons}:
            found[code] += 1
        for reason in reasons:
            texts.setdefault(reason["code"], reason["fr"] if current() == "fr" else reason["en"])
    return [
        {"code": code, "count": count, "text": texts[code]}
        for code, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]
