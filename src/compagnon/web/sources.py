"""Sources: what each states, and what its last collection found. Raw rows are counted, never shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from compagnon.chain.run import Run
from compagnon.i18n import _
from compagnon.services.model_api.problem import Refused
from compagnon.spec.model import SourceOptions
from compagnon.web import words
from compagnon.web.view import View

HIDDEN = ("name", "encoding_known", "error")
"""What a piece says that is shown apart or not at all."""


@dataclass(frozen=True)
class Sources:
    """Handlers of ``/sources`` and ``/sources/{name}``."""

    view: View

    def list(self, request: Request) -> Response:
        solution = self.view.solution
        lines = [
            {"name": name, "options": options, "run": (run := solution.current(f"collect/{name}")), **counts(run)}
            for name, options in solution.spec.sources.items()
        ]
        return self.view.page(request, "sources.html", {"sources": lines})

    def show(self, request: Request) -> Response:
        name, solution = request.path_params["name"], self.view.solution
        options: SourceOptions | None = solution.spec.sources.get(name)
        if options is None:
            raise Refused(404, "page.unknown-source", _("There is no source of that name."))
        run = solution.current(f"collect/{name}")
        latest = next(iter(solution.ledger.runs(f"collect/{name}", limit=1)), None)
        artifact = solution.artifact(f"collect/{name}", f"rows/{name}")
        values: dict[str, Any] = {
            "name": name,
            "options": options,
            "run": run,
            "failed": latest if latest is not None and latest.status == "failed" else None,
            "pieces": [described(piece) for piece in artifact.meta.get("pieces", [])] if artifact else [],
            "columns": artifact.meta.get("columns", []) if artifact else [],
            "tables": [table for table, spec in solution.spec.tables.items() if name in spec.from_],
            **counts(run),
        }
        return self.view.page(request, "source.html", values)


def counts(run: Run | None) -> dict[str, Any]:
    """Rows and unreadable rows of the last collection."""
    found = {fact.name: fact.value for fact in run.facts} if run else {}
    return {"rows": found.get("rows_collected"), "unreadable": found.get("rows_unreadable")}


def described(piece: dict[str, Any]) -> dict[str, Any]:
    """One file or batch: its name, and what was detected of it as (word, value)."""
    titles = {
        "format": _("Format"),
        "encoding": _("Encoding"),
        "delimiter": _("Delimiter"),
        "quote": _("Quote"),
        "escape": _("Escape"),
        "header": _("Header line"),
        "compression": _("Compression"),
        "dialect": _("Dialect"),
    }
    detected = [
        (titles[key], _sign(value)) for key, value in piece.items() if key in titles and value not in (None, "")
    ]
    return {"name": piece.get("name", ""), "detected": detected}


def _sign(value: Any) -> str:
    return _("tabulation") if value == "\t" else words.value_text(value)
