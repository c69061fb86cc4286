"""The source ``bigdata``: a query over Hive-partitioned Parquet by DuckDB or Spark, or over a Hive table by Spark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from compagnon.chain import digest as digests
from compagnon.chain import plugins
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Probe
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.spec.model import Engine, EngineChoice, SourceOptions
from compagnon.stages.collect import by_partition, lake, paths, query, scan
from compagnon.stages.collect.lake import Lake, Leaf
from compagnon.stages.collect.port import Aside, Collection, Piece, settings_of

if TYPE_CHECKING:
    import pyarrow as pa

PartitionType = Literal["text", "integer", "date"]


class BigdataOptions(SourceOptions):
    """Options of a ``bigdata`` source: a lake (``path``) or a Hive table (``metastore``), and what to ask of it."""

    kind: Literal["bigdata"]
    path: str | None = Field(None, description="Folder of Parquet files, in column=value folders or not.")
    query: str | None = Field(
        None, description="A query or the file that holds it; the lake goes by the source's name. All rows if absent."
    )
    table: str | None = Field(None, description="A Hive table to take whole, instead of a query: database.table.")
    partitions: dict[str, PartitionType] = Field({}, description="Types of the partition columns, text if not said.")
    engine: EngineChoice = Field(Engine(kind="duckdb"), description="What runs the query; rows are the same on both.")
    metastore: str | None = Field(None, description="Hive's: thrift://host:9083, or the folder of a Derby database.")
    warehouse: str | None = Field(None, description="Folder of Hive's tables, where the metastore does not say it.")
    batch: int = Field(1_000_000, ge=1000, description="Rows of one segment, where a query is asked as a whole.")

    @field_validator("path", "warehouse")
    @classmethod
    def _inside(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                paths.check(value)
        except UserError as error:
            raise ValueError(error.problem.what) from error
        return value

    @model_validator(mode="after")
    def _one_of(self) -> BigdataOptions:
        if (self.path is None) == (self.metastore is None):
            raise ValueError(_("say either path (Parquet files) or metastore (Hive tables)"))
        if self.metastore is not None and self.engine.kind != "spark":
            raise ValueError(_("Hive tables are read by Spark: engine: spark"))
        if self.metastore is not None and (self.query is None) == (self.table is None):
            raise ValueError(_("say either query or table"))
        if self.path is not None and self.table is not None:
            raise ValueError(_("table is for Hive; the files of path go by the source's name in query"))
        if self.path is None and self.partitions:
            raise ValueError(_("partitions is for path; Hive knows the types of its own"))
        return self


@dataclass
class BigdataSource:
    """A lake: partitions that are finished and unchanged are not read again where the query allows it."""

    Options: ClassVar[type[SourceOptions]] = BigdataOptions
    extra: ClassVar[str | None] = "spark"
    distributions: ClassVar[tuple[str, ...]] = ("duckdb",)

    def files(self, options: BigdataOptions) -> tuple[str, ...]:
        return (options.query,) if options.query and not query.is_inline(options.query) else ()

    def settings(self, options: BigdataOptions) -> dict[str, Any]:
        settings = settings_of(options)
        # Where Spark runs does not change the rows; its version might.
        kind = options.engine.kind
        settings["engine"] = f"spark {plugins.identity('pyspark')}" if kind == "spark" else kind
        return settings

    def probe(self, options: BigdataOptions, root: Path, secrets: Secrets) -> Probe:
        if options.path is None:
            return Probe(None)
        try:
            return Probe(lake.look(paths.locate(options.path, root), options.path).state())
        except UserError as error:
            return Probe(None, error=error.problem.what)

    def collect(self, options: BigdataOptions, collection: Collection) -> Iterator[Piece]:
        if options.path is None:
            sql = query.load(options.query, options.table, collection.root)
            reader = scan.hive(options, sql, collection)
            yield from _whole(reader, [], None, options, collection)
            return
        found = lake.look(paths.locate(options.path, collection.root), options.path)
        types = lake.types_of(found, options.partitions)
        sql = query.load(options.query, None if options.query else collection.name, collection.root)
        how, pieces = plan(sql, found, types, collection)
        reader = scan.files(options, sql, found, types, collection)
        own = digests.of_value([sql, types, self.settings(options)["engine"], options.batch, collection.key])[:16]
        if not how.by:
            state = _state(found.leaves)
            yield from _whole(reader, found.leaves, f"{state} {own}" if how.steady else None, options, collection)
            _check_still(state, found.leaves)
            return
        for place, (name, leaves) in enumerate(pieces):
            collection.progress(f"{collection.name}: {name}", place, len(pieces))
            state = _state(leaves)

            def read(aside: Aside, state: str = state, leaves: Sequence[Leaf] = leaves) -> Iterator[pa.RecordBatch]:
                yield from reader.rows(leaves)
                _check_still(state, leaves)

            yield Piece(name, f"{name} {state} {own}", read, _meta)
        collection.progress(collection.name, len(pieces), len(pieces))


def _state(leaves: Sequence[Leaf]) -> str:
    return digests.of_value([leaf.state() for leaf in leaves])


def _check_still(state: str, leaves: Sequence[Leaf]) -> None:
    """Raises UserError ``collect.file-changing`` if files are no longer those of ``state``."""
    if _state(leaves) != state:
        raise UserError(
            "collect.file-changing",
            _("The file {path} changed while it was read.").format(path=leaves[0].name),
            next=_("Run again when it is complete."),
        )


def _meta() -> dict[str, Any]:
    return {"format": "parquet"}


def plan(
    sql: str, found: Lake, types: dict[str, str], collection: Collection
) -> tuple[by_partition.Reading, list[tuple[str, list[Leaf]]]]:
    """How the query is asked of the lake, and the pieces when it is asked by partition: name and leaves of each."""
    import duckdb

    with duckdb.connect() as connection:
        how = by_partition.reading(sql, collection.name, found.columns, connection)
        if not how.by:
            return how, []
        values = [[value for _column, value in leaf.values] for leaf in found.leaves]
        sql_types = [(column, scan.DUCKDB[kind]) for column, kind in types.items()]
        try:
            kept = by_partition.concerned(how, values, sql_types, collection.name, connection)
        except duckdb.Error:
            # The engine will say what is wrong with the condition, or with a partition's value.
            kept = set(range(len(values)))
    pieces: dict[str, list[Leaf]] = {}
    for place, leaf in enumerate(found.leaves):
        if place in kept:
            parts = [part for part in leaf.name.split("/") if "=" in part]
            name = "/".join(p for p, (column, _value) in zip(parts, leaf.values, strict=True) if column in how.by)
            pieces.setdefault(name, []).append(leaf)
    # Without any partition there is still the form of the rows to know.
    return (how, sorted(pieces.items())) if pieces else (by_partition.Reading(), [])


def _whole(
    reader: scan.Reader, leaves: Sequence[Leaf], state: str | None, options: BigdataOptions, collection: Collection
) -> Iterator[Piece]:
    """The answer to the query in pieces of ``batch`` rows, worked out once."""
    with scan.Answer(reader, leaves, collection.scratch / "answer.parquet") as answer:
        for number, start in enumerate(range(0, max(1, answer.rows), options.batch)):

            def read(aside: Aside, start: int = start) -> Iterator[pa.RecordBatch]:
                return answer.slice(start, options.batch)

            yield Piece(str(number), f"{state} {number}" if state else None, read, _meta)
            collection.progress(collection.name, min(answer.rows, start + options.batch), answer.rows)
