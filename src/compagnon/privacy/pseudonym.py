"""Pseudonyms: the same person gets the same sign, and only the holder of the key can tell who it is."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

PREFIX = "p_"
KEY_NAME = "pseudonym_key"
"""Name of the key among the solution's own secrets."""


def pseudonym(value: str, key: bytes) -> str:
    """``p_`` and 64 bits of HMAC-SHA256 (RFC 2104) of the value, stripped and without case."""
    normalized = value.strip().casefold().encode()
    return PREFIX + hmac.new(key, normalized, hashlib.sha256).hexdigest()[:16]


def pseudonyms(column: pa.Array | pa.ChunkedArray, key: bytes) -> pa.Array:
    """A column of any type as pseudonyms (string); nulls stay null. Each distinct value is worked out once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    encoded = pc.dictionary_encode(column)
    signs = pa.array([pseudonym(value, key) for value in encoded.dictionary.to_pylist()], pa.string())
    return signs.take(encoded.indices)
