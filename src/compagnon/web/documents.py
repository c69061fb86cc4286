"""Documents to take away from the pages that show the same: quality report, model card, logbook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from compagnon.errors import UserError
from compagnon.evidence.documents import Kind, document_of
from compagnon.i18n import _, current
from compagnon.render.document import Language
from compagnon.render.document_file import MEDIA_TYPES, Form, write
from compagnon.services.model_api.problem import Refused
from compagnon.web.view import View, language_headers

_FORMS: dict[str, Form] = {"html": "html", "docx": "docx"}


@dataclass(frozen=True)
class Documents:
    """Handlers of ``/tables/{name}/quality.{form}``, ``/models/{name}/card.{form}`` and ``/logbook.{form}``."""

    view: View

    def of(self, kind: Kind) -> Callable[[Request], Response]:
        """The handler that gives the document ``kind`` as a file, in the language of the page."""

        def give(request: Request) -> Response:
            name: str | None = request.path_params.get("name")
            form = _FORMS.get(request.path_params["form"])
            if form is None:
                raise Refused(404, "page.unknown-format", _("Documents are given as .html or .docx."))
            solution, language = self.view.solution, _language()
            try:
                document = document_of(
                    kind,
                    name,
                    language,
                    spec=solution.spec,
                    ledger=solution.ledger,
                    artifacts=solution.artifacts,
                    named=lambda author: self.view.names([author])[author],
                )
            except UserError as error:
                raise Refused(404, error.code, error.problems[0].what) from error
            file = "-".join(part for part in (solution.spec.name, kind, name, language) if part)
            headers = {"content-disposition": f'attachment; filename="{file}.{form}"', **language_headers()}
            return Response(write(document, form), media_type=MEDIA_TYPES[form], headers=headers)

        return give


def _language() -> Language:
    return "fr" if current() == "fr" else "en"
