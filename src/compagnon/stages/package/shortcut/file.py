"""The file of a shortcut: named arrays in NumPy's format, never a pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from compagnon.stages.package.shortcut.columns import one_matrix
from compagnon.stages.package.shortcut.reading import Unlike, parse
from compagnon.stages.package.shortcut.run import Matrix, Shortcut, Terms
from compagnon.stages.package.shortcut.terms import apart

if TYPE_CHECKING:
    from compagnon.features.inputs import Feeds

VERSION = 1
CHECKED_ROWS = 64
"""Rows of the package's sample on which whoever loads it compares graph and shortcut."""


def write(graph: bytes, feeds: Feeds) -> bytes | None:
    """The file for a package's graph, with the first rows of ``feeds`` to compare on; None where there is no way."""
    import numpy as np

    reading = parse(graph)
    try:
        kind, parts = ("terms", apart(reading)) if _has_terms(reading) else ("matrix", one_matrix(reading))
    except Unlike:
        return None
    arrays: dict[str, Any] = {}
    for number, block in enumerate(parts.get("blocks", ())):
        arrays[f"terms_{number}"] = _bytes("\n".join(block.pop("terms")).encode())
        arrays[f"idf_{number}"] = block.pop("idf")
    for name in ("weights", "intercept"):
        if name in parts:
            arrays[name] = parts.pop(name)
    if "graph" in parts:
        arrays["graph"] = _bytes(parts.pop("graph"))
    for place, (name, values) in enumerate(feeds.items()):
        if values.dtype == object:
            arrays[f"rows_{place}"] = _bytes(json.dumps(values[:CHECKED_ROWS].tolist()).encode())
        else:
            arrays[f"rows_{place}"] = values[:CHECKED_ROWS]
        parts.setdefault("rows", []).append([name, values.dtype == object])
    arrays["about"] = _bytes(json.dumps({"version": VERSION, "kind": kind, **parts}).encode())
    into = io.BytesIO()
    np.savez_compressed(into, **arrays)
    return into.getvalue()


def read(data: bytes) -> tuple[Shortcut, Feeds] | None:
    """The shortcut of a sealed file and the rows to compare on; None where a newer Compagnon wrote it."""
    import numpy as np

    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        if about["version"] != VERSION:
            return None
        rows: Feeds = {}
        for place, (name, is_text) in enumerate(about["rows"]):
            values = arrays[f"rows_{place}"]
            if is_text:
                texts = json.loads(values.tobytes())
                values = np.empty(len(texts), dtype=object)
                values[:] = texts
            rows[name] = values
        if about["kind"] == "matrix":
            names, widths = about["names"], about["widths"]
            return Matrix.of(names, widths, about["strings"], arrays["graph"].tobytes()), rows
        return Terms.of(about["column"], _blocks(arrays, about["blocks"]), arrays, about.get("temperature")), rows


def _blocks(arrays: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **block,
            "terms": arrays[f"terms_{number}"].tobytes().decode().split("\n"),
            "idf": arrays[f"idf_{number}"],
        }
        for number, block in enumerate(blocks)
    ]


def _bytes(data: bytes) -> Any:
    import numpy as np

    return np.frombuffer(data, dtype=np.uint8)


def _has_terms(reading: Any) -> bool:
    return any(node.op_type == "TfIdfVectorizer" for node in reading.model.graph.node)
