"""Packaging: a model sealed as an ONNX graph with schemas, cards, sample and digests, and read back byte by byte."""

from compagnon.stages.package.stage import PackageStage

__all__ = ["PackageStage"]
