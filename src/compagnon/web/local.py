"""Pages are for this machine only until there are accounts; forms are for our own pages in any case."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import Request

from compagnon.i18n import _
from compagnon.services.model_api.problem import Refused
from compagnon.services.model_api.routes import is_local, is_local_name


def require_local(request: Request, *, secret: bool = False) -> None:
    """Raises Refused unless a page was asked for from this machine, by its own name, and by one of our own pages.

    The name defeats DNS rebinding, the origin forged forms: a browser states where a form was sent from.
    """
    if not is_local(request):
        what = _("Pages answer on this machine only: open them at http://127.0.0.1, without a proxy.")
        raise Refused(421, "page.not-local", what)
    require_own_form(request, secret=secret)


def require_known_name(request: Request, names: Collection[str]) -> None:
    """Raises Refused unless the server was asked for by this machine's name, an address or one of ``names``.

    A site that lets its own name lead here (DNS rebinding) would otherwise read what the administrator lets everybody
    see of a server that only a local network can reach.
    """
    host = request.headers.get("host", "")
    name = (urlsplit(f"//{host}").hostname or "") if host else ""
    if not (is_local_name(host) or name in names or _is_address(name)):
        what = _("This server is not known by that name: start it with --name NAME for each name it has.")
        raise Refused(421, "page.unknown-name", what)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def require_own_form(request: Request, *, secret: bool = False) -> None:
    """Raises Refused for a form that a page of another site has sent.

    ``secret`` pages send no referrer, for which browsers say ``Origin: null``: there the token of the form decides.
    """
    if request.method in ("GET", "HEAD"):
        return
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    hidden = secret and origin == "null"
    same = origin is None or hidden or _is_same(origin, request.headers.get("host", ""))
    if not same or site not in (None, "same-origin", "none"):
        raise Refused(403, "page.foreign-form", _("This form was not sent from a page of this server."))


def _is_same(origin: str, host: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and parts.netloc.lower() == host.lower()
