"""The quality report of a table, as ``prepare`` made it, inside the common frame."""

from __future__ import annotations

import re
from collections.abc import Callable

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from compagnon.i18n import _, current
from compagnon.services.model_api.problem import Refused
from compagnon.web.view import View

_MAIN = re.compile(r"<main[^>]*>\s*(?:<h1>.*?</h1>)?(.*)</main>", re.DOTALL)


def make_quality(view: View) -> Callable[[Request], Response]:
    """The handler of ``/tables/{name}/quality``."""

    def quality(request: Request) -> Response:
        name = request.path_params["name"]
        solution = view.solution
        artifact = solution.artifact(f"prepare/{name}", f"quality/{name}") if name in solution.spec.tables else None
        if artifact is None:
            raise Refused(404, "page.no-quality", _("There is no quality report for this table yet."))
        solution.artifacts.verify(artifact)
        html = solution.artifacts.path(artifact, f"quality.{current()}.html").read_text(encoding="utf-8")
        found = _MAIN.search(html)
        # The report was escaped when it was made, and its bytes have just been compared with their digest.
        report = Markup(found[1] if found else "")  # noqa: S704
        run = solution.current(f"prepare/{name}")
        return view.page(request, "quality.html", {"name": name, "report": report, "run": run})

    return quality
