"""Tables: their columns, what of each leaves the raw zone, the prepared rows by page, and files to take away."""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from compagnon.errors import UserError
from compagnon.i18n import _, current, format_number
from compagnon.privacy.classes import keep_of
from compagnon.services.model_api.problem import Refused
from compagnon.spec.model import Column, Table, text_of
from compagnon.stages.store import pointer
from compagnon.stages.store.export import FORMATS, export
from compagnon.stages.store.query import open_published
from compagnon.web import paging, words
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

MOST_COLUMNS = 10
"""Columns of rows that a page shows; files hold them all."""
LONGEST_CELL = 120
_reading = threading.Lock()
"""One at a time: DuckDB shares one instance between all who open a file, and the first has locked its settings."""
MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}
SUFFIX = {"csv": "csv", "json": "jsonl", "parquet": "parquet"}


@dataclass(frozen=True)
class Tables:
    """Handlers of ``/tables``, ``/tables/{name}`` and ``/tables/{name}/export/{form}``."""

    view: View

    def list(self, request: Request) -> Response:
        solution = self.view.solution
        lines = [
            {
                "name": name,
                "meaning": text_of(table.meaning, current()),
                "columns": len(table.columns),
                "run": solution.current(f"prepare/{name}"),
                "facts": {fact: found.value for fact, found in solution.facts(f"prepare/{name}").items()},
            }
            for name, table in solution.spec.tables.items()
        ]
        return self.view.page(request, "tables.html", {"tables": lines})

    def show(self, request: Request) -> Response:
        name, table = self._table(request)
        allowed = visitor_of(request).may("data.read")
        shown, page = _rows(self.view, request, name) if allowed else (None, None)
        artifact = self.view.solution.artifact(f"prepare/{name}", f"table/{name}")
        keeps = {column["name"]: column["keep"] for column in artifact.meta["columns"]} if artifact else {}
        values: dict[str, Any] = {
            "name": name,
            "meaning": text_of(table.meaning, current()),
            "columns": [described(n, column, keeps.get(n)) for n, column in table.columns.items()],
            "sources": list(table.from_),
            "run": self.view.solution.current(f"prepare/{name}"),
            "facts": {fact: found.value for fact, found in self.view.solution.facts(f"prepare/{name}").items()},
            "allowed": allowed,
            "shown": shown,
            "paging": page,
            "forms": list(FORMATS),
        }
        return self.view.page(request, "table.html", values)

    def export(self, request: Request) -> Response:
        name, _table = self._table(request)
        form = request.path_params["form"]
        if form not in FORMATS:
            raise Refused(404, "page.unknown-format", _("Tables are given as CSV, JSON or Parquet."))
        workspace = self.view.solution.workspace
        workspace.prepare()
        path = workspace.scratch / f"download-{os.getpid()}-{secrets.token_hex(8)}.{form}"
        try:
            export(workspace, name, form, path)
        except UserError as error:
            raise Refused(404, error.code, error.problems[0].what) from error
        return FileResponse(
            path,
            media_type=MEDIA[form],
            filename=f"{name}.{SUFFIX[form]}",
            background=BackgroundTask(Path.unlink, path, missing_ok=True),
        )

    def _table(self, request: Request) -> tuple[str, Table]:
        name = request.path_params["name"]
        table = self.view.solution.spec.tables.get(name)
        if table is None:
            raise Refused(404, "page.unknown-table", _("There is no table of that name."))
        return name, table


def described(name: str, column: Column, keep: str | None) -> dict[str, str]:
    """One column as the page says it."""
    return {
        "name": name,
        "type": type_word(column.type),
        "unit": column.unit or "",
        "meaning": text_of(column.meaning, current()),
        "personal": personal_word(column.personal) if column.personal else "",
        "leaves": keep_word(keep or keep_of(column)),
    }


def type_word(kind: str) -> str:
    return {
        "text": _("text"),
        "integer": _("integer"),
        "decimal": _("decimal"),
        "float": _("number"),
        "boolean": _("yes or no"),
        "date": _("date"),
        "timestamp": _("date and time"),
        "category": _("category"),
    }.get(kind, kind)


def keep_word(keep: str) -> str:
    """What leaves the raw zone."""
    return {
        "plain": _("as it is"),
        "pseudonym": _("as a pseudonym"),
        "mask": _("masked"),
        "drop": _("nothing leaves"),
    }.get(keep, keep)


def personal_word(kind: str) -> str:
    """A class of personal data."""
    return {
        "name": _("name"),
        "email": _("e-mail address"),
        "phone": _("telephone"),
        "address": _("postal address"),
        "birth": _("birth"),
        "identifier": _("identifier of a person"),
        "bank": _("bank account"),
        "health": _("health"),
        "location": _("location"),
        "online": _("online trace"),
        "opinion": _("opinion"),
        "free_text": _("free text"),
        "other": _("other personal data"),
        "none": _("none"),
    }.get(kind, kind)


def _rows(view: View, request: Request, name: str) -> tuple[dict[str, Any] | None, paging.Paging | None]:
    """One page of the published table; nothing where it is not published yet."""
    import duckdb

    try:
        path = pointer.published(view.solution.workspace)
    except UserError:
        return None, None
    quoted = '"' + name.replace('"', '""') + '"'
    with _reading, open_published(path, threads=1) as connection:
        try:
            count = int(connection.execute(f"SELECT count(*) FROM {quoted}").fetchall()[0][0])
        except duckdb.CatalogException:
            return None, None  # declared since the last run
        page = paging.page_of(request, count)
        found = connection.sql(
            f"SELECT * FROM {quoted} ORDER BY row_id LIMIT {paging.SIZE} OFFSET {page.first}"
        ).to_arrow_table()
    assert found is not None
    names = found.column_names
    rows = [[cell(row[column]) for column in names[:MOST_COLUMNS]] for row in found.to_pylist()]
    return {"names": names[:MOST_COLUMNS], "rows": rows, "left": len(names[MOST_COLUMNS:])}, page


def cell(value: Any) -> str:
    """A value in a cell, cut where it is long."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, int) and not isinstance(value, bool):
        return format_number(value)
    text = words.value_text(value)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
