"""Sources read as the run read them: CSV, JSON, Parquet and SQL; each row gets a name that does not change."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def text_of(path: Path, encoding: str, compression: str = "none") -> str:
    """The text of a file; bytes that the encoding does not allow stay broken, so that their line is refused."""
    data = path.read_bytes()
    if compression == "gz":
        data = gzip.decompress(data)
    elif compression == "bz2":
        data = bz2.decompress(data)
    elif compression == "zst":
        with pa.input_stream(pa.py_buffer(data), compression="zstd") as stream:
            data = stream.read()
    elif compression == "zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = archive.read(archive.namelist()[0])
    text = data.decode(codecs.lookup(encoding).name, "surrogateescape")
    return text.replace("\r", "\n") if "\r" in text and "\n" not in text else text


def read_csv(
    path: Path,
    *,
    names: Sequence[str],
    encoding: str,
    delimiter: str,
    quote: str,
    escape: str,
    header: bool,
    nulls: Sequence[str] = ("",),
    compression: str = "none",
    without_lines: Iterable[int] = (),
) -> pa.Table:
    """Cells as text, by DuckDB. ``without_lines``: lines with a quote that never closes, which would swallow others."""
    text = text_of(path, encoding, compression).removeprefix("\ufeff")
    skip = header_lines(text, delimiter, quote) if header else 0
    kept = _without(text, set(without_lines))
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(names)))
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as connection:
        copy = Path(folder) / "copy.csv"
        copy.write_bytes(kept.encode("utf-8", "surrogateescape"))
        found = connection.sql(
            f"SELECT * FROM read_csv({literal(str(copy))}, auto_detect = false, header = false, skip = {skip}, "
            f"columns = {{{columns}}}, delim = {literal(delimiter)}, quote = {literal(quote)}, "
            f"escape = {literal(escape)}, nullstr = [{', '.join(map(literal, nulls))}], allow_quoted_nulls = true, "
            "store_rejects = true, compression = 'none', strict_mode = true)"
        ).to_arrow_table()
    return found.rename_columns(list(names))


def _without(text: str, lines: set[int]) -> str:
    return "\n".join(line for number, line in enumerate(text.split("\n"), 1) if number not in lines)


def header_lines(text: str, delimiter: str, quote: str) -> int:
    """Lines before the first row: blank ones, and the header with the line breaks in it."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    )
    for record in reader:
        if record:
            break
    return reader.line_num


def read_json(
    path: Path, *, types: dict[str, str], encoding: str, lines: bool, records: str = "", compression: str = "none"
) -> pa.Table:
    """One record a line, or one document whose list of records stands at the dotted path ``records``.

    ``types`` has the DuckDB type of each key; lines that are no JSON object are left out.
    """
    text = text_of(path, encoding, compression)
    if lines:
        found = [line for line in text.split("\n") if line.strip()]
    else:
        node = json.loads(text.removeprefix("\ufeff"))
        for step in records.split(".") if records else []:
            node = node[step]
        found = [json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in node]
    documents = pa.table({"place": range(len(found)), "text": pa.array(map(_clean, found), pa.string())})
    columns = ", ".join(
        f"CAST(json_extract_string(text, {literal(pointer(key))}) AS {kind}) AS {quoted(key)}"
        for key, kind in types.items()
    )
    is_object = "CASE WHEN json_valid(text) THEN json_type(text) = 'OBJECT' ELSE false END"
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("documents", documents)
        return connection.sql(f"SELECT {columns} FROM documents WHERE {is_object} ORDER BY place").to_arrow_table()


def _clean(text: str) -> str | None:
    return text if text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text) else None


def pointer(key: str) -> str:
    """A key as a JSON pointer (RFC 6901)."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def read_parquet(path: Path, schema: pa.Schema) -> pa.Table:
    """Columns in the types that the run kept; nested values as JSON text."""
    return as_schema(pq.read_table(path), schema)


def read_sqlite(path: Path, query: str, schema: pa.Schema) -> pa.Table:
    """The rows of a query on an SQLite file; columns kept as text are cast by SQLite itself."""
    import sqlite3

    columns = ", ".join(
        f"CASE typeof({quoted(f.name)}) WHEN 'blob' THEN hex({quoted(f.name)}) "
        f"ELSE CAST({quoted(f.name)} AS TEXT) END AS {quoted(f.name)}"
        if pa.types.is_string(f.type)
        else quoted(f.name)
        for f in schema
    )
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = connection.execute(f"SELECT {columns} FROM (\n{query}\n)").fetchall()
    finally:
        connection.close()
    return _of_rows(rows, schema)


def read_database(url: str, query: str, schema: pa.Schema) -> pa.Table:
    """The rows of a query on any database that SQLAlchemy knows."""
    import sqlalchemy as sa

    scheme, _colon, rest = url.partition(":")
    engine = sa.create_engine(f"postgresql+psycopg:{rest}" if scheme in ("postgres", "postgresql") else url)
    try:
        with engine.connect() as connection:
            rows = connection.execute(sa.text(query.replace(":", "\\:"))).fetchall()
    finally:
        engine.dispose()
    return _of_rows(rows, schema)


def _of_rows(rows: Sequence[Any], schema: pa.Schema) -> pa.Table:
    columns: list[Any] = [list(values) for values in zip(*rows, strict=True)] if rows else [[] for _field in schema]
    arrays = []
    for field, values in zip(schema, columns, strict=True):
        if pa.types.is_string(field.type):
            values = [None if value is None else str(value) for value in values]
        arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def as_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """``table`` with the columns and types of ``schema``."""
    columns = []
    for field in schema:
        column = table.column(field.name)
        if pa.types.is_nested(column.type):
            texts = [
                None if v is None else json.dumps(v, sort_keys=True, ensure_ascii=False) for v in column.to_pylist()
            ]
            column = pa.chunked_array([pa.array(texts, pa.string())])
        columns.append(column if column.type == field.type else column.cast(field.type, safe=False))
    return pa.Table.from_arrays(columns, schema=schema)


def row_ids(table: pa.Table, source: str, piece: str, key: Sequence[str], skipped: Iterable[int] = ()) -> list[str]:
    """``SOURCE:key``, or ``SOURCE:PIECE:place`` where there is no key; unreadable rows (``skipped``) keep their own."""
    gaps = set(skipped)
    places: list[int] = []
    following = 0
    for _row in range(table.num_rows):
        while following in gaps:
            following += 1
        places.append(following)
        following += 1
    positions = [f"{source}:{piece}:{place}" for place in places]
    if not key or any(name not in table.column_names for name in key):
        return positions
    parts = [pc.cast(table.column(name), pa.string()).to_pylist() for name in key]
    if len(parts) > 1:
        parts = [[t and t.replace("\\", "\\\\").replace("|", "\\|") for t in part] for part in parts]
    return [
        f"{source}:{'|'.join(values)}" if all(values) else position
        for position, *values in zip(positions, *parts, strict=True)
    ]


def unique_ids(ids: list[str]) -> list[str]:
    """The second row of a key gets ``#2``, and so on; a key that itself ends so gets ``#1``."""
    import re

    seen: dict[str, int] = {}
    found = []
    for name in ids:
        seen[name] = number = seen.get(name, 0) + 1
        found.append(f"{name}#{number}" if number > 1 or re.search("#[0-9]+$", name) else name)
    return found


def save(pieces: Sequence[tuple[pa.Table, list[str]]], source: str, keyed: bool, path: Path, schema: pa.Schema) -> int:
    """Write the pieces of a source with ``_row_id`` and ``_source`` in front; returns the number of rows."""
    ids = [name for _table, names in pieces for name in names]
    ids = unique_ids(ids) if keyed else ids
    together = pa.concat_tables([schema.empty_table(), *(table for table, _names in pieces)], promote_options="default")
    together = together.add_column(0, "_source", pa.array([source] * len(ids), pa.string()))
    together = together.add_column(0, "_row_id", pa.array(ids, pa.string()))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(together, path, compression="zstd")
    return len(ids)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
