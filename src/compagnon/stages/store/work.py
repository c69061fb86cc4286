"""Writing the DuckDB file: types, primary keys, checks of categories, comments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.chain import digest as digests
from compagnon.chain.artifact import Artifact, Draft
from compagnon.chain.stage import Context
from compagnon.i18n import _
from compagnon.spec.model import Column, Table, text_of
from compagnon.spec.values import category_values
from compagnon.stages.store.pointer import SEGMENT

if TYPE_CHECKING:
    import duckdb

_TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "category": "VARCHAR",
}


def store(context: Context) -> None:
    """Emit ``store/data`` from every prepared table; its digest is of what the tables hold, not of the file's bytes."""
    import duckdb

    path = context.scratch / SEGMENT
    described: dict[str, Any] = {}
    with duckdb.connect(str(path), config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, table in context.spec.tables.items():
            context.progress(_("Storing {table}").format(table=name))
            artifact = context.inputs[f"table/{name}"]
            key = write(name, table, artifact, context.artifacts.path(artifact, f"{name}.parquet"), context, connection)
            described[name] = {"table": artifact.digest, "rows": artifact.rows, "key": key}
        connection.execute("CHECKPOINT")
    rows = sum(entry["rows"] for entry in described.values())
    settings = {name: list(_comments(table)) for name, table in context.spec.tables.items()}
    content = digests.of_value({"tables": described, "comments": settings})
    context.emit("store/data", "store", "clean", [Draft(SEGMENT, path, rows, content)], {"tables": described})
    context.fact("tables_stored", len(described))
    context.fact("rows_stored", rows)


def write(
    name: str, table: Table, artifact: Artifact, path: Path, context: Context, connection: duckdb.DuckDBPyConnection
) -> list[str]:
    """One table with its constraints and comments; returns the columns of its primary key."""
    given = {column["name"]: column for column in artifact.meta["columns"]}
    source = f"read_parquet({_text(str(path))})"
    present = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
    key = _primary_key(table, present, source, connection)
    lines = []
    for column_name in present:
        column = table.columns.get(column_name) if column_name in given else None
        plain = column is not None and given[column_name]["keep"] != "pseudonym"
        kind = _type(column) if column is not None and plain else "VARCHAR"
        line = f"{_name(column_name)} {kind}"
        if column_name in key or column_name == "row_id" or (plain and column is not None and column.required):
            line += " NOT NULL"
        values = category_values(context.workspace.root, column) if column is not None and plain else ()
        if values:
            line += f" CHECK ({_name(column_name)} IN ({', '.join(_text(v) for v in values)}))"
        lines.append(line)
    lines.append(f"PRIMARY KEY ({', '.join(_name(k) for k in key)})")
    connection.execute(f"CREATE TABLE {_name(name)} ({', '.join(lines)})")
    # The file is in the order of row_id, and one thread keeps it.
    connection.execute(f"INSERT INTO {_name(name)} SELECT * FROM {source}")
    for target, comment in _comments(table):
        if target is None:
            connection.execute(f"COMMENT ON TABLE {_name(name)} IS {_text(comment)}")
        elif target in present:
            connection.execute(f"COMMENT ON COLUMN {_name(name)}.{_name(target)} IS {_text(comment)}")
    return key


def _primary_key(table: Table, present: list[str], source: str, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The declared key where it left the raw zone, is never empty and never repeats; else ``row_id``."""
    key = [name for name in table.key if name in present]
    if key and key == list(table.key):
        names = ", ".join(_name(name) for name in key)
        given = " AND ".join(f"{_name(name)} IS NOT NULL" for name in key)
        total, distinct = connection.execute(
            f"SELECT (SELECT count(*) FROM {source}), "
            f"(SELECT count(*) FROM (SELECT DISTINCT {names} FROM {source} WHERE {given}))"
        ).fetchall()[0]
        if total == distinct:
            return key
    return ["row_id"]


def _comments(table: Table) -> Iterator[tuple[str | None, str]]:
    """Comments of the table (None) and its columns: meaning in French and English, and unit."""
    yield from ((None, text) for text in [_both(table.meaning)] if text)
    for name, column in table.columns.items():
        unit = f"[{column.unit}]" if column.unit else ""
        text = " ".join(part for part in (_both(column.meaning), unit) if part)
        if text:
            yield name, text


def _both(meaning: Any) -> str:
    return " / ".join(dict.fromkeys(t for t in (text_of(meaning, "fr"), text_of(meaning, "en")) if t))


def _type(column: Column) -> str:
    return f"DECIMAL(18,{column.scale})" if column.type == "decimal" else _TYPES[column.type]


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
