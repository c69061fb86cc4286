"""The source ``rest``: options, and the way from the pages of an API to pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from compagnon.chain import digest as digests
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Probe
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.spec.model import Name, SourceOptions, StringList
from compagnon.stages.collect.encoding import EncodingName
from compagnon.stages.collect.http.options import HttpOptions, check_address, check_plain
from compagnon.stages.collect.http.pace import Pace
from compagnon.stages.collect.http.spool import Entry, Spool
from compagnon.stages.collect.known import Known, needs_key
from compagnon.stages.collect.port import Aside, Bad, Collection, Piece, settings_of
from compagnon.stages.collect.rest import paging, records
from compagnon.stages.collect.rest.auth import Auth, OAuth2, credentials
from compagnon.stages.collect.rest.records import Columns, Layout, Schema

if TYPE_CHECKING:
    import pyarrow as pa

    from compagnon.stages.collect.http.client import Client

PIECE_ROWS = 50_000
"""Rows after which a new piece begins, at the next page."""
PIECE_BYTES = 64_000_000
_BATCH_ROWS = 5_000


class RestOptions(HttpOptions):
    """Options of a ``rest`` source."""

    kind: Literal["rest"]
    url: Annotated[str, AfterValidator(check_address)] = Field(description="Address of the list of records.")
    params: Annotated[dict[str, str | int | float | bool], AfterValidator(check_plain)] = Field(
        {}, description="Parameters added to the address."
    )
    headers: Annotated[dict[str, str], AfterValidator(check_plain)] = Field(
        {}, description="Headers sent with each request, such as Accept-Language; no secret."
    )
    auth: Auth | None = Field(None, description="How the source proves who asks.")
    pages: paging.Pages | None = Field(
        None, description="How the rows are parted into pages; all in one answer if absent."
    )
    records: str | None = Field(None, description="Where the list of records stands in a page: data.items.")
    each: str | None = Field(None, description="A list within each record of which every element is a row: answers.")
    fields: dict[Name, str] = Field(
        {},
        description="Columns and where they stand in a record: {email: author.email}; all keys at its top if absent.",
    )
    optional: StringList = Field((), description="Columns that a page may lack.")
    cursor: str | None = Field(
        None, description="A column that grows (date, number): only rows from the last value on are asked for."
    )
    cursor_param: str | None = Field(None, description="Parameter that holds that last value: updated_since.")
    encoding: EncodingName = Field("auto", description="Of the pages; as the server says if absent, else UTF-8.")

    @model_validator(mode="after")
    def _both(self) -> RestOptions:
        if (self.cursor is None) != (self.cursor_param is None):
            raise ValueError(_("cursor and cursor_param go together"))
        if self.fields and self.cursor is not None and self.cursor not in self.fields:
            raise ValueError(_("the cursor is not among the fields"))
        return self


@dataclass
class RestSource:
    """An API: its pages are kept as they arrive, checked, then written as pieces."""

    pace: Pace = field(default_factory=Pace)

    Options: ClassVar[type[SourceOptions]] = RestOptions
    extra: ClassVar[str | None] = None
    distributions: ClassVar[tuple[str, ...]] = ("httpx", "msgspec")

    def files(self, options: RestOptions) -> tuple[str, ...]:
        return ()

    def settings(self, options: RestOptions) -> dict[str, Any]:
        return {name: value for name, value in settings_of(options).items() if name not in ("retry", "per_minute")}

    def probe(self, options: RestOptions, root: Path, secrets: Secrets) -> Probe:
        # An API says nothing of changes that is cheaper than asking for the rows, and counts every request.
        return Probe(None)

    def collect(self, options: RestOptions, collection: Collection) -> Iterator[Piece]:
        from compagnon.stages.collect.http.client import Client

        if options.cursor is not None and not collection.key:
            raise needs_key(collection.name)
        signed = credentials(options.auth, collection.secrets.lookup, self.pace)
        token_url = (options.auth.token_url,) if isinstance(options.auth, OAuth2) else ()
        look = partial(collection.progress, collection.name, None, None)
        client = Client(collection.name, options.url, options, signed, self.pace, look, token_url)
        try:
            yield from self._pieces(options, collection, client)
        finally:
            client.close()

    def _pieces(self, options: RestOptions, collection: Collection, client: Client) -> Iterator[Piece]:
        own = digests.of_value([self.settings(options), collection.key])[:16]
        before = _before(options, collection, own)
        for segment in before:
            yield Piece(segment.name.removesuffix(".parquet"), segment.origin, None)
        layout = Layout(options.records, options.each, options.fields, frozenset(options.optional))
        schema, known = Schema(layout), Known()
        if before and options.cursor and collection.previous:
            known = Known.read(collection.previous_paths(), options.cursor)
            schema.expect([(column["name"], column["type"]) for column in collection.previous.meta["columns"]])
        spool = Spool(collection.spool, digests.of_value([own, str(known.last)]), self.pace.utc())
        try:
            _Walk(options, collection, client, layout, schema, spool, known.last).run()
            collection.progress(collection.name, None, None)
            prefix = f"cursor {own}" if options.cursor else f"pages {own}"
            yield from _cut(spool, options, collection, layout, schema, known, len(before), prefix)
        finally:
            spool.close()


def _before(options: RestOptions, collection: Collection, own: str) -> tuple[Any, ...]:
    """Segments of an earlier collection that this one only adds to."""
    if options.cursor is None or collection.previous is None:
        return ()
    segments = collection.previous.segments
    return segments if all((segment.origin or "").startswith(f"cursor {own}") for segment in segments) else ()


class _Walk:
    """Goes from page to page, those of a killed run first, and keeps each one that is sound."""

    def __init__(
        self,
        options: RestOptions,
        collection: Collection,
        client: Client,
        layout: Layout,
        schema: Schema,
        spool: Spool,
        last: Any,
    ) -> None:
        self.options, self.collection, self.client, self.layout = options, collection, client, layout
        self.schema, self.spool, self.last = schema, spool, last
        self.number = self.seen = 0
        self.asked: set[str] = set()

    def run(self) -> None:
        """Raises what ``Client.get`` and ``Schema.check`` raise, and UserError ``collect.pages-loop``,
        ``collect.too-many-pages``, ``collect.rows-lacking``.
        """
        params = {name: _text(value) for name, value in self.options.params.items()}
        if self.last is not None and self.options.cursor_param:
            params[self.options.cursor_param] = str(self.last)
        url: str | None = paging.first(self.options.url, params, self.options.pages)
        for entry, body in zip(self.spool.entries, self.spool.bodies(self.spool.entries), strict=True):
            self._take(body, entry.note["encoding"], entry.note["url"])
            url = entry.note["next"]
        while url is not None:
            url = self._page(url)

    def _page(self, url: str) -> str | None:
        """Ask for a page, check it and keep it; gives the address of the next one."""
        if url in self.asked:
            raise UserError(
                "collect.pages-loop",
                _("{page} leads back to a page that was read: {url}").format(
                    page=self._label(), url=self.client.shown(url)
                ),
                next=_("Check pages in solution.yaml against the documentation of the API."),
                path=f"sources.{self.collection.name}.pages",
            )
        if self.number >= self.options.bounds.pages:
            raise UserError(
                "collect.too-many-pages",
                _("{name} has more than {limit} pages.").format(name=self.collection.name, limit=self.number),
                next=_("Ask for larger pages (pages.size), or allow more: bounds: {pages: 1000000}"),
                path=f"sources.{self.collection.name}.bounds",
            )
        answer = self.client.get(url, {"Accept": "application/json", **self.options.headers})
        encoding = records.encoding_of(self.options.encoding, answer.headers.get("content-type", ""), answer.body)
        document, count = self._take(answer.body, encoding, url)
        following = paging.following(self.options.pages, url, answer, document, count, self.seen, self.number)
        following = self.client.joined(answer.url, following) if following else None
        total = paging.total_of(self.options.pages, document)
        if following is None and total is not None and self.seen < total:
            raise UserError(
                "collect.rows-lacking",
                _("{name} announces {total} rows and gave {count}.").format(
                    name=self.collection.name, total=total, count=self.seen
                ),
                next=_("Run again; if it stays so, check pages and records against the documentation of the API."),
                path=f"sources.{self.collection.name}.pages",
            )
        self.spool.add({"url": url, "next": following, "encoding": encoding, "rows": count}, answer.body)
        self.collection.progress(f"{self.collection.name}: {self._label()}", self.seen, total)
        return following

    def _take(self, body: bytes, encoding: str, url: str) -> tuple[Any, int]:
        """The document of a page and its number of records, once its columns are known to be those of the others."""
        self.asked.add(url)
        self.number += 1
        label = f"{self._label()} ({self.client.shown(url)})"
        document = records.parse(body, encoding, label)
        found = records.elements(document, self.layout, label)
        self.schema.check(records.flatten(found, self.layout, [], 0), label)
        self.seen += len(found)
        return document, len(found)

    def _label(self) -> str:
        return _("page {number}").format(number=self.number)


def _cut(
    spool: Spool,
    options: RestOptions,
    collection: Collection,
    layout: Layout,
    schema: Schema,
    known: Known,
    number: int,
    prefix: str,
) -> Iterator[Piece]:
    """Pages as pieces of some size, whose origin is what the pages hold."""
    types = schema.types()
    if not types:
        return
    kinds = [(name, str(kind)) for name, kind in types.items()]
    shifting = collection.key if isinstance(options.pages, paging.ByPage | paging.ByOffset) else ()
    groups = _groups(spool.entries) or ([[]] if options.fields and not number else [])
    last: Entry | None = None
    for group in groups:
        pages = [entry.digest for entry in (*([last] if last else ()), *group)]
        origin = f"{prefix} {digests.of_value([pages, kinds])[:32]}"

        def read(aside: Aside, group: list[Entry] = group, last: Entry | None = last) -> Iterator[pa.RecordBatch]:
            yield records.batch([], types)
            for rows in _rows(spool, group, last, layout, shifting, aside):
                found = records.batch(rows, types)
                yield known.drop(found, options.cursor, collection) if options.cursor else found

        last = group[-1] if group else None
        if known.ids is not None and not any(found.num_rows for found in read(Aside())):
            continue
        yield Piece(str(number), origin, read, lambda: {"format": "json"})
        number += 1


def _rows(
    spool: Spool, group: list[Entry], last: Entry | None, layout: Layout, shifting: tuple[str, ...], aside: Aside
) -> Iterator[list[Columns]]:
    """The rows of a group of pages, some thousands at once.

    ``shifting``: the key of a source whose rows may move from a page to the next while it is read. A row that the page
    before (``last`` for the first one) gave already is then left out.
    """
    first, waiting, before = 0, list[Columns](), set[str]()
    if last is not None and shifting:
        [body] = spool.bodies([last])
        before = _identities(records.flatten(_elements(body, last, layout), layout, [], 0), shifting)
    for entry, body in zip(group, spool.bodies(group), strict=True):
        bad: list[Bad] = []
        rows = records.flatten(_elements(body, entry, layout), layout, bad, first)
        for row in bad:
            aside.add(row)
        if shifting:
            rows, before = _without(rows, before, shifting)
        first += rows.count + len(bad)
        waiting.append(rows)
        if sum(part.count for part in waiting) >= _BATCH_ROWS:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _without(rows: Columns, before: set[str], key: tuple[str, ...]) -> tuple[Columns, set[str]]:
    """``rows`` without those that the page before gave just so, and the keys of this page with what they hold."""
    mine = _identities(rows, key)
    if mine.isdisjoint(before):
        return rows, mine
    wanted = [text not in before for text in map(repr, rows.rows(rows.values))]
    return rows.kept(wanted), mine


def _identities(rows: Columns, key: tuple[str, ...]) -> set[str]:
    """Each row with a key, in full, as text."""
    if any(name not in rows.values for name in key):
        return set()
    return set(map(repr, rows.rows(rows.values)))


def _elements(body: bytes, entry: Entry, layout: Layout) -> list[Any]:
    page = entry.note["url"]
    return records.elements(records.parse(body, entry.note["encoding"], page), layout, page)


def _groups(entries: list[Entry]) -> list[list[Entry]]:
    groups: list[list[Entry]] = []
    rows = size = 0
    for entry in entries:
        if not groups or rows >= PIECE_ROWS or size >= PIECE_BYTES:
            groups.append([])
            rows = size = 0
        groups[-1].append(entry)
        rows += entry.note["rows"]
        size += entry.length
    return groups


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
