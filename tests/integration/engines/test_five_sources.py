"""Real messages split over all five kinds of sources: the same prepared rows as from one CSV file."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from command_line import SHARED, CommandLine
from compagnon import Solution
from compagnon.sandbox.postgresql import binaries
from compagnon.sandbox.practice import Sandbox
from compagnon.sandbox.rows import COLUMNS, KINDS, Row
from compagnon.sandbox.stores import write_files

DATA = SHARED / "data" / "banking77" / "banking_data"
SOURCES = ("practice_csv", "practice_postgresql", "practice_api_cursor", "practice_site", "practice_lake")

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared real data are not beside the repository"),
    pytest.mark.skipif(binaries() is None, reason="PostgreSQL (initdb, pg_ctl) is not installed"),
]

SOLUTION = """version: 1
name: bank
sources:
{sources}
tables:
  messages:
    key: id
    from:
{mapping}
    columns:
      id: {{type: text, required: true}}
      number: {{type: integer, required: true}}
      text: {{type: text, clean: [html, nfc, spaces], required: true}}
      intent: {{type: category, values: intents.yaml, required: true}}
      asked_at: {{type: date, formats: [iso]}}
    unique: {{by: [text], prefer: number desc}}
"""


def messages() -> list[Row]:
    """Both parts of the data, 13,083 rows, in the shape that the sandbox serves."""
    found = list[Row]()
    for part in ("train", "test"):
        with (DATA / f"{part}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                number = len(found) + 1
                day = f"2026-{1 + number % 3:02}-{1 + number % 28:02}"
                cells = (number, f"{part}-{number}", row["text"], row["category"], "", day, "")
                found.append(dict(zip(COLUMNS, cells, strict=True)))
    return found


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return messages()


@pytest.fixture(scope="module")
def sandbox(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox"), rows=rows, split=True) as sandbox:
        assert sandbox.database_url
        yield sandbox


def prepared(folder: Path, names: tuple[str, ...], sources: str, environ: dict[str, str]) -> dict[str, Any]:
    """The digest of the prepared rows whatever source they came from, and what the preparation counted."""
    folder.mkdir()
    intents = json.loads((DATA / "categories.json").read_text(encoding="utf-8"))
    (folder / "intents.yaml").write_text("".join(f"- {json.dumps(name)}\n" for name in intents), encoding="utf-8")
    columns = "{id: id, number: number, text: text, intent: topic, asked_at: asked_at}"
    mapping = "\n".join(f"      {name}: {columns}" for name in names)
    (folder / "solution.yaml").write_text(SOLUTION.format(sources=sources, mapping=mapping), encoding="utf-8")
    CommandLine(folder, **environ)("run", "--quiet", "--to", "prepare", timeout=600)
    solution = Solution(folder)
    artifact = solution.artifact("prepare/messages", "table/messages")
    assert artifact is not None
    found = [row for path in solution.artifacts.paths(artifact) for row in pq.read_table(path).to_pylist()]
    facts = {name: fact.value for name, fact in solution.facts("prepare/messages").items() if name.startswith("rows")}
    collected = [solution.facts(f"collect/{name}")["rows_collected"].value for name in names]
    solution.close()
    kept = sorted(repr([row[n] for n in ("id", "number", "text", "intent", "asked_at")]) for row in found)
    digest = hashlib.sha256("\n".join(kept).encode()).hexdigest()
    return {"digest": digest, "facts": facts, "collected": collected}


@pytest.fixture(scope="module")
def from_one(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("one")
    write_files(folder / "files", rows)
    path = (folder / "files" / "questions.csv").as_posix()
    return prepared(folder / "bank", ("whole",), f"  whole: {{kind: file, path: {path}, key: id}}", {})


@pytest.mark.parametrize("engine", ["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def test_the_same_rows_as_from_one_csv(
    engine: str, sandbox: Sandbox, rows: list[Row], from_one: dict[str, Any], tmp_path: Path
) -> None:
    if engine == "spark":
        from compagnon.engines import spark
        from compagnon.errors import UserError

        try:
            spark.check()
        except UserError as error:
            pytest.skip(str(error))
    lines = {entry.name: entry.lines for entry in sandbox.entries()}
    lines["practice_lake"] += f"    engine: {engine}\n"
    five = prepared(tmp_path / "bank", SOURCES, "".join(lines[name] for name in SOURCES), sandbox.environ)
    assert from_one["collected"] == [len(rows)] == [13_083]
    assert five["collected"] == [sandbox.as_dict()["rows"][kind] for kind in KINDS]
    assert min(five["collected"]) > 2000
    assert sum(five["collected"]) == len(rows)
    assert five["facts"] == from_one["facts"]
    assert five["digest"] == from_one["digest"]
