"""A first look at data that nobody described yet: read as a collection would read it, and what was detected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.chain import plugins
from compagnon.chain.secrets import Secrets
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.stages.collect.port import Aside, Collection, ReadAgain, Source

if TYPE_CHECKING:
    import pyarrow as pa

LIMIT = 200_000
"""Rows that are looked at; types and values are guessed from these."""


@dataclass(frozen=True)
class Look:
    """The beginning of a source: source columns as a run would collect them, without row ids."""

    table: pa.Table
    complete: bool
    """Whether these are all the rows."""
    unreadable: int
    details: tuple[Mapping[str, Any], ...]
    """What was detected of each file: dialect, encoding and so on."""
    warnings: tuple[str, ...] = field(default=())


def look(
    name: str, options: Mapping[str, Any], root: Path, secrets: Secrets, scratch: Path, limit: int = LIMIT
) -> Look:
    """Read up to ``limit`` rows of a source described by ``options`` (with its ``kind``); raises UserError."""
    adapter: Any = plugins.load("sources")[options["kind"]]
    source: Source = adapter()
    parsed = adapter.Options.model_validate(dict(options))
    warnings: list[str] = []
    collection = Collection(
        name=name,
        root=root,
        secrets=secrets,
        scratch=scratch,
        key=(),
        previous=None,
        previous_paths=list,
        progress=lambda message, done, total: None,
        warn=warnings.append,
        spool=scratch / f"{name}.pages",
    )
    batches: list[pa.RecordBatch] = []
    details: list[Mapping[str, Any]] = []
    unreadable, rest = 0, limit
    for piece in source.collect(parsed, collection):
        if piece.read is None or rest <= 0:
            continue
        found, bad = _read(piece.read, rest)
        batches += found
        rest -= sum(batch.num_rows for batch in found)
        unreadable += bad
        details.append({"name": piece.name, **piece.meta()})
    if not any(batch.num_rows for batch in batches):
        raise UserError(
            "infer.empty",
            _("{name} holds no rows: nothing can be guessed from it.").format(name=name),
            next=_("Give a file with at least a few rows."),
        )
    return Look(_together(batches).slice(0, limit), rest > 0, unreadable, tuple(details), tuple(warnings))


def _read(read: Any, limit: int) -> tuple[list[pa.RecordBatch], int]:
    """Batches of one piece, up to a little over ``limit`` rows, and how many rows could not be read."""
    from compagnon.stages.collect.rows import plain_batch

    while True:
        aside, batches, rows = Aside(), [], 0
        try:
            for batch in read(aside):
                batches.append(plain_batch(batch))
                rows += batch.num_rows
                if rows >= limit:
                    break
            return batches, len(aside.rows)
        except ReadAgain:
            continue


def _together(batches: list[pa.RecordBatch]) -> pa.Table:
    """One table of all columns; a column whose type differs between files becomes text."""
    import pyarrow as pa

    tables = [pa.Table.from_batches([batch]) for batch in batches]
    try:
        return pa.concat_tables(tables, promote_options="default")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        texts = [t.cast(pa.schema([(name, pa.string()) for name in t.column_names])) for t in tables]
        return pa.concat_tables(texts, promote_options="default")
