"""Administration: accounts, what may be done without one, traces of sign-ins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.access.account import (
    Account,
    change_role,
    disable_account,
    enable_account,
    get_account,
    list_accounts,
)
from compagnon.access.audit import KINDS, Event, list_events
from compagnon.access.link import invite, make_link
from compagnon.access.role import ACCOUNT_ROLES, ANONYMOUS_MAY, RIGHTS, ROLES
from compagnon.access.setting import allow_anonymous, anonymous_rights
from compagnon.errors import UserError
from compagnon.i18n import _, ngettext
from compagnon.services.model_api.peer import FORWARDED_SCHEME, is_https
from compagnon.services.model_api.problem import Refused
from compagnon.web.sign_in import words_of
from compagnon.web.view import View
from compagnon.web.visitor import visitor_of

PAGE = 30


@dataclass(frozen=True)
class Admin:
    """Handlers of ``/admin/...``."""

    view: View

    def accounts(self, request: Request) -> Response:
        return self._list(request)

    def invite(self, request: Request, form: dict[str, str]) -> Response:
        solution, actor = self.view.solution, visitor_of(request).identity.author
        name, shown, role = form.get("sign_in", ""), form.get("name", ""), form.get("role", "")
        try:
            made, token = invite(solution.engine, name, shown, role, actor=actor, now=solution.clock.now())
        except UserError as error:
            field = {"account.bad-name": "name", "role.unknown": "role"}.get(error.code, "sign_in")
            return self._list(request, form, field=field, error=words_of(error))
        return self._one(request, made, link=_address(request, token))

    def account(self, request: Request) -> Response:
        return self._one(request, self._account(request))

    def change(self, request: Request, form: dict[str, str]) -> Response:
        """Change one account: ``do`` is role, disable, enable or link."""
        solution, identity, account = self.view.solution, visitor_of(request).identity, self._account(request)
        engine, actor, now, what = solution.engine, identity.author, solution.clock.now(), form.get("do", "")
        try:
            if what == "role":
                change_role(engine, account.id, form.get("role", ""), actor=actor, now=now)
            elif what == "disable":
                disable_account(engine, account.id, actor=actor, now=now)
            elif what == "enable":
                enable_account(engine, account.id, actor=actor, now=now)
            elif what == "link":
                token = make_link(engine, account.id, actor=actor, now=now)
                return self._one(request, account, link=_address(request, token))
        except UserError as error:
            return self._one(request, account, error=words_of(error))
        return RedirectResponse(f"/admin/accounts/{account.id}?done=1", 303)

    def settings(self, request: Request) -> Response:
        engine = self.view.solution.engine
        values: dict[str, Any] = {
            "rights": [right for name, right in RIGHTS.items() if name in ANONYMOUS_MAY],
            "allowed": anonymous_rights(engine),
            "done": "done" in request.query_params,
        }
        return self.view.page(request, "settings.html", values)

    def change_settings(self, request: Request, form: dict[str, str]) -> Response:
        solution, actor = self.view.solution, visitor_of(request).identity.author
        wanted = [name for name in ANONYMOUS_MAY if f"right-{name}" in form]
        allow_anonymous(solution.engine, wanted, actor=actor, now=solution.clock.now())
        return RedirectResponse("/admin/settings?done=1", 303)

    def audit(self, request: Request) -> Response:
        engine = self.view.solution.engine
        before, after = (_number(request.query_params.get(name, "")) for name in ("before", "after"))
        if after is not None:
            before = None
        found = list_events(engine, before=before, after=after, limit=PAGE + 1)
        back = after is not None
        shown = found[-PAGE:] if back else found[:PAGE]
        more = len(found) > PAGE
        people = {f"person:{event.account}" for event in shown if event.account}
        people |= {event.actor for event in shown if event.actor}
        values = {
            "events": shown,
            "kinds": KINDS,
            "detail_words": detail_words,
            "names": self.view.names(people),
            "later": more if back else before is not None,
            "earlier": back or more,
        }
        return self.view.page(request, "audit.html", values)

    def _account(self, request: Request) -> Account:
        try:
            return get_account(self.view.solution.engine, request.path_params["id"])
        except UserError as error:
            raise Refused(404, error.code, words_of(error)) from None

    def _list(
        self, request: Request, form: dict[str, str] | None = None, *, field: str = "", error: str | None = None
    ) -> Response:
        after, back = (request.query_params.get(name, "") for name in ("after", "before"))
        engine = self.view.solution.engine
        found = list_accounts(engine, after="" if back else after, before=back, limit=PAGE + 1)
        more = len(found) > PAGE
        values: dict[str, Any] = {
            "accounts": found[-PAGE:] if back else found[:PAGE],
            "previous": more if back else bool(after),
            "following": bool(back) or more,
            "roles": [ROLES[name] for name in ACCOUNT_ROLES],
            "form": form or {},
            "field": field,
            "error": error,
        }
        return self.view.page(request, "accounts.html", values, status=422 if error else 200)

    def _one(
        self, request: Request, account: Account, *, link: str | None = None, error: str | None = None
    ) -> Response:
        values: dict[str, Any] = {
            "account": account,
            "roles": [ROLES[name] for name in ACCOUNT_ROLES],
            "link": link,
            "error": error,
            "done": "done" in request.query_params,
        }
        return self.view.page(request, "account-one.html", values, status=422 if error else 200)


def detail_words(event: Event) -> str:
    """What a trace adds to its kind, in words; what is not known stays as it was written."""
    detail = event.detail or ""
    if event.kind in ("account-created", "role-changed"):
        roles = (ROLES[name].title if name in ROLES else name for name in detail.split(" → "))
        return " → ".join(roles)
    if event.kind == "sessions-ended" and detail.isdigit():
        count = int(detail)
        return ngettext("{count} session", "{count} sessions", count).format(count=count)
    said = {
        "first": _("the first account"),
        "invitation": _("an invitation"),
        "reset": _("a new password"),
        "anonymous-rights": _("what is allowed without an account"),
        "name": _("name"),
        "language": _("language"),
    }
    return ", ".join(said.get(word, word) for word in detail.split(", "))


def _number(text: str) -> int | None:
    return int(text[:15]) if text.isascii() and text.isdigit() else None


def _address(request: Request, token: str) -> str:
    """The whole address of a one-time link, by the name under which the administrator reached the server."""
    scheme = "https" if is_https(request.url.scheme, request.headers.get(FORWARDED_SCHEME, "")) else "http"
    return f"{scheme}://{request.headers.get('host', '')}/link/{token}"
