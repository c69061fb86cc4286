"""Columns as one matrix: where each number enters the graph by itself, handing it over costs more than the model.

The numbers and dates of all rows come as one array; what the graph does to each column alone is done to all at once,
in the same order and in the same 32-bit arithmetic, so that answers are equal to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from compagnon.stages.package.shortcut.reading import Reading, Unlike

MATRIX = "/matrix"


@dataclass
class _Columns:
    """What is known of the features so far, each by its place in [matrix | missing flags | others]."""

    reading: Reading
    names: list[str] = field(default_factory=list)
    """Inputs whose numbers stand in the matrix, in its order."""
    widths: list[int] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)
    means: list[float] = field(default_factory=list)
    deviations: list[float] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    """Columns of the matrix whose absence is a feature."""
    others: list[str] = field(default_factory=list)
    """Tensors made of strings, as they are in the graph."""
    farthest: tuple[float, float] | None = None
    order: list[tuple[str, int]] = field(default_factory=list)

    def add(self, tensor: str) -> None:
        node = self.reading.nodes.get(tensor)
        kind = node.op_type if node is not None else "input"
        if kind == "OneHot":
            self._other(tensor)
        elif kind in ("Unsqueeze", "input"):
            self._numbers(tensor, None)
        elif kind == "Clip":
            self._scaled(tensor)
        elif kind == "Concat":
            scaled, flag = self.reading.made_by(tensor, "Concat")
            place = sum(self.widths)
            self._scaled(scaled)
            absent = self.reading.made_by(self.reading.made_by(flag, "Cast")[0], "Slice")[0]
            self.reading.made_by(absent, "IsNaN")
            self.order.append(("flag", len(self.flags)))
            self.flags.append(place)
        else:
            raise Unlike(kind)

    def _other(self, tensor: str) -> None:
        codes = self.reading.made_by(tensor, "OneHot")[0]
        if self.reading.made_by(codes, "LabelEncoder")[0] not in self.reading.inputs:
            raise Unlike("categories")
        size = int(self.reading.number(self.reading.nodes[tensor].input[1]))
        self.others.append(tensor)
        self.order += [(tensor, place) for place in range(size)]

    def _scaled(self, tensor: str) -> None:
        read = self.reading
        divided, low, high = read.made_by(tensor, "Clip")
        centered, deviation = read.made_by(divided, "Div")
        filled, mean = read.made_by(centered, "Sub")
        absent, median, values = read.made_by(filled, "Where")
        if read.made_by(absent, "IsNaN") != [values]:
            raise Unlike("missing values")
        bounds = (read.number(low), read.number(high))
        if self.farthest not in (None, bounds):
            raise Unlike("bounds")
        self.farthest = bounds
        self._numbers(values, [read.constant(one) for one in (median, mean, deviation)])

    def _numbers(self, tensor: str, scale: list[Any] | None) -> None:
        name, width = self._input(tensor)
        if name in self.names or (self.names and (scale is None) != (not self.medians)):
            raise Unlike("mixed columns")
        start = sum(self.widths)
        self.names.append(name)
        self.widths.append(width)
        self.order += [("matrix", start + place) for place in range(width)]
        if scale is not None:
            for into, values in zip((self.medians, self.means, self.deviations), scale, strict=True):
                if values.size != width:
                    raise Unlike("widths")
                into += values.ravel().tolist()

    def _input(self, tensor: str) -> tuple[str, int]:
        if tensor in self.reading.inputs:
            shape = self.reading.inputs[tensor].type.tensor_type.shape.dim
            if len(shape) != 2:
                raise Unlike("shape")
            return tensor, int(shape[1].dim_value)
        name = self.reading.made_by(tensor, "Unsqueeze")[0]
        if name not in self.reading.inputs:
            raise Unlike("columns")
        return name, 1


def one_matrix(reading: Reading) -> dict[str, Any]:
    """Graph that takes one matrix, names and widths of its columns; raises Unlike."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    features, columns = _features(reading)
    if sum(columns.widths) < 2:
        raise Unlike("one column is no matrix")
    constants: list[Any] = []
    nodes: list[Any] = []

    def constant(values: Any, dtype: str = "float32") -> str:
        name = f"/shortcut_constant_{len(constants)}"
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), name))
        return name

    def add(operator: str, inputs: list[str], **attributes: Any) -> str:
        name = f"/shortcut_{len(nodes)}"
        nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    parts, starts = [MATRIX], {"matrix": 0}
    if columns.medians:
        absent = add("IsNaN", [MATRIX])
        filled = add("Where", [absent, constant(columns.medians), MATRIX])
        divided = add("Div", [add("Sub", [filled, constant(columns.means)]), constant(columns.deviations)])
        assert columns.farthest is not None
        low, high = columns.farthest
        parts = [add("Clip", [divided, constant(low), constant(high)])]
        if columns.flags:
            chosen = add("Gather", [absent, constant(columns.flags, "int64")], axis=1)
            parts.append(add("Cast", [chosen], to=TensorProto.FLOAT))
    size = starts["flag"] = sum(columns.widths)
    size += len(columns.flags)
    strings = []
    for tensor in columns.others:
        starts[tensor] = size
        size += sum(1 for kind, _place in columns.order if kind == tensor)
        parts.append(tensor)
        strings.append(reading.made_by(reading.made_by(tensor, "OneHot")[0], "LabelEncoder")[0])
    found = parts[0] if len(parts) == 1 else add("Concat", parts, axis=1)
    order = [starts[kind] + place for kind, place in columns.order]
    if order != list(range(len(order))):
        found = add("Gather", [found, constant(order, "int64")], axis=1)
    nodes.append(helper.make_node("Identity", [found], [features], name="/shortcut_features"))
    start = [(MATRIX, TensorProto.FLOAT, ["rows", sum(columns.widths)])]
    start += [(name, TensorProto.STRING, ["rows"]) for name in strings]
    graph = _ordered(reading, start, nodes, constants, columns.others)
    return {"names": columns.names, "widths": columns.widths, "strings": strings, "graph": graph}


def _features(reading: Reading) -> tuple[str, _Columns]:
    """The tensor of all features: the first Concat, along the graph, that joins what columns became."""
    for node in reading.model.graph.node:
        if node.op_type != "Concat" or len(node.input) < 2:
            continue
        columns = _Columns(reading)
        try:
            for tensor in node.input:
                columns.add(tensor)
        except Unlike:
            continue
        if set(columns.names) | set(_strings(reading, columns)) == set(reading.inputs):
            return node.output[0], columns
    raise Unlike("no features")


def _strings(reading: Reading, columns: _Columns) -> list[str]:
    return [reading.nodes[reading.nodes[tensor].input[0]].input[0] for tensor in columns.others]


def _ordered(reading: Reading, start: Any, nodes: list[Any], constants: list[Any], others: list[str]) -> bytes:
    """What makes the categories stays as it is, in front of the nodes that take them."""
    before = []
    for tensor in others:
        onehot = reading.nodes[tensor]
        before += [reading.nodes[onehot.input[0]], onehot]
    return reading.rest(start, [*before, *nodes], constants)
