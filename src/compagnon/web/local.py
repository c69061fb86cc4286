"""Pages are for this machine only, until there are accounts."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from compagnon.i18n import _
from compagnon.services.model_api.problem import Refused
from compagnon.services.model_api.routes import is_local, is_local_name


def require_local(request: Request) -> None:
    """Raises Refused unless a page was asked for from this machine, by its own name, and by one of our own pages.

    The name defeats DNS rebinding, the origin forged forms: a browser states where a form was sent from.
    """
    if not is_local(request):
        what = _("Pages answer on this machine only: open them at http://127.0.0.1, without a proxy.")
        raise Refused(421, "page.not-local", what)
    if request.method in ("GET", "HEAD"):
        return
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    same = origin is None or _is_same(origin, request.headers.get("host", ""))
    if not same or site not in (None, "same-origin", "none"):
        raise Refused(403, "page.foreign-form", _("This form was not sent from a page of this server."))


def _is_same(origin: str, host: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and is_local_name(parts.netloc) and parts.netloc.lower() == host.lower()
