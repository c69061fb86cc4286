"""A published table as a file for other programs: CSV, Parquet or JSON Lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from compagnon.chain.workspace import Workspace, explain_disk
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.stages.store import pointer

Format = Literal["csv", "parquet", "json"]
FORMATS: dict[str, str] = {
    "csv": "FORMAT csv, HEADER true",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "json": "FORMAT json",
}


def export(workspace: Workspace, table: str, format: Format, path: Path) -> int:
    """Write ``table`` in the order of ``row_id`` to ``path`` (replaced at once, at the end); returns how many rows.

    CSV is UTF-8 with commas, JSON has one object a line, times are UTC. Raises UserError ``store.not-published``,
    ``export.unknown-table``, ``export.unknown-format``.
    """
    import duckdb

    if format not in FORMATS:
        raise UserError(
            "export.unknown-format",
            _("{format} is not a format of exports.").format(format=format),
            next=_("Formats: {names}.").format(names=", ".join(FORMATS)),
        )
    with duckdb.connect(str(pointer.published(workspace)), read_only=True, config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        names = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        if table not in names:
            raise UserError(
                "export.unknown-table",
                _("There is no table {name}.").format(name=table),
                next=_("Tables: {names}.").format(names=", ".join(names)),
            )
        quoted = '"' + table.replace('"', '""') + '"'
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        with explain_disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                target = "'" + str(part).replace("'", "''") + "'"
                order = f"SELECT * FROM {quoted} ORDER BY row_id"
                connection.execute(f"COPY ({order}) TO {target} ({FORMATS[format]})")
                os.replace(part, path)
            except duckdb.IOException as error:
                raise UserError("export.not-written", _("{path} cannot be written.").format(path=path)) from error
            finally:
                part.unlink(missing_ok=True)
        return int(connection.execute(f"SELECT count(*) FROM {quoted}").fetchall()[0][0])
