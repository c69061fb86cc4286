"""From the pages of an API to columns: flattened as declared, their types checked page after page."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any

from compagnon.chain import digest as digests
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.stages.collect.port import Bad
from compagnon.stages.collect.rest.path import ABSENT, find, look, look_all

if TYPE_CHECKING:
    import pyarrow as pa

_INTEGERS = (-(1 << 63), (1 << 63) - 1)
_Absent = type(ABSENT)
_KINDS = {bool: "boolean", int: "number", float: "number", str: "text", dict: "nested", list: "nested"}


@dataclass(frozen=True)
class Layout:
    """Where records stand, and what is taken of each. ``fields``: column to path; none: every key at the top."""

    records: str | None = None
    each: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()


def parse(body: bytes, encoding: str, page: str) -> Any:
    """The JSON document of a page; raises UserError ``collect.page-unreadable``, ``collect.page-encoding``."""
    import msgspec

    try:
        if encoding == "utf-8" and not body.startswith(codecs.BOM_UTF8):
            return msgspec.json.decode(body)
        return msgspec.json.decode(body.decode("utf-8-sig" if encoding == "utf-8" else encoding))
    except UnicodeDecodeError as error:
        raise UserError(
            "collect.page-encoding",
            _("{page} is not {encoding}: byte {place} does not fit.").format(
                page=page, encoding=encoding, place=error.start
            ),
            next=_("Say how it is written, for example encoding: cp1252, and tell who runs the source."),
        ) from error
    except msgspec.MsgspecError as error:
        raise UserError(
            "collect.page-unreadable",
            _("{page} cannot be read as JSON: {why}").format(page=page, why=error),
            next=_("Open the address: a page that asks to sign in, or an error page, is not data."),
        ) from error


def encoding_of(declared: str, content_type: str, body: bytes) -> str:
    """The encoding of a page: as the solution says, else by its first bytes, else UTF-8 as JSON is (RFC 8259).

    Only where it is not UTF-8 is the server believed.
    """
    if declared != "auto":
        return declared
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    said = content_type.lower().partition("charset=")[2].split(";")[0].strip().strip("\"'")
    if not said:
        return "utf-8"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return codecs.lookup(said).name
        except LookupError:
            return "utf-8"
    return "utf-8"


def elements(document: Any, layout: Layout, page: str) -> list[Any]:
    """The list of records of a page; raises UserError ``collect.records-missing``."""
    found = find(document, layout.records) if layout.records else document
    if isinstance(found, list):
        return found
    lists = [key for key, value in document.items() if isinstance(value, list)] if isinstance(document, dict) else []
    raise UserError(
        "collect.records-missing",
        _("{path} holds no list of records at {place}.").format(path=page, place=layout.records or _("its top level")),
        next=_("Say where its list of records stands: records: {path}").format(
            path=lists[0] if lists else "data.items"
        ),
    )


@dataclass
class Columns:
    """Rows as one list of values for each column; ABSENT where a record lacks the key."""

    count: int
    values: dict[str, list[Any]]

    def rows(self, names: Iterable[str]) -> list[tuple[Any, ...]]:
        return list(zip(*(self.of(name) for name in names), strict=True))

    def of(self, name: str) -> list[Any]:
        return self.values.get(name) or [ABSENT] * self.count

    def kept(self, wanted: list[bool]) -> Columns:
        """The rows for which ``wanted`` is true."""
        values = {name: list(compress(found, wanted)) for name, found in self.values.items()}
        return Columns(sum(wanted), values)


def flatten(found: list[Any], layout: Layout, bad: list[Bad], first: int) -> Columns:
    """Records as columns; what is no object goes to ``bad``. ``first``: ordinal of the first record in its piece."""
    records = [record for record in found if type(record) is dict]
    if len(records) != len(found):
        for place, record in enumerate(found):
            if type(record) is not dict:
                reason = _("not an object with named values")
                bad.append(Bad(first + place, None, digests.canonical(record), "not-an-object", reason))
    if layout.each is not None:
        return _by_key([_pick_each(record, one, layout) for record in records for one in _inner(record, layout.each)])
    if layout.fields:
        values = {name: look_all(records, path) for name, path in layout.fields.items()}
        return Columns(len(records), values)
    return _by_key(records)


def _by_key(records: list[dict[str, Any]]) -> Columns:
    """Every key of any record as a column, in the order of their first appearance."""
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
    return Columns(len(records), {name: [record.get(name, ABSENT) for record in records] for name in names})


def _inner(record: dict[str, Any], path: str) -> list[Any]:
    found = find(record, path)
    return found if isinstance(found, list) else []


def _pick_each(record: dict[str, Any], one: Any, layout: Layout) -> dict[str, Any]:
    """The columns of one element of the nested list: paths that begin with that list's are within the element."""
    prefix = f"{layout.each}."
    if not layout.fields:
        outer = {name: value for name, value in record.items() if name != layout.each}
        return {**outer, **({f"{prefix}{k}": v for k, v in one.items()} if type(one) is dict else {prefix[:-1]: one})}
    row = {}
    for name, path in layout.fields.items():
        if path == layout.each:
            value = one
        elif path.startswith(prefix):
            value = look(one, path.removeprefix(prefix))
        else:
            value = look(record, path)
        if value is not ABSENT:
            row[name] = value
    return row


@dataclass
class _Column:
    kinds: set[str] = field(default_factory=set)
    always: bool = True
    whole: bool = True
    """Only whole numbers that 64 bits hold."""
    large: bool = False


class Schema:
    """Columns as the first pages show them; a later page that has others is an error, not a guess."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._columns: dict[str, _Column] = {}
        self._fresh = True

    def expect(self, columns: Iterable[tuple[str, str]]) -> None:
        """Columns of an earlier collection, by name and Arrow type, that this one goes on."""
        for name, kind in columns:
            known = {"int64": "number", "double": "number", "bool": "boolean"}.get(kind)
            self._columns[name] = _Column({known} if known else set(), always=False, whole=kind != "double")
            self._fresh = False

    def check(self, page_columns: Columns, page: str) -> None:
        """Take in the columns of a page; raises UserError ``collect.schema-changed`` that names it."""
        if not page_columns.count:
            return
        types = {name: set(map(type, found)) for name, found in page_columns.values.items()}
        present = {name for name, kinds in types.items() if kinds != {_Absent}}
        declared = bool(self._layout.fields)
        if self._fresh and declared:
            absent = [n for n in self._layout.fields if n not in present and n not in self._layout.optional]
            if absent:
                raise self._changed(page, _("the first page has no {name}").format(name=self._layout.fields[absent[0]]))
        for name, found in page_columns.values.items():
            if name in present:
                self._take(name, found, types[name], page, declared)
        for name, known in self._columns.items():
            if name not in present and name not in self._layout.optional and known.always:
                raise self._changed(page, _("{name} is not there any more").format(name=name))
        self._fresh = False

    def _take(self, name: str, found: list[Any], types: set[type], page: str, declared: bool) -> None:
        kinds = {_KINDS[kind] for kind in types if kind in _KINDS}
        column = self._columns.get(name)
        if column is None:
            if not (self._fresh or declared or name in self._layout.optional):
                raise self._changed(page, _("{name} is new").format(name=name))
            column = self._columns[name] = _Column(set(kinds), always=self._fresh)
        elif column.kinds and not kinds <= column.kinds:
            was, now = ", ".join(sorted(column.kinds)), ", ".join(sorted(kinds))
            raise self._changed(page, _("{name} was {before} and is {after}").format(name=name, before=was, after=now))
        column.kinds |= kinds
        column.always = column.always and _Absent not in types
        column.whole = column.whole and float not in types
        if int in types:
            low, high = _INTEGERS
            numbers = found if types == {int} else [value for value in found if type(value) is int]
            column.large = column.large or min(numbers) < low or max(numbers) > high

    def _changed(self, page: str, why: str) -> UserError:
        return UserError(
            "collect.schema-changed",
            _("{page} does not have the columns of the pages before: {why}.").format(page=page, why=why),
            next=_("Look at that page. Then declare what is to be taken (fields), or what may be absent (optional)."),
        )

    @property
    def names(self) -> list[str]:
        """Columns in their order: as declared, else as they first appear."""
        if self._layout.fields:
            return list(self._layout.fields)
        return list(self._columns)

    def types(self) -> dict[str, pa.DataType]:
        """The Arrow type of each column, once all pages are known."""
        import pyarrow as pa

        found = {}
        for name in self.names:
            column = self._columns.get(name, _Column())
            kind = pa.string()
            if column.kinds == {"boolean"}:
                kind = pa.bool_()
            elif column.kinds == {"number"} and not column.large:
                kind = pa.int64() if column.whole else pa.float64()
            found[name] = kind
        return found


def batch(parts: list[Columns], types: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    """Rows as columns of ``types``; nested values, and those of a column that mixes types, as text."""
    import pyarrow as pa

    columns = []
    for name, kind in types.items():
        values = [value for part in parts for value in part.of(name)]
        seen = set(map(type, values))
        if _Absent in seen:
            values = [None if value is ABSENT else value for value in values]
        if pa.types.is_string(kind) and not seen <= {str, type(None), _Absent}:
            values = [value if value is None or type(value) is str else digests.canonical(value) for value in values]
        columns.append(pa.array(values, kind))
    return pa.RecordBatch.from_arrays(columns, names=list(types))
