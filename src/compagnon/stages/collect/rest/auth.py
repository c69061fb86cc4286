"""How a ``rest`` source proves who asks: options of solution.yaml, and what they add to a request."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.spec.kinds import Kinds
from compagnon.spec.model import Section
from compagnon.spec.variables import resolve_secrets
from compagnon.stages.collect.http.options import check_address, check_secret

if TYPE_CHECKING:
    import httpx

    from compagnon.stages.collect.http.client import Client
    from compagnon.stages.collect.http.pace import Pace

Secret = Annotated[str, AfterValidator(check_secret)]
_EARLY = 30
"""Seconds before its end at which a token is renewed, or a tenth of its life if that is less."""


class Bearer(Section):
    """A token in the header ``Authorization``."""

    kind: Literal["bearer"]
    token: Secret = Field(description="The token: ${secret:NAME}.")


class Basic(Section):
    """A name and a password (RFC 7617)."""

    kind: Literal["basic"]
    user: str = Field(description="Name of the account.")
    password: Secret = Field(description="Its password: ${secret:NAME}.")


class Key(Section):
    """A key in a header, or in the address."""

    kind: Literal["key"]
    header: str | None = Field(None, description="Header that holds the key, such as X-Api-Key.")
    query: str | None = Field(None, description="Parameter of the address that holds it; a header is safer.")
    value: Secret = Field(description="The key: ${secret:NAME}.")

    @model_validator(mode="after")
    def _one_of(self) -> Key:
        if (self.header is None) == (self.query is None):
            raise ValueError(_("say either header or query"))
        return self


class OAuth2(Section):
    """A token got with client credentials (RFC 6749, 4.4), renewed when it expires."""

    kind: Literal["oauth2"]
    token_url: Annotated[str, AfterValidator(check_address)] = Field(description="Address that gives tokens.")
    client: str = Field(description="Name of the client.")
    secret: Secret = Field(description="Its secret: ${secret:NAME}.")
    scope: str | None = Field(None, description="What the token is asked for.")
    send: Literal["basic", "body"] = Field("basic", description="How the client proves itself to the token's address.")


Auth = Annotated[
    Bearer | Basic | Key | OAuth2,
    Field(discriminator="kind"),
    Kinds({"basic": Basic, "bearer": Bearer, "key": Key, "oauth2": OAuth2}),
]


@dataclass
class Fixed:
    """Credentials that do not change: a header or a parameter of the address."""

    name: str
    value: str
    in_query: bool = False
    secrets: tuple[str, ...] = ()

    @property
    def param(self) -> str | None:
        return self.name if self.in_query else None

    def sign(self, request: httpx.Request) -> None:
        if self.in_query:
            request.url = request.url.copy_set_param(self.name, self.value)
        else:
            request.headers[self.name] = self.value

    def prepare(self, client: Client) -> None:
        """Nothing to get."""

    def refused(self) -> bool:
        return False


@dataclass
class Renewed:
    """A token that is asked for at first, before it expires, and once more when the server refuses it."""

    options: OAuth2
    secret: str
    pace: Pace
    secrets: tuple[str, ...] = ()
    _token: str = field(default="", repr=False)
    _until: float = 0.0
    param: ClassVar[str | None] = None

    def sign(self, request: httpx.Request) -> None:
        request.headers["Authorization"] = f"Bearer {self._token}"

    def prepare(self, client: Client) -> None:
        if not self._token or self.pace.now() >= self._until:
            self._get(client)

    def refused(self) -> bool:
        self._token = ""
        return True

    def _get(self, client: Client) -> None:
        import json

        form, headers = {"grant_type": "client_credentials"}, {"Accept": "application/json"}
        if self.options.scope:
            form["scope"] = self.options.scope
        if self.options.send == "basic":
            headers["Authorization"] = _basic(self.options.client, self.secret)
        else:
            form |= {"client_id": self.options.client, "client_secret": self.secret}
        answer = client.post(self.options.token_url, form, headers)
        try:
            document = json.loads(answer.body)
            token, life = document["access_token"], float(document.get("expires_in") or 300)
            if not (isinstance(token, str) and token.isascii() and token.isprintable() and token):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                "collect.token-missing",
                _("{url} gives no token.").format(url=self.options.token_url),
                next=_("Check token_url, client and scope with whoever runs the API."),
            ) from error
        self._token, self.secrets = token, (self.secret, token)
        self._until = self.pace.now() + life - min(_EARLY, life / 10)


def credentials(options: Any, lookup: Callable[[str], str | None], pace: Pace) -> Fixed | Renewed | None:
    """What signs the requests; raises UserError ``spec.secret-missing``."""
    if options is None:
        return None
    if isinstance(options, Bearer):
        token = resolve_secrets(options.token, lookup).strip()
        return Fixed("Authorization", f"Bearer {token}", secrets=(token,))
    if isinstance(options, Basic):
        password = resolve_secrets(options.password, lookup)
        value = _basic(resolve_secrets(options.user, lookup), password)
        return Fixed("Authorization", value, secrets=(password, value.partition(" ")[2]))
    if isinstance(options, Key):
        value = resolve_secrets(options.value, lookup).strip()
        return Fixed(options.header or options.query or "", value, options.query is not None, (value,))
    secret = resolve_secrets(options.secret, lookup).strip()
    return Renewed(options, secret, pace, (secret,))


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
