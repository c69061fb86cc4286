"""Writing an ONNX graph node by node: deterministic names, so that the same model gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import onnx

OUTPUT = "probabilities"
OPSET = 17
ML_OPSET = 3
IR_VERSION = 9
Domain = Literal["", "ai.onnx.ml", "com.microsoft"]


@dataclass
class Graph:
    """A graph under construction. Tensors are known by their names; the first dimension is always rows.

    Names begin with a slash, so that none can be that of a column.
    """

    nodes: list[Any] = field(default_factory=list)
    initializers: list[Any] = field(default_factory=list)
    inputs: dict[str, tuple[Literal["string", "float"], int | None]] = field(default_factory=dict)

    def input(self, name: str, kind: Literal["string", "float"], width: int | None = None) -> str:
        """A graph input of shape (rows,), or (rows, width); asked for twice, it is the same."""
        self.inputs[name] = (kind, width)
        return name

    def constant(self, values: Any, dtype: str = "float32") -> str:
        import numpy as np
        from onnx import numpy_helper

        name = f"/constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), name))
        return name

    def add(self, operator: str, inputs: Sequence[str], domain: Domain = "", **attributes: Any) -> str:
        """Add a node with one output; returns the output's name."""
        from onnx import helper

        name = f"/{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, domain=domain, **attributes))
        return name

    def affine(self, features: str, weights: np.ndarray[Any, Any], intercept: np.ndarray[Any, Any]) -> str:
        """``features @ weights + intercept`` for weights of shape (features, scores)."""
        product = self.add("MatMul", [features, self.constant(weights)])
        return self.add("Add", [product, self.constant(intercept)])

    def model(self, output: str, classes: int) -> onnx.ModelProto:
        """The finished model, whose one output ``probabilities`` has shape (rows, classes); checked by onnx."""
        from onnx import TensorProto, checker, helper

        kinds = {"string": TensorProto.STRING, "float": TensorProto.FLOAT}
        self.nodes.append(helper.make_node("Identity", [output], [OUTPUT], name=f"/{OUTPUT}"))
        graph = helper.make_graph(
            self.nodes,
            "model",
            [
                helper.make_tensor_value_info(name, kinds[kind], ["rows"] if width is None else ["rows", width])
                for name, (kind, width) in self.inputs.items()
            ],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["rows", classes])],
            self.initializers,
        )
        opsets = [
            helper.make_opsetid("", OPSET),
            helper.make_opsetid("ai.onnx.ml", ML_OPSET),
            helper.make_opsetid("com.microsoft", 1),
        ]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="compagnon")
        checker.check_model(model)
        return model


def write(model: onnx.ModelProto) -> bytes:
    """The model's bytes; the same model always gives the same ones."""
    return bytes(model.SerializeToString(deterministic=True))
