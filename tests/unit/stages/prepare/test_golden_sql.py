"""The SQL that a table becomes, kept as text: a change of the compiler is seen and meant.

``COMPAGNON_GOLDEN=write pytest ...`` writes the files anew.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from compagnon.spec.model import Table
from compagnon.stages.prepare import engine, work
from compagnon.stages.prepare.compiler import compile_source

GOLDEN = Path(__file__).parent / "golden"
TABLES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "text": (
        {
            "from": {"s": {"id": "Numéro", "text": 'Que"stion', "level": "Niveau"}},
            "columns": {
                "id": {"type": "text", "required": True, "pattern": "[A-Z]'?[0-9]+"},
                "text": {
                    "type": "text",
                    "clean": ["html", "nfc", "spaces"],
                    "replace": [{"pattern": "'+", "with": "'"}],
                },
                "level": {"type": "category", "values": ["low", "l'été"], "map": {"bas": "low"}},
                "size": {"type": "integer", "expr": "length(text)", "at_most": 100},
            },
            "reject": [{"when": "size < 3 -- short", "because": "short"}],
        },
        {"Numéro": "VARCHAR", 'Que"stion': "VARCHAR", "Niveau": "VARCHAR"},
    ),
    "numbers": (
        {
            "from": {"s": {"n": "n", "amount": "a", "far": {"column": "f", "unit": "mile"}, "ok": "o"}},
            "columns": {
                "n": {"type": "integer", "at_least": 0},
                "amount": {"type": "decimal", "formats": ["fr", "en"], "scale": 3},
                "far": {"type": "float", "unit": "kilometer"},
                "ok": {"type": "boolean"},
                "absent": {"type": "date"},
            },
        },
        {"n": "DOUBLE", "a": "VARCHAR", "f": "VARCHAR", "o": "INTEGER"},
    ),
    "dates": (
        {
            "from": {
                "s": {"at": "at", "day": {"column": "d", "formats": ["%d/%m/%Y"], "timezone": "UTC"}, "typed": "t"}
            },
            "columns": {
                "at": {"type": "timestamp", "formats": ["%d/%m/%Y %H:%M", "iso", "%Y-%m-%d %H:%M %z"]},
                "day": {"type": "date"},
                "typed": {"type": "timestamp", "timezone": "America/New_York"},
            },
        },
        {"at": "VARCHAR", "d": "VARCHAR", "t": "TIMESTAMP"},
    ),
}


@pytest.mark.parametrize("name", list(TABLES))
def test_sql(name: str) -> None:
    document, types = TABLES[name]
    table = Table.model_validate(document)
    with engine.connect(threads=1) as connection:
        scene = work.make_scene(table, "Europe/Paris", Path(), connection)
        compiled = compile_source(table, "s", "given", {"_row_id": "VARCHAR", "_source": "VARCHAR", **types}, scene)
    file = GOLDEN / f"{name}.sql"
    if os.environ.get("COMPAGNON_GOLDEN") == "write":
        file.write_text(compiled.sql + "\n", encoding="utf-8")
    assert compiled.sql + "\n" == file.read_text(encoding="utf-8")
    assert [n for n, _type in compiled.columns] == list(table.columns)
