"""Parquet: columns in their own types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.stages.collect.port import Aside
from compagnon.stages.collect.rows import BLOCK

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class ParquetReader:
    """One Parquet file."""

    path: Path
    name: str

    def meta(self) -> dict[str, Any]:
        return {"format": "parquet"}

    def read(self, aside: Aside) -> Iterator[pa.RecordBatch]:
        """Batches of the file's columns; raises UserError ``collect.file-unreadable``."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.path) as file:
                yield pa.RecordBatch.from_pylist([], schema=file.schema_arrow)
                yield from file.iter_batches(BLOCK)
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                "collect.file-unreadable",
                _("{path} cannot be read as Parquet: {why}").format(path=self.name, why=str(error).splitlines()[0]),
                next=_("Have it sent again, or say its format in the options of the source."),
            ) from error

    def close(self) -> None:
        """Nothing was copied."""
