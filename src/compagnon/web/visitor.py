"""Who looks at a page: identity, session, where from, and the proof that a form was sent from a page of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request

from compagnon.access import csrf
from compagnon.access.cookies import Cookie, CookieStyle
from compagnon.access.identity import Identity
from compagnon.access.origin import Origin
from compagnon.access.role import RIGHTS

_WITH_AN_ACCOUNT = {"account.own", "account.manage", "settings.manage", "audit.read", "quarantine.read"}
LOCAL = Identity("person", "local", "", "", frozenset(RIGHTS) - _WITH_AN_ACCOUNT)
"""Whoever sits at this machine while there is no account: everything but accounts and personal data in the clear.

Otherwise anybody on the machine could invite themselves past the link that only the terminal shows.
"""


MARKED = "~"
"""Between the token of a form and the mark of its account; a token holds no such sign."""


@dataclass
class Visitor:
    """The one a request comes from; ``session`` is None for those who have not signed in."""

    identity: Identity
    session: str | None
    style: CookieStyle
    origin: Origin
    key: bytes = field(repr=False)
    seed: str = field(default="", repr=False)
    ended: Literal["over", "reused"] | None = None
    new_seed: bool = False

    @property
    def is_open(self) -> bool:
        """Whether there is no account yet."""
        return self.identity is LOCAL

    @property
    def signed_in(self) -> bool:
        return self.session is not None

    @property
    def owner(self) -> str:
        """Whom a draft belongs to: this account, or this browser."""
        return owner_of(self.identity.id) if self.signed_in else self.seed

    @property
    def mark(self) -> str:
        """What the forms of this account bear, so that what was written in one is given to nobody else; or nothing."""
        return csrf.mark(self.key, self.identity.id) if self.signed_in else ""

    def may(self, right: str) -> bool:
        return self.identity.may(right)

    def token(self) -> str:
        """A token for a form of the page being made; for those without a session a cookie goes with it."""
        if self.session is not None:
            return f"{csrf.token(self.key, self.session)}{MARKED}{self.mark}"
        if not self.seed:
            self.seed, self.new_seed = csrf.new_seed(self.key), True
        return csrf.anonymous_token(self.key, self.seed)

    def sent(self, token: str) -> bool:
        """Whether ``token`` came with a page that this visitor was given."""
        token = token.partition(MARKED)[0]
        if self.session is not None:
            return csrf.check(self.key, self.session, token)
        return csrf.check_anonymous(self.key, self.seed, token)

    def seed_cookie(self) -> Cookie:
        return self.style.cookie("csrf", self.seed)


def owner_of(account: str) -> str:
    """The owner of drafts of an account."""
    return f"account:{account}"


def mark_of(token: str) -> str:
    """The mark in the token of a form; empty for a form of somebody who had not signed in."""
    return token.partition(MARKED)[2]


def visitor_of(request: Request) -> Visitor:
    """The visitor that the door let in."""
    visitor: Visitor = request.state.visitor
    return visitor


def set_cookies(request: Request, cookies: tuple[Cookie, ...]) -> None:
    """Set ``cookies`` in the answer to ``request``, whatever it will be; the last of a name counts."""
    kept: dict[str, str] = request.scope["state"].setdefault("cookies", {})
    kept.update({cookie.name: cookie.header for cookie in cookies})
