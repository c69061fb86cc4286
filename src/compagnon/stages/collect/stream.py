"""A query's rows as one stream that can be cut into pieces, looked ahead, and begun again as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.stages.collect import engines
from compagnon.stages.collect.port import Aside, Bad

if TYPE_CHECKING:
    import pyarrow as pa


class Stream:
    """The batches of a query; ``given`` rows went out so far. ``keep`` drops rows that are known already."""

    def __init__(
        self,
        connection: engines.Connection,
        sql: str,
        dialect: str,
        guard: Callable[..., AbstractContextManager[None]],
        keep: Callable[[pa.RecordBatch], pa.RecordBatch] = lambda batch: batch,
    ) -> None:
        self._connection, self._sql, self._dialect, self._guard, self._keep = connection, sql, dialect, guard, keep
        self._batches: Iterator[pa.RecordBatch] | None = None
        self._waiting: pa.RecordBatch | None = None
        self._schema: pa.Schema | None = None
        self._loose = False
        self.given = 0

    def peek(self) -> pa.RecordBatch | None:
        """The next batch that has rows, left in place; None at the end. Raises TypesVary."""
        while self._waiting is None:
            with self._guard(streaming=self._schema is not None):
                batch = next(self._open(), None)
            if batch is None:
                return None
            # Where SQLite mixes bytes with other values, ADBC gives them all as bytes.
            if self._dialect == "sqlite" and not self._loose and _has_bytes(batch.schema):
                raise engines.TypesVary("bytes")
            self._schema = self._schema or batch.schema
            batch = self._keep(batch)
            if batch.num_rows:
                self._waiting = batch
        return self._waiting

    def ended(self) -> bool:
        """Whether no row is left; to be asked between pieces."""
        given = self.given
        while True:
            try:
                self.rewind(given)
                return self.peek() is None
            except engines.TypesVary:
                self.loosen()

    def take(self, count: int) -> Iterator[pa.RecordBatch]:
        """The next ``count`` rows, after one batch without rows that shows the columns."""
        first = self.peek()
        schema = first.schema if first is not None else self._schema
        if schema is not None:
            yield _empty(schema)
        while count and (batch := self.peek()) is not None:
            part = batch.slice(0, count)
            rest = batch.slice(count) if batch.num_rows > count else None
            self._waiting = rest
            count -= part.num_rows
            self.given += part.num_rows
            yield part

    def rewind(self, to: int) -> None:
        """Be at row ``to``: nothing to do when there, else the query runs again and its rows before are passed over."""
        if to == self.given:
            return
        self._batches = self._waiting = self._schema = None
        self.given = 0
        for _passed in self.take(to):
            pass

    def skip(self, count: int) -> None:
        """Pass over the next ``count`` rows: those of a piece that a killed run had finished."""
        to = self.given + count
        while True:
            try:
                for _passed in self.take(to - self.given):
                    pass
                return
            except engines.TypesVary:
                self.loosen()

    def loosen(self) -> None:
        """Begin anew in a way that minds mixed types less; raises UserError ``collect.types-vary`` if there is none."""
        close = getattr(self._batches, "close", None)
        if close is not None:
            close()
        with self._guard():
            sql = self._connection.loosened(self._sql)
        if sql is None:
            raise UserError(
                "collect.types-vary",
                _("The types of the query's columns vary from row to row."),
                next=_("Say the type in the query, for example with CAST(... AS TEXT)."),
            )
        self._sql, self._loose = sql, True
        self._batches = self._waiting = self._schema = None
        self.given = 0

    def _open(self) -> Iterator[pa.RecordBatch]:
        if self._batches is None:
            self._batches = self._connection.batches(self._sql)
        return self._batches


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _has_bytes(schema: pa.Schema) -> bool:
    import pyarrow as pa

    return any(pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type) for field in schema)


def readable(batches: Iterable[pa.RecordBatch], aside: Aside) -> Iterator[pa.RecordBatch]:
    """``batches`` without the rows whose text is not UTF-8; these are put aside."""
    import pyarrow as pa

    ordinal = 0
    for batch in batches:
        try:
            batch.validate(full=True)
            good = batch
        except pa.ArrowInvalid:
            good = _split(batch, ordinal, aside)
        ordinal += batch.num_rows
        yield good


def _split(batch: pa.RecordBatch, first: int, aside: Aside) -> pa.RecordBatch:
    import pyarrow as pa

    broken: set[int] = set()
    raw = [column.view(pa.binary()) if pa.types.is_string(column.type) else column for column in batch.columns]
    for column in raw:
        if pa.types.is_binary(column.type):
            broken.update(place for place, value in enumerate(column.to_pylist()) if not _decodes(value))
    for place in sorted(broken):
        cells = [column[place].as_py() for column in raw]
        text = " | ".join(c.decode("utf-8", "backslashreplace") if isinstance(c, bytes) else str(c) for c in cells)
        aside.add(Bad(first + place, None, text, "bytes-invalid", _("text that is not UTF-8")))
    kept = pa.array([place for place in range(batch.num_rows) if place not in broken], pa.int64())
    rest = [column.take(kept) for column in raw]
    columns = [new.cast(old.type) for new, old in zip(rest, batch.columns, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _decodes(value: bytes | None) -> bool:
    try:
        return value is None or bool(value.decode("utf-8")) or True
    except UnicodeDecodeError:
        return False
