"""The one door of all pages: who comes, whether they may, and what was written when a session ended on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from compagnon.access import csrf
from compagnon.access.account import count_accounts
from compagnon.access.cookies import CookieStyle
from compagnon.access.identity import anonymous
from compagnon.access.origin import Origin
from compagnon.access.session import authenticate
from compagnon.access.setting import anonymous_rights
from compagnon.i18n import LANGUAGES, _, use
from compagnon.services.model_api.peer import FORWARDED_SCHEME, address_of, is_https
from compagnon.services.model_api.problem import Refused
from compagnon.web.drafts import Drafts
from compagnon.web.forms import StaleForm, read_fields
from compagnon.web.language import COOKIE
from compagnon.web.local import require_known_name, require_local, require_own_form
from compagnon.web.rights import NEEDED, PUBLIC
from compagnon.web.visitor import LOCAL, Visitor, set_cookies

if TYPE_CHECKING:
    from compagnon.solution import Solution

YEAR = 31_536_000
CSRF_KEY = "csrf_key"
LONGEST_PLACE = 500
SECRET_PAGES = frozenset({"first", "first.create", "link", "link.use"})
"""Pages whose address is a secret: no other address is told where one came from."""

_DRAFTED: dict[str, Callable[[Request, dict[str, str]], str]] = {
    "logbook.add": lambda request, form: f"/runs/{quote(form['about'], safe='')}" if form.get("about") else "/logbook",
    "quarantine.restore": lambda request, form: _here(request),
    "quarantine.correct": lambda request, form: _here(request),
    "tutor.start": lambda request, form: "/tutor",
    "conversation.say": lambda request, form: request.url.path,
    "handover.answer": lambda request, form: request.url.path.removesuffix("/answer"),
    "proposal.draft": lambda request, form: request.url.path.removesuffix("/draft"),
    "try.ask": lambda request, form: request.url.path,
    "try.feedback": lambda request, form: request.url.path.removesuffix("/feedback") + "/try",
}
"""Forms that one writes in for a while: their route, and the page where what was written is found again."""

Handler = Callable[[Request], Any]


@dataclass
class Door:
    """Lets requests in by the table of ``web.rights``; ``sign_in`` makes the page that asks who one is.

    ``names``: those the server is reached by, besides this machine's own, in lower case.
    """

    solution: Solution
    sign_in: Callable[[Request, str, dict[str, str]], Response]
    names: frozenset[str] = frozenset()
    drafts: Drafts = field(init=False)
    _has_accounts: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.drafts = Drafts(self.solution.clock)

    def page(self, handler: Handler, name: str) -> Handler:
        """``handler`` behind the door, off the event loop; ``?lang=`` switches the language."""

        async def page(request: Request) -> Response:
            visitor = await asyncio.to_thread(self.visitor, request, name)
            request.state.visitor, request.state.identity = visitor, visitor.identity
            request.state.language = _language(request, visitor)
            with use(request.state.language):
                answer = await self._answer(handler, name, request, visitor)
            if visitor.new_seed:
                set_cookies(request, (visitor.seed_cookie(),))
            if name in SECRET_PAGES:
                answer.headers["referrer-policy"] = "no-referrer"
            return answer

        return page

    async def _answer(self, handler: Handler, name: str, request: Request, visitor: Visitor) -> Response:
        needed = NEEDED.get(name)
        if needed is None:
            raise Refused(403, "page.no-line", _("Nobody may see this page: it stands in no line of the rights."))
        if needed != PUBLIC and not visitor.may(needed):
            return await self._refuse(name, request, visitor)
        wanted = request.query_params.get("lang")
        if request.method == "GET" and wanted in LANGUAGES:
            switched = RedirectResponse(quote(request.url.path), 303)
            switched.set_cookie(COOKIE, wanted, max_age=YEAR, httponly=True, samesite="lax")
            return switched
        request.state.draft = self.drafts.find(visitor.owner, request.query_params.get("draft", ""))
        try:
            if asyncio.iscoroutinefunction(handler):
                response: Response = await handler(request)
            else:
                response = await asyncio.to_thread(handler, request)
        except StaleForm as stale:
            if name not in _DRAFTED or stale.mark not in ("", visitor.mark):
                raise  # what another account wrote is not shown to this one
            visitor.token()  # a browser without a session is known by its seed from now on
            kept = self.drafts.keep(visitor.owner, stale.fields)
            return RedirectResponse(with_draft(_DRAFTED[name](request, stale.fields), kept), 303)
        return response

    async def _refuse(self, name: str, request: Request, visitor: Visitor) -> Response:
        if visitor.signed_in or visitor.is_open:
            role = _("Your role does not allow this page. Somebody who administers the application can change it.")
            alone = _("This page is about accounts: open the link that the terminal showed to create the first one.")
            raise Refused(403, "page.not-allowed", alone if visitor.is_open else role)
        if request.method == "GET":
            place = _here(request)
            ended = "&ended=1" if visitor.ended else ""
            return RedirectResponse(f"/sign-in?next={quote(place, safe='/')}{ended}", 303)
        form = await read_fields(request) if name in _DRAFTED else {}
        place = _DRAFTED[name](request, form) if name in _DRAFTED else "/"
        return await asyncio.to_thread(self.sign_in, request, place, form)

    def visitor(self, request: Request, name: str) -> Visitor:
        """Who asks; raises Refused for another site's form and, while there is no account, for other machines."""
        solution = self.solution
        style = CookieStyle(is_https(request.url.scheme, request.headers.get(FORWARDED_SCHEME, "")), str(solution.root))
        origin = Origin(address_of(request), request.headers.get("user-agent", ""))
        key = solution.secrets.own(CSRF_KEY)
        seed = request.cookies.get(style.name("csrf"), "")
        seed = seed if csrf.is_seed(key, seed) else ""
        if not self.has_accounts():
            require_local(request, secret=name in SECRET_PAGES)
            return Visitor(LOCAL, None, style, origin, key, seed)
        require_known_name(request, self.names)
        require_own_form(request, secret=name in SECRET_PAGES)
        visit = authenticate(solution.engine, style, request.cookies, solution.clock.now(), origin)
        set_cookies(request, visit.cookies)
        identity = visit.identity or anonymous(anonymous_rights(solution.engine))
        return Visitor(identity, visit.session, style, origin, key, seed, visit.ended)

    def has_accounts(self) -> bool:
        """Whether there is an account; once there is, there always is one."""
        self._has_accounts = self._has_accounts or count_accounts(self.solution.engine) > 0
        return self._has_accounts


def with_draft(place: str, token: str) -> str:
    """``place`` where the draft ``token`` is found again, instead of the draft it may name."""
    path, _mark, query = place.partition("?")
    kept = [(name, value) for name, value in parse_qsl(query) if name != "draft"]
    query = urlencode([*kept, ("draft", token)] if token else kept)
    return f"{path}?{query}" if query else path


def safe_place(text: str) -> str:
    """``text`` if it is an address of this server that a browser cannot take for another's, else ``/``."""
    if len(text) > LONGEST_PLACE or not text.startswith("/") or text.startswith("//"):
        return "/"
    if "\\" in text or not text.isprintable() or any(sign.isspace() for sign in text):
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path.startswith(("/sign-in", "/first/", "/link/")):
        return "/"
    return quote(text, safe="/?&=%+:@,;~!$'()*-._")


def _here(request: Request) -> str:
    """The page whose form was sent, where it has the same address."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _language(request: Request, visitor: Visitor) -> str:
    """The reader's switch, else the account's language, else what the browser asks for."""
    chosen = request.cookies.get(COOKIE)
    language: str = request.state.language
    return language if chosen in LANGUAGES else visitor.identity.language or language
