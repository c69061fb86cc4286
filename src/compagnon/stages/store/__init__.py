"""The stage ``store``: tables as one versioned DuckDB file, published by a pointer, only read afterwards."""

from compagnon.stages.store.stage import StoreStage

__all__ = ["StoreStage"]
