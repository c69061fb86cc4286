"""The exit of the raw zone: personal columns become pseudonyms, are masked or stay behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from compagnon.chain.secrets import Secrets
from compagnon.privacy import classes, patterns, pseudonym
from compagnon.spec.model import Keep, Spec, Table
from compagnon.stages.prepare import expressions

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def of_table(table: Table, connection: duckdb.DuckDBPyConnection) -> dict[str, Keep]:
    """What leaves of each column; a derived text says what the columns it reads say."""
    reads = {n: expressions.reads(c.expr, connection) for n, c in table.columns.items() if c.expr is not None}
    return classes.exits(table.columns, reads)


def named_by_persons(spec: Spec) -> frozenset[str]:
    """The sources whose row ids hold personal data: their key is a column that some table does not let out plain."""
    found = set()
    for table in spec.tables.values():
        for source, mapping in table.from_.items():
            own = spec.sources[source].key if source in spec.sources else ()
            key = own or tuple(mapping[name].column for name in table.key if name in mapping)
            if any(e.column in key and classes.keep_of(table.columns[n]) != "plain" for n, e in mapping.items()):
                found.add(source)
    return frozenset(found)


def hide_ids(rows: pa.Table, named: frozenset[str], secrets: Secrets) -> pa.Table:
    """``rows`` with row ids ``SOURCE:pseudonym`` for the sources in ``named``, sorted again."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not named or not rows.num_rows:
        return rows
    place = rows.column_names.index("row_id")
    ids = rows.column("row_id").combine_chunks()
    origins = pc.list_element(pc.split_pattern(ids, ":", max_splits=1), 0)
    signs = pseudonym.pseudonyms(ids, secrets.own(pseudonym.KEY_NAME))
    hidden = pc.binary_join_element_wise(origins, signs, ":")
    chosen = pc.if_else(pc.is_in(origins, value_set=pa.array(sorted(named), pa.string())), hidden, ids)
    return rows.set_column(place, "row_id", chosen).sort_by("row_id")


def let_out(rows: pa.Table, keeps: Mapping[str, Keep], secrets: Secrets) -> tuple[pa.Table, int]:
    """``rows`` with pseudonyms and masks in place, and how many values were masked."""
    import pyarrow as pa

    masked = 0
    for name, keep in keeps.items():
        if keep in ("plain", "drop"):
            continue
        place = rows.column_names.index(name)
        column = rows.column(place)
        if keep == "pseudonym":
            column = pseudonym.pseudonyms(column, secrets.own(pseudonym.KEY_NAME))
        elif pa.types.is_string(column.type):
            column, count = patterns.mask(column)
            masked += count
        rows = rows.set_column(place, name, column)
    return rows, masked
