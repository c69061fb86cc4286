"""The stage ``prepare``: raw rows become typed tables; what cannot be kept goes to the quarantine with its reasons."""

from compagnon.stages.prepare.stage import PrepareStage

__all__ = ["PrepareStage"]
