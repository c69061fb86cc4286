"""``export --code``: what it writes runs where Compagnon cannot be imported, and gives the same rows and figures."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from model_solution import machines

from command_line import CommandLine
from compagnon.solution import Solution

BLOCK = """
import sys


class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "compagnon":
            raise ImportError("compagnon is not there")


sys.meta_path.insert(0, Blocked())
"""


class Elsewhere:
    """A Python in which Compagnon cannot be imported; ``folder`` holds an export of the solution at ``root``."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        block = folder.parent / "block"
        block.mkdir(exist_ok=True)
        (block / "sitecustomize.py").write_text(BLOCK, encoding="utf-8")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("COMPAGNON_")}
        secret = re.search("COMPAGNON_PSEUDONYM_KEY=(.*)", (root / ".compagnon" / "secrets").read_text())
        key = {"COMPAGNON_PSEUDONYM_KEY": secret[1]} if secret else {}
        self.environ = {**kept, **key, "PYTHONPATH": str(block), "PYTHONIOENCODING": "utf-8"}

    def python(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=240,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run(self) -> dict[str, str]:
        """What each script prints, by its name."""
        assert "compagnon is not there" in self.python("-c", "import compagnon", code=1)
        return {path.name: self.python(path.name) for path in sorted(self.folder.glob("[1-4]_*.py"))}


def tables(root: Path) -> dict[str, pa.Table]:
    """The prepared tables of a solution's last runs."""
    solution = Solution(root)
    found = {}
    for name in solution.spec.tables:
        artifact = solution.artifact(f"prepare/{name}", f"table/{name}")
        assert artifact is not None
        found[name] = pq.read_table(solution.artifacts.paths(artifact)[0])
    solution.close()
    return found


def compare(root: Path, folder: Path, models: Sequence[str]) -> dict[str, str]:
    """Run an export and compare all its rows and figures with those of the runs."""
    elsewhere = Elsewhere(folder, root)
    said = elsewhere.run()
    for name, table in tables(root).items():
        assert pq.read_table(folder / "tables" / f"{name}.parquet").equals(table), name
    solution = Solution(root)
    for name in solution.spec.tables:
        aside = pq.read_table(folder / "quarantine" / f"{name}.parquet").num_rows
        assert aside == solution.facts(f"prepare/{name}")["rows_rejected"].value
    for model in models:
        printed = dict(re.findall(r"^(\w+) = ([0-9.]+)", said[f"3_train_{model}.py"], re.MULTILINE))
        facts = solution.facts(f"train/{model}")
        for fact in ("macro_f1", "macro_f1_cv", "accuracy", "balanced_accuracy"):
            assert float(printed[fact]) == pytest.approx(facts[fact].value, abs=1.1e-6), (model, fact)
    solution.close()
    return said


def test_the_small_solution_runs_without_compagnon(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    made = compagnon.json("export", "--code", "code", "--notebook")
    folder = small_solution_run / "code"
    assert sorted(made["files"]) == sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    said = compare(small_solution_run, folder, ["theme"])
    answer = json.loads(said["4_predict_theme.py"].splitlines()[-1])
    [ours] = compagnon.json("predict", "theme", "Où est mon colis ?")["predictions"]
    assert (answer["label"], answer["decide"]) == (ours["label"], ours["decide"])
    assert answer["confidence"] == pytest.approx(ours["confidence"], abs=1e-6)
    assert {line.partition("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()} == {
        "duckdb", "pyarrow", "numpy", "scikit-learn", "scipy", "onnxruntime",
    }  # fmt: skip


def test_the_notebook_has_the_same_steps(small_solution_run: Path) -> None:
    CommandLine(small_solution_run)("export", "--code", "code", "--notebook")
    folder = small_solution_run / "code"
    document = json.loads((folder / "small.ipynb").read_text(encoding="utf-8"))
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in document["cells"]}) == len(document["cells"])
    cells = ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == "code"]
    # As a kernel does: one after the other in one namespace, in the notebook's folder.
    (folder / "cells.py").write_text(
        "import sys\nsys.argv[1:] = ['-f', 'kernel.json']\nspace = {}\n"
        f"for cell in {cells!r}:\n    exec(cell, space)\n",
        encoding="utf-8",
    )
    said = Elsewhere(folder, small_solution_run).python("cells.py")
    facts = json.loads(CommandLine(small_solution_run)("status", "--json").stdout)["stages"]
    wanted = next(stage for stage in facts if stage["name"] == "train/theme")["facts"]["macro_f1"]["value"]
    assert f"macro_f1 = {wanted:.6f}" in said


def test_no_secret_is_written(small_solution_run: Path) -> None:
    CommandLine(small_solution_run)("export", "--code", "code", "--notebook")
    text = (small_solution_run / ".compagnon" / "secrets").read_text(encoding="utf-8")
    values = [line.partition("=")[2].encode() for line in text.splitlines() if "=" in line]
    assert values
    for path in (small_solution_run / "code").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not any(value in content for value in values), path
        assert b"client1@example.org" not in content, path


def test_without_the_key_it_says_which_variable(small_solution_run: Path) -> None:
    solution = small_solution_run / "solution.yaml"
    text = solution.read_text(encoding="utf-8")
    solution.write_text(text.replace("personal: email}", "personal: email, keep: drop}"), encoding="utf-8")
    compagnon = CommandLine(small_solution_run)
    compagnon("run", "--quiet", "--to", "prepare")
    compagnon("export", "--code", "dropped", "--stage", "prepare")
    assert "COMPAGNON_PSEUDONYM_KEY" not in (small_solution_run / "dropped" / "2_prepare.py").read_text()
    elsewhere = Elsewhere(small_solution_run / "dropped", small_solution_run)
    assert set(elsewhere.run()) == {"1_collect.py", "2_prepare.py"}
    assert "email" not in pq.read_schema(small_solution_run / "dropped" / "tables" / "messages.parquet").names


def test_restored_rows_are_in_the_code(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    row = compagnon.json("quarantine", "list", "messages")["tables"][0]["rows"][0]["row_id"]
    compagnon("quarantine", "restore", "messages", row, "--because", "vue")
    compagnon("run", "--quiet", "--to", "prepare")
    compagnon("export", "--code", "code", "--stage", "prepare")
    Elsewhere(small_solution_run / "code", small_solution_run).run()
    found = pq.read_table(small_solution_run / "code" / "tables" / "messages.parquet")
    assert row in found.column("row_id").to_pylist()
    assert found.equals(tables(small_solution_run)["messages"])


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts and columns, with a model of each family; the columns come as one JSON document."""
    root = tmp_path_factory.mktemp("families")
    small = Path(__file__).resolve().parents[1] / "data" / "small" / "data" / "messages.csv"
    (root / "messages.csv").write_bytes(small.read_bytes())
    records = [{**row, "built": str(row["built"]), "seen": row["seen"].isoformat()} for row in machines()]
    (root / "machines.json").write_text(json.dumps({"items": records}), encoding="utf-8")
    inputs = ["heat", "age", "kind", "guarded", "built", "seen"]
    names = {name: name for name in [*inputs, "state"]}

    def model(family: str, **more: Any) -> dict[str, Any]:
        return {
            "estimators": [family],
            "split": {"test": 0.3, "folds": 3, "seed": 2},
            "package": {"samples": 20},
            **more,
        }

    texts = {"task": "text-classification", "table": "messages", "input": ["text"], "target": "theme"}
    columns = {"task": "tabular-classification", "table": "machines", "input": inputs, "target": "state"}
    document = {
        "version": 1,
        "name": "families",
        "sources": {
            "shop": {"kind": "file", "path": "messages.csv"},
            "plant": {"kind": "file", "path": "machines.json", "records": "items"},
        },
        "tables": {
            "messages": {
                "key": "id",
                "from": {"shop": {"id": "Numero", "text": "Message", "theme": "Theme"}},
                "columns": {
                    "id": {"type": "text"},
                    "text": {"type": "text"},
                    "theme": {"type": "category", "values": ["facture", "livraison", "compte"]},
                },
            },
            "machines": {
                "from": {"plant": names},
                "columns": {
                    "heat": {"type": "float"},
                    "age": {"type": "integer"},
                    "kind": {"type": "category", "values": ["press", "lathe", "saw"]},
                    "guarded": {"type": "boolean"},
                    "built": {"type": "date"},
                    "seen": {"type": "timestamp"},
                    "state": {"type": "category", "values": ["failed", "sound"]},
                },
            },
        },
        "models": {
            **{f"text_{family}": model(family, **texts) for family in ("naive_bayes", "linear", "svm", "blend")},
            **{f"columns_{family}": model(family, **columns) for family in ("naive_bayes", "linear", "svm")},
            "trees": model("boosting", **columns),
        },
    }
    (root / "solution.yaml").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    (root / ".compagnon").mkdir()
    (root / ".compagnon" / "secrets").touch()
    CommandLine(root)("run", "--quiet")
    return root


def test_each_family_gives_the_figures_of_its_run(families: Path) -> None:
    done = CommandLine(families)("export", "--code", "code")
    models = [path.stem.removeprefix("3_train_") for path in (families / "code").glob("3_train_*.py")]
    assert len(models) == 7
    assert "trees" in done.stderr
    said = compare(families, families / "code", models)
    assert "4_predict_trees.py" in said


def test_a_family_without_plain_form_is_refused_by_name(families: Path) -> None:
    done = CommandLine(families)("export", "--code", "refused", "--stage", "train/trees", code=1)
    assert "boosting" in done.stderr
    assert "naive_bayes" in done.stderr


def test_mistakes_say_what_to_do(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    assert "train/theme" in compagnon("export", "--code", "x", "--stage", "trian", code=1).stderr
    compagnon("export", "--code", "x", "messages", code=2)
    compagnon("export", "--notebook", "messages", code=2)
    compagnon("export", code=2)
    compagnon("export", "--code", "x", "--stage", "collect")
    assert "--force" in compagnon("export", "--code", "x", code=1).stderr
    compagnon("export", "--code", "x", "--force")


def test_before_a_run_it_says_to_run(small_solution: Path) -> None:
    assert "compagnon run" in CommandLine(small_solution)("export", "--code", "x", code=1).stderr


@pytest.mark.full
def test_the_flagship_runs_without_compagnon(tmp_path: Path) -> None:
    CommandLine(tmp_path)("new", "tutor", "--from", "tutor")
    compagnon = CommandLine(tmp_path / "tutor")
    compagnon("run", "--quiet")
    compagnon("export", "--code", "code", "--notebook")
    compare(tmp_path / "tutor", tmp_path / "tutor" / "code", ["topic", "level"])
