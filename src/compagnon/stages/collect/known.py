"""What is known at the last value of a cursor, so that a row that comes again is not taken twice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.stages.collect.port import Collection
from compagnon.stages.collect.rows import ROW_ID, Identity, plain_batch

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Known:
    """What was collected at the last value of the cursor: rows that come again, and that others may have joined."""

    last: Any = None
    ids: Any = None

    @classmethod
    def read(cls, files: list[Path], cursor: str) -> Known:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        tables = [pq.read_table(file, columns=[ROW_ID, cursor]) for file in files]
        table = pa.concat_tables(tables, promote_options="permissive")
        values = table.column(cursor)
        last = pc.max(values)
        boundary = pc.or_kleene(pc.is_null(values), pc.equal(values, last))
        # A kept id whose key ends like a suffix has a suffix of its own (see identity.unique): one is taken away, once.
        ids = pc.replace_substring_regex(table.filter(boundary).column(ROW_ID), "#[0-9]+$", "")
        value = last.as_py()
        return cls(value if value is None or isinstance(value, int | float) else str(value), ids)

    def drop(self, batch: pa.RecordBatch, cursor: str, collection: Collection) -> pa.RecordBatch:
        """``batch`` without the rows at the last value (or without a value) that are known by their key."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if cursor not in batch.schema.names:
            raise UserError(
                "collect.cursor-missing",
                _("The query of {name} gives no column {cursor}.").format(name=collection.name, cursor=cursor),
                next=_("It gives: {columns}.").format(columns=", ".join(batch.schema.names)),
            )
        if self.ids is None or batch.num_rows == 0:
            return batch
        table = pa.Table.from_batches([plain_batch(batch)])
        values = table.column(cursor)
        at_last = (
            pc.equal(values.cast(pa.string()), pa.scalar(self.last).cast(pa.string()))
            if self.last is not None
            else None
        )
        if self.last is not None and not pa.types.is_string(values.type):
            at_last = pc.equal(values, pa.scalar(self.last).cast(values.type))
        unknown = pc.is_null(values)
        boundary = unknown if at_last is None else pc.or_kleene(unknown, at_last)
        ids = Identity(collection.name, "", collection.key).ids(table, pa.array(range(table.num_rows), pa.int64()))
        seen = pc.is_in(ids, value_set=self.ids.combine_chunks())
        return batch.filter(pc.invert(pc.and_kleene(boundary.combine_chunks(), seen)))


def needs_key(name: str) -> UserError:
    """What to say of a cursor without a key."""
    return UserError(
        "collect.cursor-needs-key",
        _("The source {name} has a cursor but no key.").format(name=name),
        next=_("Say which columns identify a row: key: id. Without it a row could be taken twice."),
        path=f"sources.{name}",
    )
