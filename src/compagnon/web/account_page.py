"""One's own account: name, language, password, sessions, all that is kept, erasure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.access.account import change_details, get_account
from compagnon.access.personal import erase_account, export_account
from compagnon.access.role import RIGHTS, ROLES
from compagnon.access.session import end_all_sessions, end_session, list_sessions
from compagnon.access.sign_in import change_password, sign_in
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.web.language import COOKIE
from compagnon.web.sign_in import THROTTLE_KEY, words_of
from compagnon.web.view import View
from compagnon.web.visitor import set_cookies, visitor_of


@dataclass(frozen=True)
class AccountPage:
    """Handlers of ``/account``."""

    view: View

    def show(self, request: Request) -> Response:
        return self._page(request)

    def details(self, request: Request, form: dict[str, str]) -> Response:
        solution, identity = self.view.solution, visitor_of(request).identity
        try:
            change_details(
                solution.engine,
                identity.id,
                name=form.get("name", ""),
                language=form.get("language", ""),
                actor=identity.author,
                now=solution.clock.now(),
            )
        except UserError as error:
            return self._page(request, form, at="name", error=words_of(error))
        answer = RedirectResponse("/account?done=details", 303)
        # The language of the account counts from now on, rather than a switch made before.
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    def password(self, request: Request, form: dict[str, str]) -> Response:
        solution, visitor = self.view.solution, visitor_of(request)
        new = form.get("new", "")
        if form.get("again", "") != new:
            return self._page(request, at="new", error=_("The two passwords differ."))
        try:
            change_password(
                solution.engine,
                solution.secrets.own(THROTTLE_KEY),
                visitor.identity.id,
                form.get("current", ""),
                new,
                keep=visitor.session,
                origin=visitor.origin,
                now=solution.clock.now(),
            )
        except UserError as error:
            at = "current" if error.code in ("password.wrong", "sign-in.too-soon") else "new"
            return self._page(request, at=at, error=words_of(error))
        return RedirectResponse("/account?done=password", 303)

    def sessions(self, request: Request, form: dict[str, str]) -> Response:
        """End one session, or all others."""
        solution, visitor = self.view.solution, visitor_of(request)
        now, mine, wanted = solution.clock.now(), visitor.identity.id, form.get("session", "")
        if wanted == "others":
            end_all_sessions(solution.engine, mine, now, but=visitor.session)
        else:
            end_session(solution.engine, mine, wanted, now, visitor.origin)
        if wanted == visitor.session:
            set_cookies(request, visitor.style.clear())
            return RedirectResponse("/sign-in?out=1", 303)
        return RedirectResponse("/account?done=sessions#sessions", 303)

    def export(self, request: Request, form: dict[str, str]) -> Response:
        solution, identity = self.view.solution, visitor_of(request).identity
        found = export_account(solution.engine, identity.id, solution.clock.now(), actor=identity.author)
        body = json.dumps(found, ensure_ascii=False, indent=2)
        headers = {"content-disposition": 'attachment; filename="compagnon-account.json"'}
        return Response(body, media_type="application/json", headers=headers)

    def erase(self, request: Request, form: dict[str, str]) -> Response:
        solution, visitor = self.view.solution, visitor_of(request)
        mine, now = visitor.identity.id, solution.clock.now()
        try:
            # As a sign-in: the password is asked again, and guessing it is slowed down in the same way.
            name, key = get_account(solution.engine, mine).sign_in, solution.secrets.own(THROTTLE_KEY)
            asked = sign_in(solution.engine, key, name, form.get("password", ""), origin=visitor.origin, now=now)
            # The session that the question began is of no use, whether or not the account goes.
            end_session(solution.engine, mine, asked.session, now, visitor.origin)
            erase_account(solution.engine, mine, now, actor=visitor.identity.author)
        except UserError as error:
            said = _("This is not your password.") if error.code == "sign-in.refused" else words_of(error)
            return self._page(request, at="erase", error=said)
        set_cookies(request, visitor.style.clear())
        return RedirectResponse("/sign-in?out=1", 303)

    def _page(
        self, request: Request, form: dict[str, str] | None = None, *, at: str = "", error: str | None = None
    ) -> Response:
        solution, visitor = self.view.solution, visitor_of(request)
        account = get_account(solution.engine, visitor.identity.id)
        values: dict[str, Any] = {
            "account": account,
            "role": ROLES[account.role],
            "rights": [right for name, right in RIGHTS.items() if visitor.may(name)],
            "name": (form or {}).get("name", account.name),
            "chosen": (form or {}).get("language", account.language or ""),
            "sessions": list_sessions(solution.engine, account.id, solution.clock.now()),
            "at": at,
            "error": error,
            "done": request.query_params.get("done"),
        }
        return self.view.page(request, "account.html", values, status=422 if error else 200)
