"""One-time links: the first administrator, an invitation, a new password. Looking at the page uses nothing up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.access.first import create_first_admin
from compagnon.access.link import Link, read_link, use_link
from compagnon.errors import UserError
from compagnon.i18n import _, current
from compagnon.services.model_api.problem import Refused
from compagnon.web.sign_in import SignIn, words_of
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of


@dataclass(frozen=True)
class LinkPage:
    """Handlers of ``/first/{token}`` and ``/link/{token}``."""

    view: View
    sign_in: SignIn

    def first(self, request: Request) -> Response:
        self._read(request, first=True)
        return self._page(request, None)

    def create(self, request: Request, form: dict[str, str]) -> Response:
        self._read(request, first=True)
        name, shown, password = form.get("sign_in", ""), form.get("name", ""), form.get("password", "")
        solution, token = self.view.solution, request.path_params["token"]
        if form.get("again", "") != password:
            return self._page(request, None, form, error=_("The two passwords differ."))
        try:
            now, origin = solution.clock.now(), visitor_of(request).origin
            made = create_first_admin(
                solution.engine, token, name, shown, password, language=current(), now=now, origin=origin
            )
            self.sign_in.in_with(request, made.sign_in, password)
        except UserError as error:
            return self._page(request, None, form, error=words_of(error), code=error.code)
        return RedirectResponse("/admin/accounts", 303)

    def show(self, request: Request) -> Response:
        return self._page(request, self._read(request, first=False))

    def use(self, request: Request, form: dict[str, str]) -> Response:
        link, password = self._read(request, first=False), form.get("password", "")
        solution = self.view.solution
        if form.get("again", "") != password:
            return self._page(request, link, form, error=_("The two passwords differ."))
        try:
            origin = visitor_of(request).origin
            account = use_link(solution.engine, request.path_params["token"], password, solution.clock.now(), origin)
            self.sign_in.in_with(request, account.sign_in, password)
        except UserError as error:
            return self._page(request, link, form, error=words_of(error), code=error.code)
        return RedirectResponse("/", 303)

    def _read(self, request: Request, *, first: bool) -> Link:
        solution = self.view.solution
        try:
            link = read_link(solution.engine, request.path_params["token"], solution.clock.now())
        except UserError as error:
            raise Refused(404, error.code, words_of(error)) from None
        if (link.purpose == "first") is not first:
            raise Refused(404, "link.over", _("This link has been used, has ended, or is not one of ours."))
        return link

    def _page(
        self,
        request: Request,
        link: Link | None,
        form: dict[str, str] | None = None,
        *,
        error: str | None = None,
        code: str = "",
    ) -> Response:
        values: dict[str, Any] = {"link": link, "form": form or {}, "error": error, "field": _field(code)}
        return self.view.page(request, "link.html", values, status=422 if error else 200)


def _field(code: str) -> str:
    """The field of the form that a mistake is about."""
    return {"account.bad-sign-in": "sign_in", "account.exists": "sign_in", "account.bad-name": "name"}.get(
        code, "password"
    )
