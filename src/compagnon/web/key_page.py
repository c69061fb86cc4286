"""Keys of the API: which there are, a new one (shown once), ending one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.access.keys import SCOPES, create_key, list_keys, revoke_key
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.model_api.problem import Refused
from compagnon.web.sign_in import words_of
from compagnon.web.view import View

DAYS = (30, 90, 365)


@dataclass(frozen=True)
class KeyPage:
    """Handlers of ``/keys``."""

    view: View

    def show(self, request: Request) -> Response:
        return self._page(request)

    def create(self, request: Request, form: dict[str, str]) -> Response:
        solution = self.view.solution
        label, days = form.get("label", "").strip(), form.get("days", "")
        if not label:
            return self._page(request, error=_("Say what the key is for."), form=form)
        now = solution.clock.now()
        expires = now + timedelta(days=int(days)) if days in map(str, DAYS) else None
        _id, key = create_key(solution.engine, SCOPES, label, expires, now=now)
        return self._page(request, key=key)

    def revoke(self, request: Request, form: dict[str, str]) -> Response:
        solution = self.view.solution
        try:
            revoke_key(solution.engine, form.get("key", "")[:32], solution.clock.now())
        except UserError as error:
            raise Refused(404, error.code, words_of(error)) from None
        return RedirectResponse("/keys?done=revoked", 303)

    def _page(
        self,
        request: Request,
        *,
        key: str | None = None,
        error: str | None = None,
        form: dict[str, str] | None = None,
    ) -> Response:
        solution = self.view.solution
        now = solution.clock.now()
        found = sorted(list_keys(solution.engine), key=lambda one: (not one.is_valid(now), -one.created.timestamp()))
        values: dict[str, Any] = {
            "keys": [(one, one.is_valid(now)) for one in found],
            "key": key,
            "error": error,
            "form": form or {},
            "days": DAYS,
            "done": request.query_params.get("done"),
        }
        return self.view.page(request, "keys.html", values, status=422 if error else 200)
