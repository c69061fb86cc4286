"""``4_predict_MODEL.py``: the sealed package asked with ONNX Runtime alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compagnon.spec.model import Model

SCRIPT = '''"""Étape 4 : prédire avec {name}, par ONNX Runtime et les seuls fichiers du paquet scellé (models/{name}).

Chaque argument est {argument}. Sans argument : les exemples de la solution, ou la première ligne de la table.
"""

import hashlib
import json
import sys
from pathlib import Path

import onnxruntime
import pyarrow.parquet as pq

from helpers.inputs import Input, feeds_of_rows, feeds_of_table

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "models" / {name!r}
EXAMPLES = {examples}
TABLE = {table!r}

document = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
graph = (PACKAGE / "model.onnx").read_bytes()
if hashlib.sha256(graph).hexdigest() != document["digests"]["model.onnx"]:
    sys.exit("model.onnx n'est pas celui qui a été scellé.")
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
inputs = [Input.of(field) for field in document["input"]["fields"]]
wanted = [field.name for field in session.get_inputs()]

arguments = sys.argv[1:]
given = [{parse} for text in arguments] or EXAMPLES
if given:
    shown, feeds = given, feeds_of_rows(inputs, given)
else:
    first = pq.read_table(HERE / "tables" / (TABLE + ".parquet")).slice(0, 1)
    shown, feeds = first.select([field.name for field in inputs]).to_pylist(), feeds_of_table(inputs, first)
found = session.run(["probabilities"], {{name: feeds[name] for name in wanted}})[0]
for row, probabilities in zip(shown, found):
    best = int(probabilities.argmax())
    confidence = float(probabilities[best])
    decide = "person" if confidence < document["decide"]["person_below"] else "model"
    answer = {{"label": document["labels"][best], "confidence": confidence, "decide": decide}}
    print(json.dumps({{"row": row, **answer}}, ensure_ascii=False, default=str))
'''


def script(name: str, model: Model) -> str:
    """The script of one model."""
    text = model.task == "text-classification" and len(model.input) == 1
    examples: list[Mapping[str, Any]] = []
    for example in model.serve.examples:
        examples.append({model.input[0]: example} if isinstance(example, str) else dict(example))
    return SCRIPT.format(
        name=name,
        argument="un texte" if text else "une ligne en JSON",
        examples="[\n" + "".join(f"    {example!r},\n" for example in examples) + "]" if examples else "[]",
        table=model.table,
        parse=f"{{{model.input[0]!r}: text}}" if text else "json.loads(text)",
    )
