"""The source ``rest``: an API that gives its rows page by page."""

from compagnon.stages.collect.rest.source import RestSource

__all__ = ["RestSource"]
