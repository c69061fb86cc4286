"""Whether a query may be asked partition by partition, and of which partitions.

The answer is read from DuckDB's tree of the query; nothing runs. A query goes by partition when each of its rows comes
from one partition: it looks at rows one by one, or groups them by partition columns (and by others, if it likes); the
columns that it groups by then say what a piece is. Everything else, and what DuckDB does not understand, is asked of
the whole lake.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compagnon.stages.collect.query import quoted

if TYPE_CHECKING:
    import duckdb

_UNSTABLE = ("VOLATILE", "CONSISTENT_WITHIN_QUERY")


@dataclass(frozen=True)
class Reading:
    """How a query is asked. ``by``: the partition columns whose values make a piece; none when it is asked whole.

    ``steady``: the same files give the same rows each time.
    """

    by: tuple[str, ...] = ()
    steady: bool = True
    filter: str | None = None
    """SQL that gives the partitions concerned from a table ``partitions``; None for all."""


def reading(sql: str, relation: str, columns: Sequence[str], connection: duckdb.DuckDBPyConnection) -> Reading:
    """How ``sql`` over ``relation``, a lake with the partition ``columns``, may be asked."""
    answer = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    document = json.loads(answer[0][0])
    if document.get("error") or len(document["statements"]) != 1:
        return Reading()
    node = document["statements"][0]["node"]
    steady = not _calls(node, connection, "stability IN " + str(_UNSTABLE))
    if not (steady and columns and _is_simple(node, relation)):
        return Reading((), steady)
    groups = [_column(expression) for expression in node["group_expressions"]]
    wanted = {column.lower() for column in columns}
    by = tuple(columns)
    if groups:
        if node["group_sets"] != [list(range(len(groups)))]:
            return Reading()
        by = tuple(column for column in columns if column.lower() in groups)
    elif _calls(node, connection, "function_type = 'aggregate'") or node["aggregate_handling"] != "STANDARD_HANDLING":
        return Reading()
    return Reading(by, True, _filter(document, node, wanted, columns, connection))


def _is_simple(node: dict[str, Any], relation: str) -> bool:
    table = node.get("from_table") or {}
    simple = node.get("type") == "SELECT_NODE" and not node["cte_map"]["map"]
    simple = simple and all(modifier["type"] == "ORDER_MODIFIER" for modifier in node["modifiers"])
    simple = simple and table.get("type") == "BASE_TABLE" and table.get("table_name", "").lower() == relation.lower()
    simple = simple and not (table.get("sample") or node.get("sample") or node.get("qualify"))
    return bool(simple and not any(n["class"] in ("WINDOW", "SUBQUERY") for n in _nodes(node)))


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _calls(node: Any, connection: duckdb.DuckDBPyConnection, condition: str) -> bool:
    """Whether the tree calls a function of which ``condition`` holds."""
    names = sorted({n["function_name"].lower() for n in _nodes(node) if n["class"] == "FUNCTION"})
    # The clock is also read by words without brackets, which look like columns.
    names += sorted({_column(n) for n in _nodes(node) if n["class"] == "COLUMN_REF"} & _CLOCK)
    if not names:
        return False
    found = connection.execute(
        f"SELECT count(*) FROM duckdb_functions() WHERE lower(function_name) IN (SELECT unnest(?::VARCHAR[])) "
        f"AND {condition}",
        [names],
    ).fetchall()
    return bool(found[0][0])


_CLOCK = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}


def _column(node: dict[str, Any]) -> str:
    return node["column_names"][-1].lower() if node.get("class") == "COLUMN_REF" else ""


def _filter(
    document: dict[str, Any],
    node: dict[str, Any],
    wanted: set[str],
    columns: Sequence[str],
    connection: duckdb.DuckDBPyConnection,
) -> str | None:
    """The conditions of ``where`` that look at partition columns only, as a query of its own."""
    where = node.get("where_clause")
    if not where:
        return None
    joined = where["children"] if where.get("type") == "CONJUNCTION_AND" else [where]
    kept = []
    for condition in joined:
        read = {_column(n) for n in _nodes(condition) if n["class"] == "COLUMN_REF"}
        if read and read <= wanted:
            kept.append(condition)
    if not kept:
        return None
    whole = kept[0] if len(kept) == 1 else {**where, "children": kept}
    answer = connection.execute("SELECT json_serialize_sql('SELECT * FROM partitions')").fetchall()
    plain = json.loads(answer[0][0])
    plain["statements"][0]["node"]["where_clause"] = whole
    return str(connection.execute("SELECT json_deserialize_sql(?)", [json.dumps(plain)]).fetchall()[0][0])


def concerned(
    found: Reading,
    values: Sequence[Sequence[str | None]],
    types: Sequence[tuple[str, str]],
    relation: str,
    connection: duckdb.DuckDBPyConnection,
) -> set[int]:
    """Places of the partitions that pass the filter; ``values`` by partition, ``types`` the SQL type by column."""
    if found.filter is None:
        return set(range(len(values)))
    import pyarrow as pa

    table = {f"c{place}": pa.array([row[place] for row in values], pa.string()) for place in range(len(types))}
    connection.register("partition_values", pa.table({"place": list(range(len(values))), **table}))
    casts = ", ".join(f"CAST(c{place} AS {kind}) AS {quoted(name)}" for place, (name, kind) in enumerate(types))
    try:
        rows = connection.execute(
            f'WITH partitions AS (SELECT place AS "@place", {casts} FROM partition_values) '
            f'SELECT "@place" FROM ({_named(found.filter, relation)})'
        ).fetchall()
    finally:
        connection.unregister("partition_values")
    return {row[0] for row in rows}


def _named(sql: str, relation: str) -> str:
    """Conditions may name their columns ``relation.column``: the partitions then go by that name."""
    return sql.replace("FROM partitions", f"FROM partitions AS {quoted(relation)}", 1)
