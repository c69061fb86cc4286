"""Files of kept predictions: JSON lines while they grow, Parquet once closed, listed in the database.

A worker owns the lines whose name begins with its sign, as long as it holds the lock of that name. Lines of a worker
that is gone are closed by whoever starts next: nothing but a torn last line is lost.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from compagnon.chain.workspace import sync_folder

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Line(msgspec.Struct, frozen=True):
    """One prediction as it is kept. ``input`` is JSON text of the masked row, or null where inputs are not kept."""

    at: datetime
    request: str
    row: int
    version: str
    label: str
    confidence: float
    decide: str
    by: str
    input: str | None = None


@dataclass(frozen=True)
class Closed:
    """A closed segment, how many torn lines it lost, and its first and last moment where it has rows."""

    path: Path
    rows: int
    torn: int
    first: datetime | None = None
    last: datetime | None = None


CLOSING_SECONDS = 300.0
_decoder = msgspec.json.Decoder(Line)


def read_lines(path: Path) -> tuple[list[Line], int]:
    """The whole lines of a growing segment, and how many were torn by a crash."""
    lines, torn = [], 0
    for text in path.read_bytes().split(b"\n"):
        if text:
            try:
                lines.append(_decoder.decode(text))
            except (msgspec.DecodeError, ValueError):
                torn += 1
    return lines, torn


def close(path: Path, model: str, engine: Engine, *, apart: bool = False) -> Closed:
    """Turn JSON lines into Parquet, list it, then remove the lines. Safe to do again after a crash at any point.

    ``apart`` does the work in a process of its own: a server answers meanwhile, and needs no library of columns.
    Raises OSError.
    """
    closed = _in_process_of_its_own(path, model) if apart else compact(path, model)
    if closed.rows:
        values = {
            "path": closed.path.name,
            "model": model,
            "first": closed.first,
            "last": closed.last,
            "rows": closed.rows,
            "bytes": closed.path.stat().st_size,
        }
        _list(engine, values)
    path.unlink(missing_ok=True)
    return closed


def compact(path: Path, model: str) -> Closed:
    """Write the lines of ``path`` as Parquet beside it."""
    lines, torn = read_lines(path)
    if not lines:
        return Closed(path, 0, torn)
    target = path.with_suffix(".parquet")
    _write_parquet(target, model, lines)
    return Closed(target, len(lines), torn, min(line.at for line in lines), max(line.at for line in lines))


def _in_process_of_its_own(path: Path, model: str) -> Closed:
    command = [sys.executable, "-m", "compagnon.operate.monitor.closing", str(path), model]
    # In a session of its own: what interrupts the server at a terminal does not interrupt it.
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=CLOSING_SECONDS,
        check=False,
        start_new_session=True,
    )
    if done.returncode:
        raise OSError(f"closing a segment ended with {done.returncode}")
    return msgspec.json.decode(done.stdout, type=Closed, dec_hook=lambda _type, value: Path(value))


def _write_parquet(target: Path, model: str, lines: list[Line]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {
        "at": pa.array([line.at for line in lines], pa.timestamp("us", "UTC")),
        "request": pa.array([line.request for line in lines], pa.string()),
        "row": pa.array([line.row for line in lines], pa.int32()),
        "model": pa.array([model] * len(lines), pa.string()),
        "version": pa.array([line.version for line in lines], pa.string()),
        "label": pa.array([line.label for line in lines], pa.string()),
        "confidence": pa.array([line.confidence for line in lines], pa.float32()),
        "decide": pa.array([line.decide for line in lines], pa.string()),
        "by": pa.array([line.by for line in lines], pa.string()),
        "input": pa.array([line.input for line in lines], pa.string()),
    }
    scratch = target.with_suffix(".part")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        pq.write_table(pa.table(columns), file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, target)
    sync_folder(target.parent)


def _list(engine: Engine, values: dict[str, Any]) -> None:
    from sqlalchemy import delete, insert

    from compagnon.database.ledger import writing
    from compagnon.database.tables import prediction_segments as table

    with writing(engine) as connection:
        connection.execute(delete(table).where(table.c.path == values["path"]))
        connection.execute(insert(table).values(**values))


def purge(folder: Path, engine: Engine, keep: dict[str, timedelta], now: datetime) -> int:
    """Destroy closed segments whose last prediction is older than ``keep`` of their model; returns how many.

    A model that is no longer declared is not forgotten: its segments follow the shortest ``keep`` there is.
    """
    from sqlalchemy import delete, select

    from compagnon.database.ledger import reading, utc, writing
    from compagnon.database.tables import prediction_segments as table

    shortest = min(keep.values(), default=timedelta(days=365))
    with reading(engine) as connection:
        rows = connection.execute(select(table.c.id, table.c.path, table.c.model, table.c.last)).all()
    old = [row for row in rows if utc(row.last) < now - keep.get(row.model, shortest)]
    for row in old:
        # The file goes first: a crash between the two leaves a line without a file, never a file without a line.
        (folder / Path(row.path).name).unlink(missing_ok=True)
        with writing(engine) as connection:
            connection.execute(delete(table).where(table.c.id == row.id))
    return len(old)


def paths(folder: Path, engine: Engine, model: str | None = None) -> list[Path]:
    """Closed segments, the oldest first."""
    from sqlalchemy import select

    from compagnon.database.ledger import reading
    from compagnon.database.tables import prediction_segments as table

    query = select(table.c.path).order_by(table.c.first, table.c.id)
    if model is not None:
        query = query.where(table.c.model == model)
    with reading(engine) as connection:
        names: Iterable[str] = connection.execute(query).scalars()
        return [folder / Path(name).name for name in names]
