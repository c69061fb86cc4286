"""Whose conversations these are: an account's, or a browser's; and those of theirs that an address names."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.model_api.problem import Refused
from compagnon.services.tutor.conversations import store
from compagnon.services.tutor.conversations.owner import (
    COOKIE,
    is_token,
    new_token,
    owner_of_account,
    owner_of_token,
)
from compagnon.services.tutor.conversations.store import Conversation, Kept
from compagnon.services.tutor.place import tutor_of
from compagnon.web.view import View
from compagnon.web.visitor import set_cookies, visitor_of


@dataclass(frozen=True)
class Own:
    """Finds the owner of a request and what is theirs."""

    view: View

    def owner(self, request: Request, *, make: bool = False) -> str:
        """Whose conversations these are: an account's, or this browser's; ``make`` gives it a cookie if it has none."""
        visitor, solution = visitor_of(request), self.view.solution
        token = request.cookies.get(visitor.style.name(COOKIE), "")
        if visitor.identity.kind == "person":
            owner = owner_of_account(visitor.identity.id)
            if is_token(token):
                # What was asked before signing in is found again after it.
                store.adopt(solution.engine, owner, owner_of_token(token, solution.secrets))
                set_cookies(request, (visitor.style.cookie(COOKIE, "", 0),))
            return owner
        if not is_token(token):
            if not make:
                return ""
            token = new_token()
        age = int(store.kept_for(solution.spec).total_seconds())
        set_cookies(request, (visitor.style.cookie(COOKIE, token, age),))
        return owner_of_token(token, solution.secrets)

    def find(self, request: Request, owner: str) -> Conversation:
        require_tutor(self.view)
        try:
            return store.find(self.view.solution.engine, owner, request.path_params["conversation"])
        except UserError as unknown:
            raise Refused(404, unknown.code, unknown.problems[0].what) from None

    def turn(self, request: Request, owner: str) -> tuple[Conversation, Kept]:
        found, number = self.find(request, owner), request.path_params["turn"]
        for turn in store.list_turns(self.view.solution.engine, owner, found.id):
            if str(turn.id) == number:
                return found, turn
        raise Refused(404, "conversation.unknown", _("There is no such conversation."))


def require_tutor(view: View) -> None:
    """Raises Refused 404 where the solution has no tutor."""
    try:
        tutor_of(view.solution.spec)
    except UserError as none:
        raise Refused(404, none.code, none.problems[0].what) from None
