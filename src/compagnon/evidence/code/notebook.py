"""The same code as one notebook (nbformat 4.5), with a short explanation before each step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_PLACE, _THERE = "HERE = Path(__file__).resolve().parent", "HERE = Path.cwd()"
_ARGUMENTS = "arguments = sys.argv[1:]"


def write(title: str, steps: Mapping[str, tuple[str, str]]) -> str:
    """The notebook as JSON text; ``steps`` has an explanation (Markdown) and the code of each script by its name."""
    cells = [_cell("markdown", title, "title")]
    for place, (_name, (said, code)) in enumerate(steps.items()):
        cells.append(_cell("markdown", said, f"said-{place}"))
        cells.append(_cell("code", code.replace(_PLACE, _THERE).replace(_ARGUMENTS, "arguments = []"), f"code-{place}"))
    document = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _cell(kind: str, text: str, name: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": {}, "source": text.splitlines(keepends=True)}
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell
