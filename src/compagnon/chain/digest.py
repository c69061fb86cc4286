"""Digests: of bytes, of settings, and of tables independent of how their bytes were written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_CHUNK = 1 << 20


def of_bytes(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def canonical(value: Any) -> str:
    """One JSON text for equal values: keys in order, no white space, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str)


def of_value(value: Any) -> str:
    return of_bytes(canonical(value).encode())


def of_table(table: pa.Table) -> str:
    """SHA-256 of a table's names, types and values, in the order of its rows.

    The same rows give the same digest however they were chunked, sliced, encoded or compressed: of each column, the
    validity, the lengths (for text and binary) and the values with nulls neutralized are hashed.
    """
    digest = hashlib.sha256()
    for field, column in zip(table.schema, table.columns, strict=True):
        _column(digest, field.name, column)
    return digest.hexdigest()


def _column(digest: hashlib._Hash, name: str, column: pa.ChunkedArray) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    kind = column.type
    digest.update(f"{name}\0{kind}\0{len(column)}\0".encode())
    digest.update(_bits(pc.is_valid(column)))
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        filled = pc.fill_null(column, b"" if pa.types.is_binary(kind) else "")
        digest.update(_plain(pc.binary_length(filled)))
        for chunk in filled.chunks:
            digest.update(_text(chunk))
    elif pa.types.is_boolean(kind):
        digest.update(_bits(pc.fill_null(column, False)))
    elif pa.types.is_null(kind):
        return
    elif pa.types.is_decimal(kind):
        # Decimal buffers are fixed-width; text is their one portable spelling.
        _column(digest, name, column.cast(pa.string()))
    elif pa.types.is_nested(kind):
        digest.update(canonical(column.to_pylist()).encode())
    elif pa.types.is_floating(kind):
        digest.update(_plain(pc.fill_null(column, 0.0)))
    else:
        width = pa.int32() if kind.bit_width == 32 else pa.int64() if kind.bit_width == 64 else None
        integers = column.cast(width) if width is not None else column
        digest.update(_plain(pc.fill_null(integers, 0)))


def _bits(column: pa.ChunkedArray) -> bytes:
    import numpy as np

    return np.packbits(_numpy(column)).tobytes()


def _plain(column: pa.ChunkedArray) -> bytes:
    return _numpy(column).tobytes()


def _numpy(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    import numpy as np

    result: np.ndarray[Any, Any] = np.ascontiguousarray(column.to_numpy(zero_copy_only=False))
    return result


def _text(chunk: pa.Array) -> memoryview:
    import numpy as np

    if len(chunk) == 0:
        return memoryview(b"")
    _, offsets, data = chunk.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32, count=len(chunk) + 1, offset=4 * chunk.offset)
    return memoryview(data)[int(ends[0]) : int(ends[-1])] if data is not None else memoryview(b"")
