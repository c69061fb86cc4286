"""Rendering templates: every value escaped, words in the language in use."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from compagnon.access.account import author_names
from compagnon.i18n import _, current, format_number, ngettext
from compagnon.services.tutor.handover import desk
from compagnon.spec.model import text_of
from compagnon.web import words
from compagnon.web.visitor import visitor_of

if TYPE_CHECKING:
    from compagnon.solution import Solution

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


@dataclass
class View:
    """Pages of one solution."""

    solution: Solution
    _templates: jinja2.Environment = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            _=_,
            ngettext=ngettext,
            number=format_number,
            words=words,
            style=f"/static/app.css?v={_digest(STATIC / 'app.css')}",
            script=f"/static/job.js?v={_digest(STATIC / 'job.js')}",
            chat_script=f"/static/chat.js?v={_digest(STATIC / 'chat.js')}",
            talk_script=f"/static/talk.js?v={_digest(STATIC / 'talk.js')}",
            release=metadata.version("compagnon"),
            text=lambda value: text_of(value, current()),
            moment=lambda value: words.moment(value, solution_timezone(self.solution)),
        )

    @property
    def hands_over(self) -> bool:
        """Whether a person takes conversations over in this solution."""
        tutor = self.solution.spec.tutor
        return tutor is not None and tutor.handover is not None

    @property
    def grows_faq(self) -> bool:
        """Whether this solution has a FAQ that real questions become entries of."""
        tutor = self.solution.spec.tutor
        return tutor is not None and (tutor.handover is not None or "faq" in tutor.model_fields_set)

    def page(
        self,
        request: Request,
        template: str,
        values: Mapping[str, Any],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The page of ``template`` inside the common frame."""
        spec, visitor = self.solution.spec, visitor_of(request)
        # Those who may not read the solution do not learn its name either.
        known = visitor.may("solution.read")
        models = spec.models if visitor.may("model.try") else {}
        frame = {
            "language": current(),
            "path": request.url.path,
            "solution": text_of(spec.title, current()) or spec.name if known else "Compagnon",
            "models": {name: text_of(model.title, current()) or name for name, model in models.items()},
            "tutor_here": spec.tutor is not None and visitor.may("tutor.ask"),
            "desk_here": self.hands_over and visitor.may("desk.answer"),
            "hands_over": self.hands_over,
            "faq_here": self.grows_faq and visitor.may("desk.answer"),
            # Asked for by those pages alone that show it.
            "waiting": lambda: desk.count(self.solution.engine)["waiting"],
            "visitor": visitor,
            "may": visitor.may,
        }
        html = self._templates.get_template(template).render({**frame, **values})
        return HTMLResponse(html, status, headers={**language_headers(), **(headers or {})})

    def names(self, authors: Iterable[str]) -> dict[str, str]:
        """Names to show for authors as they are kept."""
        return author_names(self.solution.engine, authors)

    def bare(self, template: str, values: Mapping[str, Any], *, status: int) -> Response:
        """A page that says nothing of the solution."""
        html = self._templates.get_template(template).render({"language": current(), **values})
        return HTMLResponse(html, status, headers=language_headers())


def language_headers() -> dict[str, str]:
    return {"content-language": current(), "vary": "Accept-Language, Cookie"}


def solution_timezone(solution: Solution) -> str:
    return solution.spec.timezone


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
