"""Row ids made unique across a source, and segments written again where their ids or types must change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compagnon.chain.artifact import Draft, Segment
from compagnon.stages.collect.rows import ROW_ID, SOURCE, save

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SUFFIX = "#[0-9]+$"


@dataclass(frozen=True)
class Part:
    """A segment of the collection and where its file is. ``final``: its ids were made unique by an earlier run."""

    segment: Draft | Segment
    path: Path
    final: bool = False


def rewritten(part: Part, target: Path, change: Callable[[pa.Table, int], pa.Table]) -> Part:
    """``part`` with ``change(block, first row)`` applied to each block, in ``target``."""
    import pyarrow.parquet as pq

    def tables() -> Iterator[pa.Table]:
        start = 0
        with pq.ParquetFile(part.path) as file:
            groups = file.num_row_groups
            if groups == 0:
                yield change(file.schema_arrow.empty_table(), 0)
            for group in range(groups):
                table = file.read_row_group(group)
                yield change(table, start)
                start += table.num_rows

    draft = save(tables(), target, part.segment.name, part.segment.origin)
    assert draft is not None
    return Part(draft, target, part.final)


def with_gaps(part: Part, target: Path, prefix: str, skipped: Sequence[int]) -> Part:
    """``part`` with ordinals that count the unreadable records ``skipped`` too, in ids that are positions.

    A line that is repaired later then takes its own place, and no other row changes its id.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    gaps = np.array(sorted(set(skipped)), dtype=np.int64)
    shifts = gaps - np.arange(len(gaps), dtype=np.int64)

    def change(table: pa.Table, start: int) -> pa.Table:
        rows = np.arange(start, start + table.num_rows, dtype=np.int64)
        old = pc.binary_join_element_wise(prefix, pa.array(rows).cast(pa.string()), ":")
        new = rows + np.searchsorted(shifts, rows, side="right")
        ids = pc.binary_join_element_wise(prefix, pa.array(new).cast(pa.string()), ":")
        present = table.column(ROW_ID)
        return table.set_column(0, ROW_ID, pc.if_else(pc.equal(present, old), ids, present))

    return rewritten(part, target, change)


def unique(parts: list[Part], scratch: Path) -> tuple[list[Part], int]:
    """``parts`` with row ids that occur once, and how many rows repeat a key.

    The second row of a key, in the order of segments and rows, gets ``#2``. A key that itself ends so gets ``#1``, so
    that taking the suffix away always gives the key back.
    """
    import duckdb

    with duckdb.connect(config={"threads": 1, "temp_directory": str(scratch)}) as connection:
        connection.execute("CREATE TABLE ids (seg INTEGER, pos BIGINT, id VARCHAR, base VARCHAR)")
        distinct, suffixed = _counts(connection, parts)
        if distinct == sum(part.segment.rows or 0 for part in parts) and not suffixed:
            return parts, 0
        for place, part in enumerate(parts):
            connection.execute(
                f"INSERT INTO ids SELECT {place}, file_row_number, {ROW_ID}, {_base(part)} "
                "FROM read_parquet(?, file_row_number = true)",
                [str(part.path)],
            )
        connection.execute(f"""
            CREATE TABLE final AS
            SELECT seg, pos, id, n, CASE WHEN n > 1 OR regexp_matches(base, '{_SUFFIX}')
                                         THEN base || '#' || n ELSE base END AS new
            FROM (SELECT *, row_number() OVER (PARTITION BY base ORDER BY seg, pos) AS n FROM ids)""")
        repeated = connection.execute("SELECT count(*) FROM final WHERE n > 1").fetchall()
        result = [_renamed(connection, place, part, scratch) for place, part in enumerate(parts)]
    return result, int(repeated[0][0])


def _base(part: Part) -> str:
    return ROW_ID if not part.final else f"regexp_replace({ROW_ID}, '{_SUFFIX}', '')"


def _counts(connection: duckdb.DuckDBPyConnection, parts: list[Part]) -> tuple[int, int]:
    """Distinct ids (by hash: a collision only costs a second look), and ids that end like a suffix."""
    if not parts:
        return 0, 0
    paths = [str(part.path) for part in parts]
    found = connection.execute(
        f"SELECT count(DISTINCT hash({ROW_ID})), count(*) FILTER (regexp_matches({ROW_ID}, '{_SUFFIX}')) "
        f"FROM read_parquet(?, union_by_name = true)",
        [paths],
    ).fetchall()
    return int(found[0][0]), int(found[0][1])


def _renamed(connection: duckdb.DuckDBPyConnection, place: int, part: Part, scratch: Path) -> Part:
    import numpy as np
    import pyarrow as pa

    changes: pa.Table = connection.sql(
        f"SELECT pos, new FROM final WHERE seg = {place} AND new <> id ORDER BY pos"
    ).to_arrow_table()
    if changes.num_rows == 0:
        return part
    positions = changes.column("pos").to_numpy()
    names = changes.column("new").cast(pa.string()).combine_chunks()

    def change(table: pa.Table, start: int) -> pa.Table:
        import pyarrow.compute as pc

        first, last = np.searchsorted(positions, [start, start + table.num_rows])
        mask = np.zeros(table.num_rows, dtype=bool)
        mask[positions[first:last] - start] = True
        ids = table.column(ROW_ID).combine_chunks()
        return table.set_column(0, ROW_ID, pc.replace_with_mask(ids, pa.array(mask), names.slice(first, last - first)))

    return rewritten(part, scratch / f"unique-{place}.parquet", change)


def same_types(parts: list[Part], scratch: Path) -> tuple[list[Part], list[str]]:
    """``parts`` in which a column has one type everywhere (text where types differ), and the columns that changed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schemas = [pq.read_schema(part.path) for part in parts]
    kinds: dict[str, set[pa.DataType]] = {}
    for schema in schemas:
        for field in schema:
            if field.name not in (ROW_ID, SOURCE):
                kinds.setdefault(field.name, set()).add(field.type)
    mixed = [name for name, found in kinds.items() if len(found) > 1]

    def change(table: pa.Table, start: int) -> pa.Table:
        for name in mixed:
            if name in table.column_names:
                place = table.column_names.index(name)
                table = table.set_column(place, name, as_text(table.column(name)))
        return table

    result = []
    for place, (part, schema) in enumerate(zip(parts, schemas, strict=True)):
        concerned = [name for name in mixed if name in schema.names and schema.field(name).type != pa.string()]
        result.append(rewritten(part, scratch / f"types-{place}.parquet", change) if concerned else part)
    return result, mixed


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as text; bytes as hexadecimal."""
    import pyarrow as pa

    if pa.types.is_binary(column.type):
        return pa.chunked_array([pa.array((None if v is None else v.hex() for v in column.to_pylist()), pa.string())])
    return column.cast(pa.string())
