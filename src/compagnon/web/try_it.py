"""Try it: write a question, see the answer, how sure it is and why; say that it is wrong, or decide oneself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.errors import UserError
from compagnon.i18n import _, current
from compagnon.operate.feedback import Feedback, add_feedback
from compagnon.operate.feedback.store import LONGEST_COMMENT, Kind
from compagnon.services.model_api.decode import Rows
from compagnon.services.model_api.diagnose import invalid
from compagnon.services.model_api.openapi import examples
from compagnon.services.model_api.problem import Refused
from compagnon.services.model_api.service import Answer, ModelService
from compagnon.services.model_api.shelf import Shelved
from compagnon.spec.files import values_file
from compagnon.spec.model import text_of
from compagnon.web.fields import Field, field_of, filled, read_row
from compagnon.web.forms import FORM_KEY, read_form, seal, unseal
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of
from compagnon.web.words import label_titles

NEXT_LABELS = 3
SMALLEST_EFFECT = 0.0005
"""Effects that would be shown as 0.0 are left out."""


@dataclass(frozen=True)
class TryIt:
    """Handlers of ``/models/{name}/try`` and ``/models/{name}/feedback``."""

    view: View
    service: ModelService

    async def show(self, request: Request) -> Response:
        return await asyncio.to_thread(self._empty, request)

    def _empty(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            shelved = self.service.shelf.get(name)
        except Refused as refused:
            if refused.problem.status != 503:
                raise
            values = {"name": name, "absent": refused.problem.detail, "said": None, "refused": None}
            return self.view.page(request, "try.html", values, status=503)
        fields = self._fields(shelved)
        number = request.query_params.get("example", "")
        given = examples(shelved)
        if number.isascii() and number.isdigit() and int(number[:4]) < len(given):
            fields = [filled(field, given[int(number[:4])]) for field in fields]
        draft = request.state.draft
        if "answer" in draft:
            with contextlib.suppress(Refused):
                told = unseal(self._key(), draft["answer"])
                fields = [filled(field, told["row"]) for field in fields]
                said = {"expected": draft.get("expected", ""), "comment": draft.get("comment", ""), "error": None}
                return self._page(request, shelved, fields, sealed=draft["answer"], said=said, found=True)
        written = [replace(field, value=draft.get(f"in-{field.name}", field.value)) for field in fields]
        noted = request.query_params.get("noted")
        return self._page(request, shelved, written, noted=noted, found=bool(draft))

    async def ask(self, request: Request) -> Response:
        """Predict for what was written, or for an example."""
        shelved = self.service.shelf.get(request.path_params["name"])
        form = await read_form(request, shelved.model.serve.limits.body)
        fields = await asyncio.to_thread(self._fields, shelved)
        number, given = form.get("example", ""), examples(shelved)
        if number.isascii() and number.isdigit() and int(number[:4]) < len(given):
            row: dict[str, Any] = given[int(number[:4])]
            fields = [filled(field, row) for field in fields]
        else:
            timezone = self.view.solution.spec.timezone
            row, fields = read_row(shelved.package.inputs, fields, form, timezone)
        if any(field.error for field in fields):
            return await asyncio.to_thread(self._page, request, shelved, fields, status=422)

        def decode() -> Rows:
            faults = shelved.package.validate([row])
            if faults:
                raise invalid(faults)
            return [row]

        try:
            _rows, answer = await self.service.predict(
                shelved, decode, request_id=request.state.request_id, by=_by(request), explain=True
            )
        except Refused as refused:
            fields = _with_errors(fields, refused)
            return await asyncio.to_thread(
                self._page, request, shelved, fields, status=refused.problem.status, refused=refused
            )
        sealed = seal(self._key(), _told(answer, row, request.state.request_id))
        return await asyncio.to_thread(self._page, request, shelved, fields, sealed=sealed)

    async def feedback(self, request: Request) -> Response:
        """Keep what a person says of an answer."""
        name = request.path_params["name"]
        form = await read_form(request)
        return await asyncio.to_thread(self._feedback, request, self.service.shelf.get(name), form)

    def _feedback(self, request: Request, shelved: Shelved, form: dict[str, str]) -> Response:
        told = unseal(self._key(), form.get("answer", ""))
        kind: Kind = "decided" if told["decide"] == "person" else "wrong"
        expected, comment = form.get("expected", ""), form.get("comment", "").strip()
        error = None
        if expected not in told["labels"]:
            error = _("Choose a label of the list.")
        elif kind == "wrong" and expected == told["label"]:
            error = _("This is the label that the model gave; choose the right one.")
        elif len(comment) > LONGEST_COMMENT:
            error = _("The comment is too long: at most {most} characters.").format(most=LONGEST_COMMENT)
        if error:
            fields = [filled(field, told["row"]) for field in self._fields(shelved)]
            said = {"expected": expected, "comment": comment, "error": error}
            return self._page(request, shelved, fields, sealed=form["answer"], said=said, status=422)
        solution = self.view.solution
        said_of = Feedback(
            at=solution.clock.now(),
            author=visitor_of(request).identity.author,
            model=shelved.name,
            version=told["version"],
            prediction=f"{told['request']}:0",
            kind=kind,
            input=told["row"],
            predicted=told["label"],
            confidence=told["confidence"],
            expected=expected,
            comment=comment or None,
        )
        add_feedback(solution.engine, solution.spec, said_of)
        return RedirectResponse(f"/models/{shelved.name}/try?noted={kind}", 303)

    def _key(self) -> bytes:
        return self.view.solution.secrets.own(FORM_KEY)

    def _fields(self, shelved: Shelved) -> list[Field]:
        table = self.view.solution.spec.tables.get(shelved.model.table)
        inputs = shelved.package.inputs
        fields = []
        for declared in inputs:
            column = table.columns.get(declared.name) if table else None
            meaning = text_of(column.meaning, current()) if column else ""
            unit = f" ({column.unit})" if column and column.unit else ""
            fields.append(field_of(declared, meaning + unit, alone=len(inputs) == 1))
        return fields

    def _titles(self, shelved: Shelved) -> dict[str, str]:
        spec = self.view.solution.spec
        table = spec.tables.get(shelved.model.table)
        column = table.columns.get(shelved.model.target) if table else None
        try:
            return label_titles(self.view.solution.root, values_file(column) if column else None)
        except (UserError, OSError):
            return {}  # the file changed while we serve: labels stand for themselves

    def _page(
        self,
        request: Request,
        shelved: Shelved,
        fields: Sequence[Field],
        *,
        sealed: str | None = None,
        said: Mapping[str, Any] | None = None,
        refused: Refused | None = None,
        noted: str | None = None,
        found: bool = False,
        status: int = 200,
    ) -> Response:
        titles = self._titles(shelved)
        values = {
            "name": shelved.name,
            "absent": None,
            "task": shelved.model.task,
            "fields": fields,
            "examples": _example_words(shelved),
            "answer": unseal(self._key(), sealed) if sealed else None,
            "sealed": sealed,
            "said": said or {"expected": "", "comment": "", "error": None},
            "title_of": lambda label: titles.get(label, label),
            "refused": refused.problem if refused and not any(field.error for field in fields) else None,
            "noted": noted if noted in ("wrong", "decided") else None,
            "found": found,
            "person_below": shelved.model.decide.person_below,
            "version": shelved.version,
            "longest": shelved.model.serve.limits.text,
        }
        return self.view.page(request, "try.html", values, status=status)


def _by(request: Request) -> str:
    """What is kept of who asked: the role, which tells use from trials; never the account."""
    visitor = visitor_of(request)
    return f"page:{'local' if visitor.is_open else visitor.identity.role}"


def _told(answer: Answer, row: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """One answer with all that its page shows, so that the page can be shown again as it was."""
    outcome = answer.outcomes[0]
    ranked = sorted(zip(outcome.probabilities, answer.labels, strict=True), key=lambda pair: (-pair[0], pair[1]))
    others = [(label, float(p)) for p, label in ranked if label != outcome.label][:NEXT_LABELS]
    return {
        "version": answer.version,
        "request": request_id,
        "row": dict(row),
        "label": outcome.label,
        "confidence": float(outcome.confidence),
        "decide": outcome.decide,
        "others": others,
        "because": [
            (reason["term"], float(reason["effect"]))
            for reason in (answer.because or [[]])[0]
            if abs(reason["effect"]) >= SMALLEST_EFFECT
        ],
        "labels": list(answer.labels),
    }


def _with_errors(fields: Sequence[Field], refused: Refused) -> list[Field]:
    errors = {error.field: error.message for error in refused.problem.errors}
    return [replace(field, error=errors.get(field.name)) for field in fields]


def _example_words(shelved: Shelved) -> list[str]:
    """Examples as the labels of their buttons."""
    found = []
    for row in examples(shelved):
        words = (
            str(next(iter(row.values())))
            if len(row) == 1
            else ", ".join(f"{name} = {value}" for name, value in row.items())
        )
        found.append(words if len(words) <= 90 else words[:89] + "…")
    return found
