"""The exit of the raw zone: personal columns become pseudonyms, are masked or stay behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from compagnon.chain.secrets import Secrets
from compagnon.privacy import classes, patterns, pseudonym
from compagnon.spec.model import Keep, Table
from compagnon.stages.prepare import expressions

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def of_table(table: Table, connection: duckdb.DuckDBPyConnection) -> dict[str, Keep]:
    """What leaves of each column; a derived text says what the columns it reads say."""
    reads = {n: expressions.reads(c.expr, connection) for n, c in table.columns.items() if c.expr is not None}
    return classes.exits(table.columns, reads)


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
