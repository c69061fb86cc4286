"""Logbook: runs and notes, the latest first; each run at its own address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.chain.ledger import Note
from compagnon.chain.run import Run
from compagnon.i18n import _
from compagnon.services.model_api.problem import Refused
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

PAGE = 20
LONGEST_NOTE = 4000


@dataclass(frozen=True)
class Entry:
    """One line of the logbook: a run or a note."""

    at: datetime
    run: Run | None = None
    note: Note | None = None


@dataclass(frozen=True)
class Logbook:
    """Handlers of ``/logbook`` and ``/runs/{id}``."""

    view: View

    def show(self, request: Request) -> Response:
        return self._list(request)

    def add(self, request: Request, form: dict[str, str]) -> Response:
        """Write a note, then show it where it was written."""
        text, about = form.get("text", "").strip(), form.get("about") or None
        run = self._run(about) if about else None
        error = None
        if not text:
            error = _("Write the note first: it is empty.")
        elif len(text) > LONGEST_NOTE:
            error = _("The note is too long: at most {most} characters.").format(most=LONGEST_NOTE)
        if error:
            written = {"text": text, "error": error, "found": False}
            return self._detail(request, run, written) if run else self._list(request, written)
        author = visitor_of(request).identity.author
        note = self.view.solution.note(text, about=run.id if run else None, by=author)
        place = f"/runs/{run.id}" if run else "/logbook"
        return RedirectResponse(f"{place}#note-{note.id}", 303)

    def run(self, request: Request) -> Response:
        return self._detail(request, self._run(request.path_params["id"]))

    def _list(self, request: Request, written: dict[str, Any] | None = None) -> Response:
        text = request.query_params.get("page", "1")
        page = int(text) if text.isascii() and text.isdigit() and 0 < int(text[:6]) < 100_000 else 1
        ledger = self.view.solution.ledger
        runs, notes = ledger.runs(limit=page * PAGE + 1), ledger.notes()
        entries = [Entry(run.ended, run=run) for run in runs] + [Entry(note.at, note=note) for note in notes]
        entries.sort(key=lambda entry: entry.at, reverse=True)
        shown = entries[(page - 1) * PAGE : page * PAGE]
        values: dict[str, Any] = {
            "entries": shown,
            "page": page,
            "more": len(entries) > page * PAGE,
            "form": written or _empty(request),
            "names": self.view.names(entry.note.author for entry in shown if entry.note),
        }
        return self.view.page(request, "logbook.html", values, status=422 if written else 200)

    def _detail(self, request: Request, run: Run, written: dict[str, Any] | None = None) -> Response:
        notes = [note for note in self.view.solution.ledger.notes() if note.about == run.id]
        values: dict[str, Any] = {"run": run, "notes": notes, "form": written or _empty(request)}
        values["names"] = self.view.names(note.author for note in notes)
        return self.view.page(request, "run.html", values, status=422 if written else 200)

    def _run(self, run_id: str) -> Run:
        run = self.view.solution.ledger.run(run_id) if run_id.isalnum() and len(run_id) >= 6 else None
        if run is None:
            raise Refused(404, "page.unknown-run", _("There is no run of that name in the logbook."))
        return run


def _empty(request: Request) -> dict[str, Any]:
    """The form of a note, with what was written before a session ended."""
    text = request.state.draft.get("text", "")
    return {"text": text, "error": None, "found": bool(text)}
