"""Raw rows on disk: batches of a source become one Parquet file with row ids and a digest, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compagnon.chain import digest as digests
from compagnon.chain.artifact import Draft
from compagnon.errors import UserError
from compagnon.i18n import _

if TYPE_CHECKING:
    import pyarrow as pa

ROW_ID, SOURCE = "_row_id", "_source"
RESERVED = (ROW_ID, SOURCE)
BLOCK = 65_536
"""Rows of a row group and of a digest: fixed, so that a digest does not depend on how a reader cuts its batches."""


@dataclass(frozen=True)
class Identity:
    """How rows of a piece are named: ``SOURCE:key``, else ``SOURCE:PIECE:ordinal``."""

    source: str
    piece: str
    key: tuple[str, ...] = ()

    def ids(self, table: pa.Table, ordinals: pa.Array) -> pa.Array:
        """Row ids of ``table``; a row whose key is null is named by its ordinal. Not yet made unique."""
        import pyarrow as pa
        import pyarrow.compute as pc

        position = pc.binary_join_element_wise(f"{self.source}:{self.piece}", ordinals.cast(pa.string()), ":")
        if not self.key or any(name not in table.column_names for name in self.key):
            return position
        parts = [key_text(table.column(name).combine_chunks()) for name in self.key]
        if len(parts) > 1:
            parts = [pc.replace_substring(pc.replace_substring(part, "\\", "\\\\"), "|", "\\|") for part in parts]
        joined = pc.binary_join_element_wise(*parts, "|") if len(parts) > 1 else parts[0]
        return pc.coalesce(pc.binary_join_element_wise(self.source, joined, ":"), position)


def key_text(column: pa.Array) -> pa.Array:
    """Values of a key as text; an empty one counts as null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = column if pa.types.is_string(column.type) else column.cast(pa.string())
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type in which a column is kept: no dictionaries, views, extensions or spans."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    text = (pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    if any(test(kind) for test in (*text, pa.types.is_time, pa.types.is_duration, pa.types.is_interval)):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.binary()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if pa.types.is_float16(kind):
        return pa.float32()
    return kind


def plain(column: pa.Array) -> pa.Array:
    """``column`` in its plain type; nested values as JSON text."""
    import pyarrow as pa

    if isinstance(column.type, pa.BaseExtensionType):
        if column.type.extension_name == "arrow.uuid":
            return pa.array((None if value is None else str(value) for value in column.to_pylist()), pa.string())
        return plain(column.storage)
    if pa.types.is_nested(column.type):
        values = (None if value is None else digests.canonical(value) for value in column.to_pylist())
        return pa.array(values, pa.string())
    wanted = plain_type(column.type)
    if wanted == column.type:
        return column
    if pa.types.is_interval(column.type):
        return pa.array((None if value is None else str(value) for value in column.to_pylist()), pa.string())
    return column.cast(wanted, safe=not pa.types.is_timestamp(wanted))


def plain_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """``batch`` in plain types, its columns not taking the names that Compagnon uses."""
    import pyarrow as pa

    names = unique_names(batch.schema.names)
    return pa.RecordBatch.from_arrays([plain(column) for column in batch.columns], names=names)


def unique_names(names: Iterable[str]) -> list[str]:
    """Names of columns without repetition: a second ``a`` becomes ``a_2``; an empty name says its place."""
    taken = set(RESERVED)
    result = []
    for place, name in enumerate(names, 1):
        wanted = candidate = name or f"_column{place}"
        number = 2
        while candidate in taken:
            candidate, number = f"{wanted}_{number}", number + 1
        taken.add(candidate)
        result.append(candidate)
    return result


def blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows in tables of BLOCK rows (the last one shorter); one table without rows if there are none."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = 0
    given = False
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= BLOCK:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, BLOCK)
            given = True
            rest = table.slice(BLOCK)
            waiting, count = rest.to_batches(), rest.num_rows
    if count or (waiting and not given):
        yield pa.Table.from_batches(waiting)


def write(
    batches: Iterable[pa.RecordBatch],
    path: Path,
    identity: Identity,
    origin: str | None,
    schema: pa.Schema | None = None,
) -> Draft | None:
    """Write source columns with ``_row_id`` and ``_source`` to ``path``; None if there was no batch and no ``schema``.

    Raises UserError ``collect.type-changed`` if a column changes its type on the way.
    """
    import numpy as np
    import pyarrow as pa

    first = True

    def named() -> Iterator[pa.Table]:
        nonlocal first
        start = 0
        for table in blocks(map(plain_batch, batches)):
            ordinals = pa.array(np.arange(start, start + table.num_rows, dtype=np.int64))
            start += table.num_rows
            first = False
            yield with_ids(table, identity.source, identity.ids(table, ordinals))
        if first and schema is not None:
            empty = pa.Table.from_batches([], schema=schema)
            yield with_ids(empty, identity.source, pa.array([], pa.string()))

    return save(named(), path, identity.piece + ".parquet", origin)


def with_ids(table: pa.Table, source: str, ids: pa.Array) -> pa.Table:
    """``table`` with the two columns of Compagnon in front."""
    import pyarrow as pa

    sources = pa.repeat(pa.scalar(source), table.num_rows) if table.num_rows else pa.array([], pa.string())
    return table.add_column(0, SOURCE, sources).add_column(0, ROW_ID, ids)


def save(tables: Iterable[pa.Table], path: Path, name: str, origin: str | None) -> Draft | None:
    """Write tables of BLOCK rows as row groups; the draft's content is the digest of their digests."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None
    parts: list[str] = []
    rows = 0
    try:
        for table in tables:
            if writer is None:
                writer = pq.ParquetWriter(
                    path, table.schema, compression="zstd", compression_level=1, use_dictionary=[SOURCE]
                )
            elif table.schema != writer.schema:
                raise _type_changed(writer.schema, table.schema)
            writer.write_table(table, row_group_size=BLOCK)
            parts.append(digests.of_table(table))
            rows += table.num_rows
    except pa.ArrowInvalid as error:
        raise UserError(
            "collect.rows-invalid", _("Rows of {name} cannot be kept: {why}").format(name=name, why=error)
        ) from error
    finally:
        if writer is not None:
            writer.close()
    return Draft(name, path, rows, digests.of_value(parts), origin) if writer is not None else None


def _type_changed(before: pa.Schema, after: pa.Schema) -> UserError:
    changed = [f.name for f in after if f.name not in before.names or before.field(f.name).type != f.type]
    return UserError(
        "collect.type-changed",
        _("The source changes the type or the number of its columns on the way: {names}.").format(
            names=", ".join(changed or before.names)
        ),
        next=_("Say the type in the query, for example with CAST(... AS TEXT)."),
    )
