"""ONNX Runtime sessions that answer the same whatever the machine's cores."""

from __future__ import annotations

from typing import Any


def session_of(graph: bytes) -> Any:
    """An ONNX Runtime session on one thread, so that answers do not depend on the machine's cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
