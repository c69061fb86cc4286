"""Signing in and out; what was written before a session ended goes along."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.access import csrf
from compagnon.access.session import end_session
from compagnon.access.sign_in import SignedIn, sign_in
from compagnon.access.throttle import TooSoon
from compagnon.errors import UserError
from compagnon.services.model_api.problem import Refused
from compagnon.web.door import safe_place, with_draft
from compagnon.web.drafts import LONGEST, Drafts
from compagnon.web.forms import TOKEN, StaleForm, read_form, seal, unseal
from compagnon.web.view import View
from compagnon.web.visitor import Visitor, mark_of, owner_of, set_cookies, visitor_of

THROTTLE_KEY = "throttle_key"
DRAFT_KEY = "draft_key"
CHALLENGE = {"www-authenticate": 'Session realm="compagnon"'}


@dataclass
class SignIn:
    """Handlers of ``/sign-in`` and ``/sign-out``."""

    view: View
    drafts: Drafts = field(init=False)

    def show(self, request: Request) -> Response:
        visitor = visitor_of(request)
        place = safe_place(request.query_params.get("next", "/"))
        if visitor.signed_in:
            return RedirectResponse(place, 303)
        return self._page(request, place, ended="ended" in request.query_params)

    def ask(self, request: Request, place: str, fields: dict[str, str]) -> Response:
        """The page that answers a form of somebody who is not signed in any more: the form is kept in it."""
        kept = {name: text for name, text in fields.items() if name != TOKEN}
        written = {"fields": kept, "mark": mark_of(fields.get(TOKEN, ""))}
        sealed = seal(self._key(), written) if kept and sum(map(len, kept.values())) <= LONGEST else ""
        return self._page(request, place, ended=True, draft=sealed, status=401, headers=CHALLENGE)

    async def enter(self, request: Request) -> Response:
        try:
            form, stale = await read_form(request), None
        except StaleForm as error:
            form, stale = error.fields, error
        return await asyncio.to_thread(self._enter, request, form, stale)

    def _enter(self, request: Request, form: dict[str, str], stale: StaleForm | None) -> Response:
        solution, visitor = self.view.solution, visitor_of(request)
        place, draft, name = safe_place(form.get("next", "/")), form.get("draft", ""), form.get("name", "")
        given: dict[str, Any] = {"name": name, "remember": "remember" in form, "draft": draft}
        if visitor.is_open:
            return self._page(request, place)
        if stale:
            return self._page(request, place, error=stale.problem.detail, status=403, **given)
        now = solution.clock.now()
        try:
            signed = sign_in(
                solution.engine,
                solution.secrets.own(THROTTLE_KEY),
                name,
                form.get("password", ""),
                origin=visitor.origin,
                remember="remember" in form,
                now=now,
            )
        except TooSoon as error:
            wait = {"retry-after": str(max(1, math.ceil(error.wait.total_seconds())))}
            return self._page(request, place, error=words_of(error), status=429, headers=wait, **given)
        except UserError as error:
            return self._page(request, place, error=words_of(error), status=422, **given)
        self.begin(request, signed)
        if draft:
            place = self._with_written(signed, visitor, place, draft)
        return RedirectResponse(place, 303)

    def _with_written(self, signed: SignedIn, visitor: Visitor, place: str, draft: str) -> str:
        """Where what was written is found again; home for what is no draft of ours or is another account's."""
        try:
            written = unseal(self._key(), draft)
        except Refused:
            return "/"
        account = signed.account.id
        if written["mark"] not in ("", csrf.mark(visitor.key, account)):
            return "/"
        return with_draft(place, self.drafts.keep(owner_of(account), written["fields"]))

    def begin(self, request: Request, signed: SignedIn) -> None:
        """Give the browser its new session; the one it had ends."""
        solution, visitor = self.view.solution, visitor_of(request)
        now = solution.clock.now()
        if visitor.session is not None:
            end_session(solution.engine, visitor.identity.id, visitor.session, now, visitor.origin)
        # The proof for forms without a session has done its work.
        gone = visitor.style.cookie("csrf", "", 0)
        visitor.new_seed = False
        set_cookies(request, (*visitor.style.write(signed.tokens, now), gone))

    def in_with(self, request: Request, name: str, password: str) -> None:
        """Begin a session for somebody who has just set this password."""
        solution = self.view.solution
        key = solution.secrets.own(THROTTLE_KEY)
        origin, now = visitor_of(request).origin, solution.clock.now()
        self.begin(request, sign_in(solution.engine, key, name, password, origin=origin, now=now))

    async def out(self, request: Request) -> Response:
        await read_form(request)
        visitor = visitor_of(request)
        if visitor.session is not None:
            solution = self.view.solution
            now = solution.clock.now()
            await asyncio.to_thread(
                end_session, solution.engine, visitor.identity.id, visitor.session, now, visitor.origin
            )
            set_cookies(request, visitor.style.clear())
        return RedirectResponse("/sign-in?out=1", 303)

    def _key(self) -> bytes:
        return self.view.solution.secrets.own(DRAFT_KEY)

    def _page(
        self,
        request: Request,
        place: str,
        *,
        name: str = "",
        remember: bool = False,
        draft: str = "",
        error: str | None = None,
        ended: bool = False,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        values: dict[str, Any] = {"next": place, "name": name, "remember": remember, "draft": draft}
        values |= {"error": error, "ended": ended, "out": "out" in request.query_params}
        return self.view.page(request, "sign-in.html", values, status=status, headers=headers)


def words_of(error: UserError) -> str:
    """What went wrong and what to do, as one text."""
    problem = error.problems[0]
    return f"{problem.what} {problem.next}" if problem.next else problem.what
