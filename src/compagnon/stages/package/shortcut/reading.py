"""Reading an ONNX graph: which node makes a tensor, who takes it, what the constants are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


class Unlike(Exception):
    """The graph is not of a form that has a shortcut."""


@dataclass
class Reading:
    """A parsed graph with one output."""

    model: Any
    nodes: dict[str, Any] = field(init=False)
    """By the tensor that each makes."""
    constants: dict[str, np.ndarray[Any, Any]] = field(init=False)
    inputs: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        from onnx import numpy_helper

        graph = self.model.graph
        self.nodes = {node.output[0]: node for node in graph.node}
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.inputs = {one.name: one for one in graph.input}

    def made_by(self, tensor: str, operator: str) -> list[str]:
        """What the node takes that makes ``tensor``; raises Unlike where it is not an ``operator``."""
        node = self.nodes.get(tensor)
        if node is None or node.op_type != operator:
            raise Unlike(f"{tensor} is not made by {operator}")
        return list(node.input)

    def constant(self, tensor: str) -> np.ndarray[Any, Any]:
        if tensor not in self.constants:
            raise Unlike(f"{tensor} is not a constant")
        return self.constants[tensor]

    def number(self, tensor: str) -> float:
        values = self.constant(tensor)
        if values.size != 1:
            raise Unlike(f"{tensor} is more than one number")
        return float(values.item())

    def takers(self, tensor: str) -> list[Any]:
        return [node for node in self.model.graph.node if tensor in node.input]

    def attributes(self, tensor: str) -> dict[str, Any]:
        """Attributes of the node that makes ``tensor``; bytes are text."""
        from onnx import helper

        found = {one.name: helper.get_attribute_value(one) for one in self.nodes[tensor].attribute}
        return {name: _text(value) for name, value in found.items()}

    def rest(self, start: Sequence[tuple[str, int, Any]], added: Sequence[Any], constants: Sequence[Any]) -> bytes:
        """The graph with new inputs (name, kind of tensor, shape) and ``added`` nodes in front of what needs them."""
        from onnx import checker, helper

        known = {name for name, _kind, _shape in start} | {name for node in added for name in node.output}
        wanted, queue = set(), [self.model.graph.output[0].name]
        while queue:
            tensor = queue.pop()
            if tensor in known or tensor in wanted or tensor not in self.nodes:
                continue
            wanted.add(tensor)
            queue.extend(self.nodes[tensor].input)
        kept = [node for node in self.model.graph.node if node.output[0] in wanted]
        taken = {tensor for node in [*kept, *added] for tensor in node.input}
        graph = helper.make_graph(
            [*added, *kept],
            "shortcut",
            [helper.make_tensor_value_info(*one) for one in start],
            list(self.model.graph.output),
            [one for one in [*self.model.graph.initializer, *constants] if one.name in taken],
        )
        model = helper.make_model(graph, opset_imports=list(self.model.opset_import), ir_version=self.model.ir_version)
        checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))


def parse(graph: bytes) -> Reading:
    import onnx

    return Reading(onnx.load_from_string(graph))


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        return [one.decode() for one in value]
    return value
