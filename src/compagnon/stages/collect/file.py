"""The source ``file``: CSV, JSON, JSON Lines and Parquet files, by name or pattern, compressed or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from pydantic import Field, field_validator

from compagnon.chain import digest as digests
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Probe
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.spec.model import SourceOptions, StringList
from compagnon.stages.collect import paths
from compagnon.stages.collect.csv_reader import CsvOptions, CsvReader
from compagnon.stages.collect.encoding import EncodingName
from compagnon.stages.collect.json_reader import JsonReader
from compagnon.stages.collect.parquet_reader import ParquetReader
from compagnon.stages.collect.port import Aside, Collection, Piece, SourceDown, settings_of

if TYPE_CHECKING:
    import pyarrow as pa

_FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".json": "json",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip


class FileOptions(SourceOptions):
    """Options of a ``file`` source. What is not stated is detected, and written in the run."""

    kind: Literal["file"]
    path: StringList = Field(
        min_length=1, description="Files or patterns (data/*.csv), in the solution's folder or in full."
    )
    format: Literal["auto", "csv", "json", "jsonl", "parquet"] = "auto"
    encoding: EncodingName = Field("auto", description="Such as utf-8, cp1252, utf-16; detected if absent.")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="Between the cells of a CSV file.")
    quote: str | None = Field(None, max_length=1, description="Encloses cells of a CSV file; empty for none.")
    escape: str | None = Field(None, min_length=1, max_length=1, description="Before a quote in a cell; else doubled.")
    header: bool = Field(True, description="Whether the first line of a CSV file names the columns.")
    null: StringList = Field((), description="Cells of a CSV file that mean no value, besides empty ones.")
    compression: Literal["auto", "none", "gz", "zst", "bz2", "zip"] = "auto"
    records: str | None = Field(None, description="Where the list of records stands in a JSON file: data.items.")

    @field_validator("path")
    @classmethod
    def _inside(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                paths.check(pattern)
            except UserError as error:
                raise ValueError(error.problem.what) from error
        return value


class _Reader(Protocol):
    def read(self, aside: Aside) -> Iterator[pa.RecordBatch]: ...

    def meta(self) -> dict[str, Any]: ...

    def close(self) -> None: ...


@dataclass
class FileSource:
    """Files: each is a piece, read again only when its bytes or the options of its reading have changed."""

    Options: ClassVar[type[SourceOptions]] = FileOptions
    extra: ClassVar[str | None] = None
    distributions: ClassVar[tuple[str, ...]] = ("duckdb", "charset-normalizer")

    def files(self, options: FileOptions) -> tuple[str, ...]:
        return ()

    def settings(self, options: FileOptions) -> dict[str, Any]:
        return settings_of(options)

    def probe(self, options: FileOptions, root: Path, secrets: Secrets) -> Probe:
        found = paths.expand(options.path, root)
        try:
            if not found:
                return Probe(None, error=_missing(options).problem.what)
            return Probe(digests.of_value([(file.name, paths.digest_of(file.path)) for file in found]))
        except UserError as error:
            return Probe(None, error=error.problem.what)

    def collect(self, options: FileOptions, collection: Collection) -> Iterator[Piece]:
        found = paths.expand(options.path, collection.root)
        if not found:
            raise _missing(options)
        how = digests.of_value(options.model_dump(mode="json", include=_HOW))[:16]
        for place, file in enumerate(found):
            collection.progress(f"{collection.name}: {file.name}", place, len(found))
            work = _Work(file, options, collection.scratch / f"text-{place}")
            yield Piece(file.name, f"{file.name} {paths.digest_of(file.path)} {how}", work.read, work.meta)
        collection.progress(collection.name, len(found), len(found))


_HOW = {"format", "encoding", "delimiter", "quote", "escape", "header", "null", "compression", "records"}


@dataclass
class _Work:
    """The reading of one file, which may take several tries; what it found out is asked for at the end."""

    file: paths.Found
    options: FileOptions
    scratch: Path
    _reader: _Reader | None = field(default=None)

    def read(self, aside: Aside) -> Iterator[pa.RecordBatch]:
        before = self.file.path.stat()
        if self._reader is None:
            self._reader = _reader(self.file, self.options, self.scratch)
        yield from self._reader.read(aside)
        self._reader.close()
        after = self.file.path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise UserError(
                "collect.file-changing",
                _("The file {path} changed while it was read.").format(path=self.file.name),
                next=_("Run again when it is complete."),
            )

    def meta(self) -> dict[str, Any]:
        return self._reader.meta() if self._reader else {}


def _reader(file: paths.Found, options: FileOptions, scratch: Path) -> _Reader:
    kind = options.format if options.format != "auto" else format_of(file.path)
    if kind == "parquet":
        return ParquetReader(file.path, file.name)
    if kind == "csv":
        how = CsvOptions(
            options.encoding,
            options.compression,
            options.delimiter,
            options.quote,
            options.escape,
            options.header,
            options.null,
        )
        return CsvReader(file.path, file.name, how, scratch)
    make = partial(JsonReader, file.path, file.name, scratch=scratch, records=options.records)
    return make(lines=kind == "jsonl", encoding=options.encoding, compression=options.compression)


def format_of(path: Path) -> str:
    """The format by the suffix (that of compression set aside), else by the first bytes; CSV if nothing else fits."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    for suffix in reversed(suffixes):
        if suffix in _FORMATS:
            return _FORMATS[suffix]
    with path.open("rb") as file:
        start = file.read(64).lstrip()
    if start.startswith(b"PAR1"):
        return "parquet"
    return "json" if start.startswith(b"[") else "jsonl" if start.startswith(b"{") else "csv"


def _missing(options: FileOptions) -> SourceDown:
    return SourceDown(
        "collect.file-not-found",
        _("No file matches {path}.").format(path=", ".join(options.path)),
        next=_("Check the path, relative to the solution's folder, or say what to use instead (instead: last)."),
    )
