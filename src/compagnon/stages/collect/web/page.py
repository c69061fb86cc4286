"""One page: its encoding, its links, and the rows that selectors find in it.

Imported late: it brings lxml.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urldefrag, urljoin

import lxml.etree
import lxml.html
from cssselect import HTMLTranslator

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.stages.collect.port import Bad
from compagnon.stages.collect.rows import unique_names
from compagnon.stages.collect.web.options import Cell, WebOptions

Row = dict[str, str | None]
_META = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([A-Za-z0-9_:-]+)", re.IGNORECASE)
_ADDRESSES = frozenset({"href", "src", "action", "cite", "data", "poster"})
_LATIN = frozenset({"iso8859-1", "ascii"})
"""Browsers read these as cp1252 (WHATWG's Encoding Standard)."""


@dataclass(frozen=True)
class Page:
    """A page that was read. ``url`` is where it came from."""

    url: str
    root: Any

    @classmethod
    def read(cls, url: str, body: bytes, content_type: str, encoding: str) -> Page:
        """Raises UserError ``collect.page-encoding``."""
        name = encoding if encoding != "auto" else _encoding(body, content_type)
        try:
            text = body.decode(name)
        except (UnicodeDecodeError, LookupError) as error:
            raise UserError(
                "collect.page-encoding",
                _("{page} is not {encoding}: byte {place} does not fit.").format(
                    page=url, encoding=name, place=getattr(error, "start", 0)
                ),
                next=_("Say how it is written, for example encoding: cp1252, and tell who runs the source."),
            ) from error
        parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
        text = text.removeprefix("\ufeff")
        try:
            root = lxml.html.document_fromstring(text.encode(), parser=parser)
        except lxml.etree.ParserError:  # nothing in it
            root = lxml.html.document_fromstring("<html></html>")
        lxml.etree.strip_elements(root, "script", "style", "template", with_tail=False)
        return cls(url, root)

    def links(self, selectors: tuple[str, ...]) -> list[str]:
        """Addresses that the selected elements lead to, in the order of the page, each once."""
        base = self.base
        found: dict[str, None] = {}
        for selector in selectors:
            for element in _select(self.root, selector):
                for link in [element] if element.get("href") is not None else element.iter("a"):
                    address = _joined(base, link.get("href")) if link.get("href") else None
                    if address:
                        found[urldefrag(address).url] = None
        return list(found)

    @property
    def base(self) -> str:
        for element in self.root.iter("base"):
            if element.get("href"):
                return _joined(self.url, element.get("href")) or self.url
        return self.url

    def rows(self, options: WebOptions, bad: list[Bad]) -> list[Row]:
        """The rows of this page; those of a table whose number of cells is wrong go to ``bad``."""
        if options.table is not None:
            extra = {name: self._meta(cell.meta or "") for name, cell in options.fields.items()}
            return [{**row, **extra} for row in self._table(options.table, bad)]
        elements = _select(self.root, options.rows) if options.rows else [self.root]
        rows = [{name: self._cell(element, cell) for name, cell in options.fields.items()} for element in elements]
        own = [name for name, cell in options.fields.items() if cell.meta is None]
        return [row for row in rows if not own or any(row[name] for name in own)]

    def _cell(self, element: Any, cell: Cell) -> str | None:
        if cell.meta is not None:
            return self._meta(cell.meta)
        found = _select(element, cell.select) if cell.select else [element]
        values = [value for one in found if (value := self._value(one, cell.attribute)) is not None]
        if cell.join is not None:
            return cell.join.join(values) if values else None
        return values[0] if values else None

    def _value(self, element: Any, attribute: str | None) -> str | None:
        if attribute is None:
            return _text(element) or None
        value = element.get(attribute)
        if value is None:
            return None
        return _joined(self.base, value) if attribute.lower() in _ADDRESSES else str(value)

    def _meta(self, name: str) -> str | None:
        value = self._said(name)
        return None if value is None else str(value)

    def _said(self, name: str) -> Any:
        if name == "url":
            return self.url
        if name == "language":
            return self.root.get("lang") or None
        if name == "title":
            return next((_text(element) for element in self.root.iter("title")), None) or None
        if name == "canonical":
            links = (
                e.get("href") for e in self.root.iter("link") if "canonical" in (e.get("rel") or "").lower().split()
            )
            return next((_joined(self.base, link) for link in links), None)
        for element in self.root.iter("meta"):
            if name.lower() in ((element.get("name") or "").lower(), (element.get("property") or "").lower()):
                return element.get("content") or None
        return None

    def _table(self, selector: str, bad: list[Bad]) -> Iterator[Row]:
        ordinal = 0
        for table in _select(self.root, selector):
            names: list[str] = []
            for line in table.iter("tr"):
                cells = [cell for cell in line if cell.tag in ("td", "th")]
                texts = [_text(cell) for cell in cells]
                if not names:
                    names = unique_names(texts)
                    continue
                if all(cell.tag == "th" for cell in cells):
                    continue
                if len(texts) != len(names):
                    reason = _("{found} cells, {expected} expected").format(found=len(texts), expected=len(names))
                    bad.append(Bad(ordinal, None, " | ".join(texts), "wrong-width", reason))
                else:
                    yield {name: text or None for name, text in zip(names, texts, strict=True)}
                ordinal += 1


@cache
def _compiled(selector: str) -> Any:
    return lxml.etree.XPath(HTMLTranslator().css_to_xpath(selector))


def _select(element: Any, selector: str) -> list[Any]:
    return [found for found in _compiled(selector)(element) if isinstance(found.tag, str)]


def _text(element: Any) -> str:
    return " ".join(str(element.text_content()).split())


def _joined(base: str, address: str | None) -> str | None:
    try:
        return urljoin(base, (address or "").strip())
    except ValueError:
        return None


def _encoding(body: bytes, content_type: str) -> str:
    """As the first bytes say, the server, the page itself; else UTF-8."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    said = content_type.lower().partition("charset=")[2].split(";")[0].strip().strip("\"'")
    if not said and (found := _META.search(body[:2048])):
        said = found[1].decode("ascii")
    try:
        name = codecs.lookup(said or "utf-8").name
    except LookupError:
        return "utf-8"
    return "cp1252" if name in _LATIN else name


def is_page(headers: Mapping[str, str]) -> bool:
    """Whether an answer is HTML."""
    kind = headers.get("content-type", "text/html").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml", "")
