"""Helper modules of an export: Compagnon's own code, without what only Compagnon needs."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

from compagnon.evidence.code.portable import reading
from compagnon.features import inputs, text
from compagnon.privacy import patterns, pseudonym
from compagnon.stages.prepare import engine
from compagnon.stages.train import split, temperature, view_table

HEAD = "# Écrit par `compagnon export --code` d'après {module} : le même code, sans Compagnon.\n"
_MODULES = {"text": text, "inputs": inputs, "masks": patterns, "pseudonyms": pseudonym, "reading": reading}
_MODULES |= {"split": split, "temperature": temperature, "columns": view_table}
_MOVED = {"compagnon.features.text": "helpers.text", "compagnon.features.inputs": "helpers.inputs"}


def of_collect() -> dict[str, str]:
    return _written("reading")


def of_prepare() -> dict[str, str]:
    head = HEAD.format(module="compagnon.stages.prepare.engine")
    entities = f"{head}from __future__ import annotations\n\nimport pyarrow as pa\n\n\n"
    return {**_written("masks", "pseudonyms"), "entities.py": entities + inspect.getsource(engine.decode_entities)}


def of_train(columns: bool) -> dict[str, str]:
    return _written("text", "inputs", "split", "temperature", *(["columns"] if columns else []))


def of_predict() -> dict[str, str]:
    return _written("text", "inputs")


def _written(*names: str) -> dict[str, str]:
    return {f"{name}.py": HEAD.format(module=_MODULES[name].__name__) + portable(_MODULES[name]) for name in names}


def portable(module: ModuleType) -> str:
    """The source of ``module`` without its imports of Compagnon (only annotations use them) and its ONNX writing."""
    source = inspect.getsource(module)
    lines: list[str | None] = list(source.splitlines())
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == "export":
            start = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
            lines[start : node.end_lineno] = [None] * ((node.end_lineno or start) - start)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("compagnon."):
            moved = _MOVED.get(node.module or "")
            for place in range(node.lineno - 1, node.end_lineno or node.lineno):
                line = lines[place]
                lines[place] = line.replace(node.module or "", moved) if line is not None and moved else None
    text_ = "\n".join(line for line in lines if line is not None)
    while "\n\n\n\n" in text_:
        text_ = text_.replace("\n\n\n\n", "\n\n\n")
    return text_.rstrip() + "\n"
