"""The ways in which APIs part their rows into pages: what is asked first, and what after a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import Field

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.spec.kinds import Kinds
from compagnon.spec.model import Section
from compagnon.stages.collect.rest.path import find

Params = dict[str, str]


class Single(Section):
    """All rows in one answer."""

    kind: Literal["none"]


class ByPage(Section):
    """Pages with a number; the first one without rows is the end."""

    kind: Literal["page"]
    param: str = Field("page", description="Parameter that holds the number of the page.")
    first: int = Field(1, ge=0, description="Number of the first page.")
    size: int | None = Field(None, ge=1, description="Rows asked for, where the API lets one choose.")
    size_param: str = Field("per_page", description="Parameter that holds that number of rows.")
    total: str | None = Field(None, description="Where the answer says how many rows there are: meta.total.")


class ByOffset(Section):
    """Pages by the place of their first row; the first page without rows is the end."""

    kind: Literal["offset"]
    param: str = Field("offset", description="Parameter that holds the place of the first row.")
    size: int = Field(100, ge=1, description="Rows asked for.")
    size_param: str = Field("limit", description="Parameter that holds that number of rows.")
    total: str | None = Field(None, description="Where the answer says how many rows there are: meta.total.")


class ByCursor(Section):
    """Each page gives a mark with which the next one is asked; no mark is the end."""

    kind: Literal["cursor"]
    param: str = Field("cursor", description="Parameter that holds the mark.")
    next: str = Field(description="Where the answer gives the next mark: meta.next_cursor.")
    size: int | None = Field(None, ge=1, description="Rows asked for, where the API lets one choose.")
    size_param: str = Field("limit", description="Parameter that holds that number of rows.")
    total: str | None = Field(None, description="Where the answer says how many rows there are: meta.total.")


class ByLink(Section):
    """Each page gives the address of the next one; no address is the end."""

    kind: Literal["link"]
    next: str | None = Field(None, description="Where it stands in the answer (links.next); else in the header Link.")
    size: int | None = Field(None, ge=1, description="Rows asked for, where the API lets one choose.")
    size_param: str = Field("per_page", description="Parameter that holds that number of rows.")
    total: str | None = Field(None, description="Where the answer says how many rows there are: meta.total.")


Pages = Annotated[
    Single | ByPage | ByOffset | ByCursor | ByLink,
    Field(discriminator="kind"),
    Kinds({"cursor": ByCursor, "link": ByLink, "none": Single, "offset": ByOffset, "page": ByPage}),
]


class Arrived(Protocol):
    """What is known of a page when the next one is to be asked."""

    @property
    def url(self) -> str: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


def first(url: str, params: Params, pages: Any) -> str:
    """The address of the first page."""
    extra: Params = {}
    if isinstance(pages, ByPage):
        extra[pages.param] = str(pages.first)
    if isinstance(pages, ByOffset):
        extra[pages.param] = "0"
    size = getattr(pages, "size", None)
    if size is not None:
        extra[pages.size_param] = str(size)
    return with_params(url, {**params, **extra})


def following(pages: Any, asked: str, arrived: Arrived, document: Any, rows: int, seen: int, number: int) -> str | None:
    """The address of the page after the one that ``asked`` gave, as the server wrote it; None at the end.

    ``rows`` of this page, ``seen`` of all pages so far, ``number`` of the page from 1.
    """
    total = total_of(pages, document)
    if isinstance(pages, ByPage | ByOffset):
        if rows == 0 or (total is not None and seen >= total):
            return None
        value = pages.first + number if isinstance(pages, ByPage) else seen
        return with_params(asked, {pages.param: str(value)})
    if isinstance(pages, ByCursor):
        mark = find(document, pages.next)
        if mark is None or mark == "" or mark is False:
            return None
        return with_params(asked, {pages.param: str(mark)})
    if isinstance(pages, ByLink):
        target = find(document, pages.next) if pages.next else next_link(arrived.headers.get("link", ""))
        return target if isinstance(target, str) and target else None
    return None


def total_of(pages: Any, document: Any) -> int | None:
    """The number of rows that the answer announces, where the solution says where it stands."""
    path = getattr(pages, "total", None)
    if path is None:
        return None
    value = find(document, path)
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if type(value) is not int or value < 0:
        raise UserError(
            "collect.total-missing",
            _("The answer gives no number of rows at {path}.").format(path=path),
            next=_("Correct pages.total, or leave it out: pages are then asked until one is empty."),
        )
    return value


def next_link(header: str) -> str | None:
    """The target of ``rel=next`` in a Link header (RFC 8288)."""
    rest = header
    while "<" in rest:
        target, closed, rest = rest.partition("<")[2].partition(">")
        if not closed:
            return None
        mine, rest = _until(rest, ",")
        while mine:
            parameter, mine = _until(mine, ";")
            name, _equals, value = parameter.strip().partition("=")
            if name.strip().lower() == "rel" and "next" in value.strip().strip('"').lower().split():
                return target.strip()
    return None


def _until(text: str, sign: str) -> tuple[str, str]:
    """``text`` before and after the first ``sign`` that is not between quotes."""
    quoted = False
    for place, one in enumerate(text):
        quoted = quoted != (one == '"')
        if one == sign and not quoted:
            return text[:place], text[place + 1 :]
    return text, ""


def with_params(url: str, params: Params) -> str:
    """``url`` whose query has ``params``, in place of those of the same name."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in params]
    return parts._replace(query=urlencode([*kept, *params.items()])).geturl()
