"""The overlay: raw cells that people corrected, and rows that they put back from the quarantine.

A correction replaces the raw cell, so that all rules then apply to it. A row put back skips the rules that reject and
the search for duplicates; a value that could not be read stays empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from compagnon.chain.ledger import Correction
from compagnon.i18n import ngettext
from compagnon.spec.model import Table
from compagnon.stages.prepare.compiler import ROW_ID
from compagnon.stages.prepare.expressions import quoted

if TYPE_CHECKING:
    import duckdb


CORRECTED = '.corrected"'
"""How the relation of rows with corrections ends."""


@dataclass(frozen=True)
class Input:
    """Raw rows of one source as a relation, with the types of its columns; ``written`` were typed and are now text."""

    source: str
    relation: str
    types: Mapping[str, str]
    written: frozenset[str] = frozenset()


def load(entries: Sequence[Correction], table: Table, connection: duckdb.DuckDBPyConnection) -> dict[str, None]:
    """Put the overlay into the tables ``restored`` and ``corrected``; returns the columns that are corrected.

    Of several corrections of a cell the last holds.
    """
    restored = dict.fromkeys(e.row_id for e in entries if e.kind == "restore")
    cells = {(e.row_id, e.column): e.value for e in entries if e.kind == "correct" and e.column in table.columns}
    connection.execute("CREATE TEMP TABLE restored (row_id VARCHAR)")
    connection.execute("CREATE TEMP TABLE corrected (row_id VARCHAR, name VARCHAR, value VARCHAR)")
    if restored:
        connection.execute("INSERT INTO restored SELECT unnest(?::VARCHAR[])", [list(restored)])
    if cells:
        ids, names = [row_id for row_id, _name in cells], [name for _row_id, name in cells]
        connection.execute(
            "INSERT INTO corrected SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
            [ids, names, list(cells.values())],
        )
    return dict.fromkeys(name for _row_id, name in cells if name is not None)


def split(
    found: Input, table: Table, corrected: Mapping[str, None], connection: duckdb.DuckDBPyConnection
) -> list[Input]:
    """``found`` in two parts: rows as they came, and rows with their corrections in place, those cells as text."""
    origin = table.from_[found.source]
    cells = {origin[name].column: name for name in corrected if name in origin and origin[name].column in found.types}
    if not cells:
        return [found]
    plain, changed = found.relation[:-1] + '.as-is"', found.relation[:-1] + CORRECTED
    ids = "SELECT row_id FROM corrected"
    connection.execute(
        f"CREATE TEMP VIEW {plain} AS SELECT * FROM {found.relation} WHERE {quoted(ROW_ID)} NOT IN ({ids})"
    )
    joins, columns = [], []
    for place, (column, name) in enumerate(cells.items()):
        alias = f"c{place}"
        literal = "'" + name + "'"
        joins.append(
            f"LEFT JOIN corrected AS {alias} ON {alias}.row_id = s.{quoted(ROW_ID)} AND {alias}.name = {literal}"
        )
        columns.append(
            f"CASE WHEN {alias}.row_id IS NOT NULL THEN {alias}.value ELSE CAST(s.{quoted(column)} AS VARCHAR) END "
            f"AS {quoted(column)}"
        )
    connection.execute(
        f"CREATE TEMP VIEW {changed} AS SELECT s.* REPLACE ({', '.join(columns)}) FROM {found.relation} AS s "
        f"{' '.join(joins)} WHERE s.{quoted(ROW_ID)} IN ({ids})"
    )
    written = frozenset(name for column, name in cells.items() if found.types[column] != "VARCHAR")
    types = {column: "VARCHAR" if column in cells else kind for column, kind in found.types.items()}
    return [Input(found.source, plain, found.types), Input(found.source, changed, types, written)]


def restore(words: int, connection: duckdb.DuckDBPyConnection) -> int:
    """Forget the reasons of rows that were put back; returns how many such rows there are in ``rows``."""
    cleared = ", ".join(f'"@bad{word}" = 0' for word in range(words))
    ids = "row_id IN (SELECT row_id FROM restored)"
    count = int(connection.execute(f"SELECT count(*) FROM rows WHERE {ids}").fetchall()[0][0])
    if count:
        connection.execute(f"UPDATE rows SET {cleared} WHERE {ids}")
    return count


def lost(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What to say about entries whose row is no longer in the sources."""
    found = connection.execute(
        "SELECT count(DISTINCT row_id) FROM (SELECT row_id FROM restored UNION ALL SELECT row_id FROM corrected) "
        "WHERE row_id NOT IN (SELECT row_id FROM rows)"
    ).fetchall()
    count = int(found[0][0])
    text = ngettext(
        "{count} row that was corrected or put back is no longer in the sources.",
        "{count} rows that were corrected or put back are no longer in the sources.",
        count,
    )
    return [text.format(count=count)] if count else []
