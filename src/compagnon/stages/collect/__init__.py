"""Collect: from each source to raw rows, every one of them with a row id that lasts."""

from compagnon.stages.collect.stage import CollectStage

__all__ = ["CollectStage"]
