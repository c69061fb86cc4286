"""Options that the kinds of sources over HTTP share, and the address that they begin at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from compagnon.i18n import _
from compagnon.spec.model import Duration, Section, Size, SourceOptions, StringList
from compagnon.spec.variables import secret_names


class Bounds(Section):
    """What one collection may take, so that a server gone wrong cannot fill the disk or hold the run."""

    body: Size = Field(20_000_000, gt=0, description="Largest page, as sent and once decompressed.")
    pages: int = Field(100_000, ge=1, description="Pages of one collection.")
    request: Duration = Field(timedelta(seconds=30), description="Longest time of one request, its answer included.")
    time: Duration = Field(timedelta(hours=2), description="Longest time of one collection, waits included.")
    redirects: int = Field(5, ge=0, le=20, description="Redirects that one request may follow.")


class Retry(Section):
    """How a request that failed is asked again; a `Retry-After` of the server is honored."""

    times: int = Field(4, ge=0, le=20, description="How often a request is asked again.")
    first: Duration = Field(timedelta(seconds=1), description="First wait, doubled each time, with some chance in it.")
    longest: Duration = Field(
        timedelta(minutes=2), description="Longest wait; a server that asks for more counts as down."
    )


class HttpOptions(SourceOptions):
    """Options of a source that is asked over HTTP."""

    hosts: StringList = Field(
        (), description="Other hosts that may be asked (redirects, links), without the credentials: name or name:port."
    )
    private: bool = Field(False, description="Whether its hosts may be this machine or on a private network.")
    per_minute: int | None = Field(None, ge=1, description="Most requests in a minute.")
    bounds: Bounds = Field(Bounds(), description="What one collection may take.")
    retry: Retry = Field(Retry(), description="How a request that failed is asked again.")


def check_address(value: str) -> str:
    """An address with http or https and a host, without credentials; raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(_("expected an address such as https://example.org/api"))
    if "@" in parts.netloc:
        raise ValueError(_("an address holds no password: say auth: {kind: basic, ...}"))
    if secret_names(parts.netloc) or secret_names(value):
        raise ValueError(_("an address holds no secret: put it in auth"))
    try:
        parts.port  # noqa: B018  a port that is not a number is told here
    except ValueError as error:
        raise ValueError(_("expected an address such as https://example.org/api")) from error
    return value


def check_plain(values: dict[str, Any]) -> dict[str, Any]:
    """Headers or parameters without secrets, which would not be kept from other hosts; raises ValueError."""
    if secret_names(values):
        raise ValueError(_("a secret is sent by auth only: say auth: {kind: key, header: NAME, value: ...}"))
    for name, value in values.items():
        if not (str(name).isprintable() and str(value).isprintable()):
            raise ValueError(_("a name or a value holds signs that cannot be sent"))
    return values


def check_secret(value: str) -> str:
    """A value that is a reference to a secret; raises ValueError where it stands in clear."""
    if not secret_names(value):
        raise ValueError(_("a secret is never written in the file: use ${secret:NAME} and set NAME in the environment"))
    return value
