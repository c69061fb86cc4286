"""The source ``web``: pages of a site, read as their owner allows it."""

from compagnon.stages.collect.web.source import WebSource

__all__ = ["WebSource"]
