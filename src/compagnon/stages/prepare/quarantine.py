"""The quarantine as people work with it: list rows, look at one, put one back, correct one.

It holds raw rows, personal data included: what these functions give is for the owner of the solution, never for a page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from compagnon.chain.artifact import Artifact, ArtifactStore
from compagnon.chain.ledger import Correction, Ledger
from compagnon.errors import UserError
from compagnon.i18n import _, current
from compagnon.spec.model import Spec

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Why:
    """One reason of a row."""

    code: str
    column: str | None
    fr: str
    en: str

    @property
    def text(self) -> str:
        return self.fr if current() == "fr" else self.en


@dataclass(frozen=True)
class Row:
    """One row set aside; ``raw`` is the source's row."""

    row_id: str
    source: str
    raw: dict[str, Any]
    reasons: tuple[Why, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "row_id": self.row_id,
            "source": self.source,
            "raw": self.raw,
            "reasons": [vars(r) for r in self.reasons],
        }


def of_table(table: str, spec: Spec, ledger: Ledger, artifacts: ArtifactStore) -> Artifact:
    """The current quarantine of ``table``. Raises UserError ``quarantine.unknown-table``, ``quarantine.none``."""
    if table not in spec.tables:
        raise UserError(
            "quarantine.unknown-table",
            _("There is no table {name}.").format(name=table),
            next=_("Tables: {names}.").format(names=", ".join(spec.tables)),
        )
    run = ledger.last(f"prepare/{table}")
    output = run.output(f"quarantine/{table}") if run else None
    artifact = artifacts.get(output.zone, output.digest) if output else None
    if artifact is None:
        raise UserError(
            "quarantine.none",
            _("The table {name} has not been prepared yet.").format(name=table),
            next=_("Run the solution first: compagnon run --to prepare/{name}").format(name=table),
        )
    return artifact


def rows(
    artifact: Artifact,
    artifacts: ArtifactStore,
    *,
    reason: str | None = None,
    source: str | None = None,
    limit: int | None = 20,
) -> tuple[list[Row], int]:
    """Rows by ``row_id`` with the code ``reason``, of ``source``: at most ``limit``, and how many there are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = _table(artifact, artifacts)
    if source is not None:
        table = table.filter(pc.equal(table.column("source"), source))
    if reason is not None:
        _check_code(reason, artifact)
        column = table.column("reasons").combine_chunks()
        array = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
        codes = pc.struct_field(pc.list_flatten(array), "code")
        places = pc.list_parent_indices(array).filter(pc.equal(codes, reason))
        table = table.take(pc.unique(places))
    shown = table if limit is None else table.slice(0, limit)
    return [_row(row) for row in shown.to_pylist()], table.num_rows


def row(row_id: str, artifact: Artifact, artifacts: ArtifactStore) -> Row:
    """One row. Raises UserError ``quarantine.unknown-row``."""
    import pyarrow.compute as pc

    table = _table(artifact, artifacts)
    found = table.filter(pc.equal(table.column("row_id"), row_id)).to_pylist()
    if not found:
        raise UserError(
            "quarantine.unknown-row",
            _("The row {row} is not in the quarantine of {table}.").format(row=row_id, table=artifact.meta["table"]),
            next=_("See its rows: compagnon quarantine list {table}").format(table=artifact.meta["table"]),
        )
    return _row(found[0])


def restore(
    row_ids: Sequence[str],
    artifact: Artifact,
    artifacts: ArtifactStore,
    ledger: Ledger,
    *,
    at: datetime,
    author: str,
    because: str = "",
) -> list[Correction]:
    """Put rows back at the next run: they skip the rules that reject. All are looked up before any is written."""
    for row_id in row_ids:
        row(row_id, artifact, artifacts)
    table = artifact.meta["table"]
    return [ledger.add_correction(at, author, table, row_id, "restore", because=because) for row_id in row_ids]


def correct(
    row_id: str,
    column: str,
    value: str | None,
    artifact: Artifact,
    artifacts: ArtifactStore,
    spec: Spec,
    ledger: Ledger,
    *,
    at: datetime,
    author: str,
    because: str = "",
) -> Correction:
    """Replace the raw cell behind ``column`` at the next run; rules apply. Raises ``quarantine.unknown-column``."""
    found = row(row_id, artifact, artifacts)
    table = artifact.meta["table"]
    given = spec.tables[table].from_.get(found.source, {})
    if column not in given:
        raise UserError(
            "quarantine.unknown-column",
            _("The source {source} gives no column {column}.").format(source=found.source, column=column),
            next=_("It gives: {names}.").format(names=", ".join(given)),
        )
    return ledger.add_correction(at, author, table, row_id, "correct", column, value, because)


def _table(artifact: Artifact, artifacts: ArtifactStore) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(artifacts.paths(artifact)[0])


def _check_code(reason: str, artifact: Artifact) -> None:
    codes = list(dict.fromkeys(r["code"] for r in artifact.meta["reasons"]))
    if reason not in codes:
        raise UserError(
            "quarantine.unknown-reason",
            _("No rule of this table gives the reason {code}.").format(code=reason),
            next=_("Reasons: {codes}.").format(codes=", ".join(codes)),
        )


def _row(row: dict[str, Any]) -> Row:
    why = tuple(Why(**reason) for reason in row["reasons"])
    return Row(row["row_id"], row["source"], json.loads(row["raw"]), why)
