"""The stage ``store``: prepared tables as one versioned DuckDB file, published by a pointer and only read afterwards."""

from compagnon.stages.store.stage import StoreStage

__all__ = ["StoreStage"]
