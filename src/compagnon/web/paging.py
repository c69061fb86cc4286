"""Pages of long lists: twenty lines each, bad numbers taken for the first page."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

SIZE = 20
MOST = 100_000
"""No list is looked at further than this page, so that an address cannot ask for endless work."""


@dataclass(frozen=True)
class Paging:
    """Page ``number`` (from 1) of a list of ``count`` lines; ``path`` and ``kept`` make the links."""

    number: int
    count: int
    path: str
    kept: str = ""

    @property
    def first(self) -> int:
        """How many lines stand before the page."""
        return (self.number - 1) * SIZE

    @property
    def last(self) -> int:
        return min(self.count, self.first + SIZE)

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // SIZE))

    def link(self, number: int) -> str:
        return f"{self.path}?{self.kept}page={number}"


def asked(request: Request) -> int:
    """The page that the address asks for; 1 for anything that is no page."""
    text = request.query_params.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:7]) <= MOST else 1


def page_of(request: Request, count: int, kept: str = "") -> Paging:
    """The page asked for, at most the last one."""
    pages = max(1, -(-count // SIZE))
    return Paging(min(asked(request), pages), count, request.url.path, kept)
