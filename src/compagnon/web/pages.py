"""The pages of data, models, runs and of the site itself, each with its address and the name of its route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from compagnon.web.documents import Documents
from compagnon.web.forms import with_form
from compagnon.web.models import Models
from compagnon.web.quarantine import QuarantinePage
from compagnon.web.quarantine_row import QuarantineRow
from compagnon.web.queries import Queries
from compagnon.web.runs import Runs
from compagnon.web.site import Site
from compagnon.web.sources import Sources
from compagnon.web.tables import Tables
from compagnon.web.view import STATIC, View

Handler = Callable[[Request], Any]
Add = Callable[[str, Handler, str], None]
"""Address, handler, and the name that finds the right of the route in ``web.rights``."""
YEAR = 31_536_000


def add_pages(view: View, get: Add, post: Add) -> None:
    """Register every page of this part; ``/help`` is registered by whoever calls, with ``Site(view).help``."""
    sources, tables, models = Sources(view), Tables(view), Models(view)
    quarantine, runs, site = QuarantinePage(view), Runs(view), Site(view)
    documents, queries = Documents(view), Queries(view)

    row = QuarantineRow(view, quarantine)
    get("/sources", sources.list, "sources")
    get("/sources/{name}", sources.show, "source")
    get("/queries", queries.list, "queries")
    get("/queries/{name}", queries.show, "query")
    get("/tables", tables.list, "tables")
    get("/tables/{name}", tables.show, "table")
    get("/tables/{name}/export/{form}", tables.export, "table.export")
    get("/tables/{name}/quality.{form}", documents.of("quality"), "quality.file")
    get("/quarantine/{table}", quarantine.show, "quarantine")
    post("/quarantine/{table}", with_form(quarantine.restore), "quarantine.restore")
    get("/quarantine/{table}/row", row.show, "quarantine.row")
    post("/quarantine/{table}/row", with_form(row.correct), "quarantine.correct")
    get("/models/{name}", models.show, "model-page")
    get("/models/{name}/card", models.card, "model-card")
    get("/models/{name}/card.{form}", documents.of("card"), "model-card.file")
    get("/logbook.{form}", documents.of("logbook"), "logbook.file")
    get("/models/{name}/charts/{chart}.svg", models.chart, "model-chart")
    get("/runs", runs.list, "runs")
    post("/runs", runs.start, "runs.start")
    get("/jobs/{id}", runs.job, "job")
    get("/jobs/{id}/events", runs.events, "job.events")
    post("/jobs/{id}/cancel", runs.cancel, "job.cancel")
    post("/jobs/{id}/resume", runs.resume, "job.resume")
    get("/help/{name}", site.guide, "guide")
    get("/site-map", site.map, "site-map")
    get("/contact", site.contact, "contact")
    get("/legal", site.legal, "legal")
    get("/accessibility", site.accessibility, "accessibility")
    get("/components", site.components, "components")


def script(name: str) -> Handler:
    """The handler of a script of ours."""

    async def script(request: Request) -> Response:
        headers = {"cache-control": f"public, max-age={YEAR}, immutable"}
        return FileResponse(STATIC / name, media_type="text/javascript; charset=utf-8", headers=headers)

    return script
