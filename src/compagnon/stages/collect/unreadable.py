"""Rows that could not be read, kept apart with their text and the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from compagnon.chain import digest as digests
from compagnon.chain.artifact import Draft
from compagnon.stages.collect.port import Bad
from compagnon.stages.collect.rows import ROW_ID, SOURCE, save

COLUMNS = (ROW_ID, SOURCE, "piece", "line", "text", "code", "reason")


def write(source: str, piece: str, rows: Sequence[Bad], path: Path, origin: str | None) -> Draft:
    """A file of the columns COLUMNS, in the order of the lines; it may hold no row.

    Its digest is made without the reasons: they are written in the language of who collected.
    """
    import pyarrow as pa

    rows = sorted(rows, key=lambda row: (row.ordinal, row.line or 0))
    text = pa.string()
    table = pa.table(
        {
            ROW_ID: pa.array([f"{source}:{piece}:{row.ordinal}" for row in rows], text),
            SOURCE: pa.array([source] * len(rows), text),
            "piece": pa.array([piece] * len(rows), text),
            "line": pa.array([row.line for row in rows], pa.int64()),
            "text": pa.array([row.text for row in rows], text),
            "code": pa.array([row.code for row in rows], text),
            "reason": pa.array([row.reason for row in rows], text),
        }
    )
    draft = save([table], path, f"{piece}.parquet", origin)
    assert draft is not None
    return replace(draft, content=digests.of_table(table.drop_columns(["reason"])))
