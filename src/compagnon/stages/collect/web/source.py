"""The source ``web``: from page to page within bounds; each page is a piece, kept as long as it does not change."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urldefrag, urlsplit

from compagnon.chain import digest as digests
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Probe
from compagnon.errors import UserError
from compagnon.i18n import _, ngettext
from compagnon.spec.model import SourceOptions
from compagnon.stages.collect.http.pace import Pace
from compagnon.stages.collect.http.spool import Spool
from compagnon.stages.collect.port import Aside, Bad, Collection, Piece, settings_of
from compagnon.stages.collect.web.options import WebOptions

if TYPE_CHECKING:
    import pyarrow as pa

    from compagnon.stages.collect.http.client import Client
    from compagnon.stages.collect.web.robots import Robots

_HTML = "text/html, application/xhtml+xml;q=0.9"
_GONE = (404, 410)
_LINKS = 1000
"""Links of one page that are kept for the next collection."""


@dataclass
class WebSource:
    """A site: asked slowly and openly, and only for what it allows."""

    pace: Pace = field(default_factory=Pace)

    Options: ClassVar[type[SourceOptions]] = WebOptions
    extra: ClassVar[str | None] = None
    distributions: ClassVar[tuple[str, ...]] = ("httpx", "lxml", "cssselect")

    def files(self, options: WebOptions) -> tuple[str, ...]:
        return ()

    def settings(self, options: WebOptions) -> dict[str, Any]:
        left = ("retry", "per_minute", "delay", "contact")
        return {name: value for name, value in settings_of(options).items() if name not in left}

    def probe(self, options: WebOptions, root: Path, secrets: Secrets) -> Probe:
        # Looking would ask for every page: a collection does that, and keeps the pages that have not changed.
        return Probe(None)

    def collect(self, options: WebOptions, collection: Collection) -> Iterator[Piece]:
        from compagnon.stages.collect.http.client import Client
        from compagnon.stages.collect.web.robots import Robots

        own = digests.of_value([self.settings(options), collection.key])[:16]
        look = partial(collection.progress, collection.name, None, None)
        client = Client(collection.name, options.start[0], options, None, self.pace, look, options.start)
        robots = Robots(client)
        client.may = robots.allows
        spool = Spool(collection.spool, own, self.pace.utc())
        try:
            yield from _Walk(options, collection, client, robots, spool, own).pieces()
        finally:
            spool.close()
            client.close()


@dataclass(frozen=True)
class _Got:
    """A page, from the site, from a run that was killed, or (``body`` None) unchanged since the last collection."""

    url: str
    body: bytes | None
    kind: str
    tags: Mapping[str, str]


class _Walk:
    """From the first pages along the links, the nearest pages first."""

    def __init__(
        self, options: WebOptions, collection: Collection, client: Client, robots: Robots, spool: Spool, own: str
    ) -> None:
        self.options, self.collection, self.client, self.robots = options, collection, client, robots
        self.spool, self.own = spool, own
        self.arrived = {entry.note["asked"]: entry for entry in spool.entries}
        previous = collection.previous
        self.origins = {s.name.removesuffix(".parquet"): s.origin or "" for s in previous.segments} if previous else {}
        self.details = {d["name"]: d for d in previous.meta.get("pieces", [])} if previous else {}
        self.columns: list[str] | None = None if options.table else list(options.fields)
        self.refused = self.deep = self.gone = 0

    def pieces(self) -> Iterator[Piece]:
        """Raises UserError ``collect.robots-refused``, ``collect.nothing-extracted``, ``collect.schema-changed``."""
        waiting = deque((urldefrag(url).url, 0) for url in dict.fromkeys(self.options.start))
        seen = {url for url, _depth in waiting}
        done: set[str] = set()
        while waiting and len(done) < self.options.bounds.pages:
            url, depth = waiting.popleft()
            if not self._allowed(url, depth):
                continue
            got = self._get(url, depth)
            if got is None or got.url in done:
                continue
            done.add(got.url)
            seen.add(got.url)
            piece, links = self._piece(got)
            self.collection.progress(f"{self.collection.name}: {_name(got.url)}", len(done), None)
            if piece is not None:
                yield piece
            for link in links:
                if link in seen or not self.client.allowed(link):
                    continue
                if depth >= self.options.depth:
                    self.deep += 1
                    continue
                seen.add(link)
                waiting.append((link, depth + 1))
        self._tell(len(waiting))

    def _allowed(self, url: str, depth: int) -> bool:
        if self.robots.allows(url):
            return True
        if depth == 0:
            raise UserError(
                "collect.robots-refused",
                _("The site does not allow {url} to be read by programs (robots.txt).").format(
                    url=self.client.shown(url)
                ),
                next=_("Ask the owner for an export or an access; Compagnon does not read it otherwise."),
                path=f"sources.{self.collection.name}.start",
            )
        self.refused += 1
        return False

    def _get(self, url: str, depth: int) -> _Got | None:
        """The page at ``url``; None for one that is gone or holds no HTML."""
        from compagnon.stages.collect.web.page import is_page

        if url in self.arrived:
            entry = self.arrived[url]
            [body] = self.spool.bodies([entry])
            return _Got(entry.note["url"], body, entry.note["kind"], entry.note["tags"])
        before = self._tags(_name(url))
        headers = {"Accept": _HTML}
        if before.get("etag"):
            headers["If-None-Match"] = before["etag"]
        if before.get("last-modified"):
            headers["If-Modified-Since"] = before["last-modified"]
        accept = (304,) if before else ()
        answer = self.client.get(url, headers, (*accept, *(_GONE if depth else ())))
        self.client.pause(max(self.options.delay.total_seconds(), self.robots.delay(url)))
        if answer.status == 304:
            return _Got(url, None, "", before)
        if answer.status in _GONE or not is_page(answer.headers):
            if depth == 0:
                raise self._nothing(url)
            self.gone += 1
            return None
        kind = answer.headers.get("content-type", "")
        tags = {name: answer.headers[name] for name in ("etag", "last-modified") if name in answer.headers}
        place = urldefrag(answer.url).url
        self.spool.add({"asked": url, "url": place, "kind": kind, "tags": tags}, answer.body)
        return _Got(place, answer.body, kind, tags)

    def _piece(self, got: _Got) -> tuple[Piece | None, list[str]]:
        name = _name(got.url)
        if got.body is None:
            # The rows of before, unless Compagnon now reads pages otherwise: then the page is asked for in full.
            detail = self.details.get(name, {})
            origin = " ".join(self.origins[name].split(" ")[:4])
            links = list(detail.get("links", []))
            return Piece(name, origin, partial(self._again, got.url), lambda: _meta(links)), links
        rows, bad, links = self._rows(got.url, got.body, got.kind)
        tags = base64.urlsafe_b64encode(json.dumps(dict(got.tags)).encode()).decode()
        origin = f"page {self.own} {digests.of_bytes(got.body)[:32]} {tags}"
        if self.columns is None:
            return None, links

        def read(aside: Aside) -> Iterator[pa.RecordBatch]:
            for one in bad:
                aside.add(one)
            yield _batch(rows, self.columns or [])

        return Piece(name, origin, read, lambda: _meta(links)), links

    def _again(self, url: str, aside: Aside) -> Iterator[pa.RecordBatch]:
        answer = self.client.get(url, {"Accept": _HTML})
        rows, bad, _links = self._rows(url, answer.body, answer.headers.get("content-type", ""))
        for one in bad:
            aside.add(one)
        yield _batch(rows, self.columns or [])

    def _rows(self, url: str, body: bytes, kind: str) -> tuple[list[dict[str, str | None]], list[Bad], list[str]]:
        from compagnon.stages.collect.web.page import Page

        page = Page.read(url, body, kind, self.options.encoding)
        links = page.links(self.options.follow)
        if not self._holds_rows(url):
            return [], [], links
        bad: list[Bad] = []
        rows = page.rows(self.options, bad)
        if not rows:
            raise self._nothing(url)
        columns = list(rows[0])
        if self.columns is None:
            self.columns = columns
        if any(list(row) != self.columns for row in rows):
            raise UserError(
                "collect.schema-changed",
                _("{page} does not have the columns of the pages before: {why}.").format(
                    page=self.client.shown(url), why=", ".join(columns)
                ),
                next=_("Look at that page. If its table is another one, say which is meant: table: ..."),
                path=f"sources.{self.collection.name}.table",
            )
        empty = [name for name in columns if all(row[name] is None for row in rows)]
        if empty and len(rows) > 1:
            self.collection.warn(
                _("{page} has no {names} in any of its rows.").format(
                    page=self.client.shown(url), names=", ".join(empty)
                )
            )
        return rows, bad, links

    def _holds_rows(self, url: str) -> bool:
        path = urlsplit(url).path
        return not self.options.pages or any(fnmatchcase(path, pattern) for pattern in self.options.pages)

    def _tags(self, name: str) -> dict[str, str]:
        """What the site said of the version of a page that the last collection kept."""
        words = self.origins.get(name, "").split(" ")
        if len(words) < 4 or words[:2] != ["page", self.own]:
            return {}
        try:
            found = json.loads(base64.urlsafe_b64decode(words[3]))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _nothing(self, url: str) -> UserError:
        return UserError(
            "collect.nothing-extracted",
            _("Nothing was found in {url}.").format(url=self.client.shown(url)),
            next=_(
                "Open the page: if its layout has changed, correct the selectors; if it holds no rows, say which pages "
                "do: pages: ..."
            ),
            path=f"sources.{self.collection.name}",
        )

    def _tell(self, left: int) -> None:
        told = [
            (
                self.refused,
                ngettext(
                    "{count} link was left, as robots.txt asks.",
                    "{count} links were left, as robots.txt asks.",
                    self.refused,
                ),
            ),
            (self.gone, ngettext("{count} link leads to no page.", "{count} links lead to no page.", self.gone)),
            (
                self.deep + left,
                ngettext(
                    "{count} link was not followed: depth or bounds.pages is reached.",
                    "{count} links were not followed: depth or bounds.pages is reached.",
                    self.deep + left,
                ),
            ),
        ]
        for count, text in told:
            if count:
                self.collection.warn(text.format(count=count))


def _name(url: str) -> str:
    """The name of a page's piece: its address without the scheme."""
    return url.partition("://")[2]


def _meta(links: list[str]) -> dict[str, Any]:
    return {"format": "html", "links": links[:_LINKS]}


def _batch(rows: list[dict[str, str | None]], columns: list[str]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(
        [pa.array([row.get(name) for row in rows], pa.string()) for name in columns], names=columns
    )
