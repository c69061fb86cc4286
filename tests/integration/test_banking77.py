"""A second solution on real data: 13,083 customer messages, 77 intents, split over a CSV file and PostgreSQL."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import psycopg
import pytest

from command_line import SHARED, CommandLine

DATA = SHARED / "data" / "banking77" / "banking_data"

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared real data are not beside the repository"),
]

SOLUTION = """
version: 1
name: bank
title: Messages to a bank
sources:
  letters: {kind: file, path: data/train-first.csv, licence: CC-BY-4.0}
  bank: {kind: sql, url: "${secret:BANK_URL}", query: queries/messages.sql, licence: CC-BY-4.0, instead: last}
  apart: {kind: file, path: data/test.csv, licence: CC-BY-4.0}
tables:
  messages:
    from:
      letters: {text: text, intent: category}
      bank: {text: body, intent: intent}
    columns: &columns
      text: {type: text, clean: [nfc, spaces], required: true}
      intent: {type: category, values: intents.yaml, required: true}
    unique: {by: [text]}
  messages_apart:
    from:
      apart: {text: text, intent: category}
    columns: *columns
models:
  intent:
    task: text-classification
    table: messages
    input: [text]
    target: intent
    split: {test: {table: messages_apart}, folds: 5, seed: 1}
    estimators: [dummy, naive_bayes, linear, svm]
    budget: 8 min
    decide: {person_below: 0.5}
"""


@pytest.fixture
def bank(tmp_path: Path, postgresql: str) -> CommandLine:
    """The solution's folder, its database filled and its secret in the environment."""
    folder = tmp_path / "bank"
    for name in ("data", "queries"):
        (folder / name).mkdir(parents=True)
    (folder / "solution.yaml").write_text(SOLUTION, encoding="utf-8")
    intents = json.loads((DATA / "categories.json").read_text(encoding="utf-8"))
    (folder / "intents.yaml").write_text("".join(f"- {json.dumps(name)}\n" for name in intents), encoding="utf-8")
    (folder / "queries" / "messages.sql").write_text("select id, body, intent from message order by id\n")
    (folder / "data" / "test.csv").write_bytes((DATA / "test.csv").read_bytes())
    with (DATA / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / "data" / "train-first.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "category"])
        writer.writeheader()
        writer.writerows(rows[::2])
    with psycopg.connect(postgresql) as connection:
        connection.execute("create table message (id serial primary key, body text, intent text)")
        with connection.cursor().copy("copy message (body, intent) from stdin") as copy:
            for row in rows[1::2]:
                copy.write_row((row["text"], row["category"]))
    return CommandLine(folder, BANK_URL=postgresql, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))


def test_it_runs_and_is_right_often_enough(bank: CommandLine) -> None:
    bank("run", "--quiet", timeout=1400)
    stages = {stage["name"]: stage for stage in bank.json("status")["stages"]}
    collected = [stages[f"collect/{name}"]["facts"]["rows_collected"]["value"] for name in ("letters", "bank", "apart")]
    assert sum(collected) == 13_083
    assert stages["prepare/messages"]["facts"]["rows_read"]["value"] == sum(collected[:2])
    assert stages["train/intent"]["facts"]["macro_f1"]["value"] >= 0.88
    assert stages["package/intent"]["state"] == "cached"
    everything = b"".join(p.read_bytes() for p in (bank.folder / ".compagnon").rglob("*") if p.is_file())
    assert os.environ.get("BANK_URL") is None
    assert b"practice-only" not in everything, "the password of the database was kept somewhere"
