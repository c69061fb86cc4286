"""Which versions of models answered somebody: those of kept predictions and of feedback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from compagnon.operate.monitor.segments import read_lines

if TYPE_CHECKING:
    from sqlalchemy import Engine


def answered(folder: Path, engine: Engine) -> frozenset[str]:
    """Versions (the first characters of a package's digest) that answers and feedback name."""
    from sqlalchemy import select

    from compagnon.database.ledger import reading
    from compagnon.database.tables import feedback

    with reading(engine) as connection:
        found = {str(version) for version in connection.execute(select(feedback.c.model_version).distinct()).scalars()}
    # Growing lines first: a segment that closes meanwhile is then read again as Parquet, never missed.
    for path in sorted(folder.glob("*.jsonl")):
        try:
            found.update(line.version for line in read_lines(path)[0])
        except FileNotFoundError:
            continue
    for path in sorted(folder.glob("*.parquet")):
        found.update(_versions(path))
    return frozenset(found)


def _versions(path: Path) -> list[str]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        return [str(value) for value in pc.unique(pq.read_table(path, columns=["version"]).column(0)).to_pylist()]
    except FileNotFoundError:
        return []
