"""DuckDB as the rules need it: times in UTC, no way out to files, network or settings once the inputs are named."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

HTML = "html_decode"
"""Name of the one function that DuckDB does not have."""


def connect(
    *,
    threads: int | None = None,
    readable: Iterable[Path] = (),
    folders: Iterable[Path] = (),
    scratch: Path | None = None,
    memory: str | None = None,
) -> duckdb.DuckDBPyConnection:
    """A connection in memory that can read (and write) ``readable``, what lies in ``folders``, and nothing else.

    It spills to ``scratch``.
    """
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {"python_enable_replacements": False}
    if threads is not None:
        settings["threads"] = threads
    if memory is not None:
        settings["memory_limit"] = memory
    if scratch is not None:
        settings["temp_directory"] = str(scratch)
    connection = duckdb.connect(config=settings)
    # DuckDB evaluates the annotations of a function that it is given; those of a lambda are none.
    text = duckdb.sqltype("VARCHAR")
    connection.create_function(HTML, lambda texts: decode_entities(texts), [text], text, type="arrow")  # type: ignore[call-overload]
    lock(connection, readable, folders)
    return connection


def lock(connection: duckdb.DuckDBPyConnection, readable: Iterable[Path] = (), folders: Iterable[Path] = ()) -> None:
    """Shut ``connection`` off from everything but ``readable`` and ``folders`` for good."""
    connection.execute("SET TimeZone = 'UTC'")
    paths = ", ".join("'" + str(path).replace("'", "''") + "'" for path in readable)
    if paths:
        connection.execute(f"SET allowed_paths = [{paths}]")
    within = ", ".join("'" + str(path).replace("'", "''") + "'" for path in folders)
    if within:
        connection.execute(f"SET allowed_directories = [{within}]")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def decode_entities(texts: pa.Array) -> pa.Array:
    """HTML entities as the characters they stand for (HTML Living Standard, named character references)."""
    import html

    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = pc.dictionary_encode(texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts)
    decoded = pa.array([None if t is None else html.unescape(t) for t in encoded.dictionary.to_pylist()], pa.string())
    return decoded.take(encoded.indices)
