"""query, export, quarantine, predict: what people do with what a run made."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from command_line import CommandLine


def test_query_prints_a_table_csv_and_json(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    question = "SELECT theme, count(*) AS n FROM messages GROUP BY ALL ORDER BY theme"
    shown = compagnon("query", "run", question).stdout
    assert "compte     14" in shown
    assert "3 rows" in shown
    found = compagnon.json("query", "run", question)
    assert found == {
        "columns": ["theme", "n"],
        "rows": [{"theme": name, "n": 14} for name in ("compte", "facture", "livraison")],
        "more": False,
    }
    rows = list(csv.DictReader(io.StringIO(compagnon("query", "run", question, "--csv").stdout)))
    assert rows[0] == {"theme": "compte", "n": "14"}
    assert compagnon.json("query", "run", "FROM messages", "--limit", "2")["more"] is True
    assert len(compagnon.json("query", "run", "FROM messages", "--limit", "0")["rows"]) == 42
    assert "14" in compagnon("query", "run", "-", stdin=question).stdout


def test_query_answers_that_json_has_no_word_for(small_solution_run: Path) -> None:
    found = CommandLine(small_solution_run).json(
        "query", "run", "SELECT 1.25 AS d, 'nan'::DOUBLE AS n, DATE '2026-03-01' AS t, [1, 2] AS l, NULL AS e"
    )
    assert found["rows"] == [{"d": 1.25, "n": "nan", "t": "2026-03-01", "l": [1, 2], "e": None}]


def test_query_only_reads(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    for wrong in ("DELETE FROM messages", "DROP TABLE messages", "SELECT 1; SELECT 2", "SELECT * FROM '/etc/passwd'"):
        compagnon("query", "run", wrong, code=1)
    assert len(compagnon.json("query", "run", "FROM messages", "--limit", "0")["rows"]) == 42


def test_query_before_a_run_says_what_to_do(small_solution: Path) -> None:
    assert "compagnon run" in CommandLine(small_solution)("query", "run", "FROM messages", code=1).stderr


def test_export_writes_each_form(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    assert compagnon.json("export", "messages", "--to", "out/m.csv")["rows"] == 42
    with (small_solution_run / "out" / "m.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 42
    assert "client1@example.org" not in {row["email"] for row in rows}
    compagnon("export", "messages", "--format", "json")
    first = (small_solution_run / "messages.json").read_text(encoding="utf-8").splitlines()[0]
    assert json.loads(first)["theme"] in ("facture", "livraison", "compte")
    compagnon("export", "messages", "--to", "m.parquet")
    assert (small_solution_run / "m.parquet").read_bytes().startswith(b"PAR1")


def test_export_does_not_replace_unasked(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    (small_solution_run / "mine.csv").write_text("mine", "utf-8")
    assert "already exists" in compagnon("export", "messages", "--to", "mine.csv", code=1).stderr
    assert (small_solution_run / "mine.csv").read_text("utf-8") == "mine"
    compagnon("export", "messages", "--to", "mine.csv", "--force")
    assert "Tables: messages" in compagnon("export", "nothing", code=1).stderr
    assert "--format" in compagnon("export", "messages", "--to", "m.xyz", code=1).stderr


def test_quarantine_is_listed_shown_and_put_back(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    (document,) = compagnon.json("quarantine", "list")["tables"]
    assert document["table"] == "messages"
    assert document["count"] == 3
    rows = {row["row_id"]: row for row in document["rows"]}
    assert set(rows) == {"shop:43", "shop:44", "shop:45"}
    assert rows["shop:43"]["reasons"][0]["column"] == "text"
    shown = compagnon("quarantine", "list", "messages").stdout
    assert "shop:44" in shown
    assert "client2@example.org" not in shown
    assert "client2@example.org" in compagnon("quarantine", "show", "messages", "shop:44").stdout
    assert compagnon.json("quarantine", "list", "--reason", "duplicate")["tables"][0]["count"] == 1

    made = compagnon.json("quarantine", "correct", "messages", "shop:44", "theme", "livraison", "--because", "évident")
    assert made["corrections"][0]["row_id"] == "shop:44"
    compagnon("quarantine", "restore", "messages", "shop:45", "--because", "autre personne")
    plan = {stage["name"]: stage for stage in compagnon.json("plan")["stages"]}
    assert "corrected or put back" in plan["prepare/messages"]["reason"]
    compagnon("run", "--quiet", "--to", "prepare")
    facts = {stage["name"]: stage["facts"] for stage in compagnon.json("status")["stages"]}
    assert facts["prepare/messages"]["rows_prepared"]["value"] == 44


def test_quarantine_of_what_is_not_there(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    assert "quarantine list" in compagnon("quarantine", "show", "messages", "shop:1", code=1).stderr
    assert "Tables: messages" in compagnon("quarantine", "list", "nothing", code=1).stderr
    assert "Reasons:" in compagnon("quarantine", "list", "--reason", "nothing", code=1).stderr


def test_predict_texts(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    answer = compagnon.json("predict", "theme", "Mon colis n'est pas livré", "mot de passe oublié", "--explain")
    assert answer["model"] == "theme"
    assert answer["version"]
    labels = [prediction["label"] for prediction in answer["predictions"]]
    assert labels == ["livraison", "compte"]
    for prediction in answer["predictions"]:
        assert set(prediction) == {"label", "confidence", "decide", "because"}
        assert 0 < prediction["confidence"] <= 1
        assert prediction["decide"] in ("model", "person")
        assert {"term", "effect"} == set(prediction["because"][0])
    assert "livraison" in compagnon("predict", "theme", "Mon colis n'est pas livré", "--explain").stdout


def test_predict_rows_of_files_and_standard_input(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    (small_solution_run / "rows.jsonl").write_text(
        '{"text": "Mon colis est perdu"}\n\n{"text": "facture fausse"}\n', "utf-8"
    )
    (small_solution_run / "rows.csv").write_text("text\nMon colis est perdu\nfacture fausse\n", "utf-8")
    expected = [
        p["label"] for p in compagnon.json("predict", "theme", "Mon colis est perdu", "facture fausse")["predictions"]
    ]
    for name in ("rows.jsonl", "rows.csv"):
        found = compagnon.json("predict", "theme", "--file", name)["predictions"]
        assert [p["label"] for p in found] == expected
    piped = compagnon("predict", "theme", "--json", stdin="Mon colis est perdu\nfacture fausse\n")
    assert [p["label"] for p in json.loads(piped.stdout)["predictions"]] == expected


def test_predict_refuses_what_the_api_refuses(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    assert "row 1, text" in compagnon("predict", "theme", "", code=1).stderr
    (small_solution_run / "bad.jsonl").write_text('{"text": "bon"}\n{"texte": 3}\n', "utf-8")
    assert "row 2" in compagnon("predict", "theme", "--file", "bad.jsonl", code=1).stderr
    (small_solution_run / "worse.jsonl").write_text("[1\n", "utf-8")
    assert "worse.jsonl:1" in compagnon("predict", "theme", "--file", "worse.jsonl", code=1).stderr
    assert "cannot be read" in compagnon("predict", "theme", "--file", "none.jsonl", code=1).stderr
    assert "Models: theme" in compagnon("predict", "tema", "x", code=1).stderr


def test_predict_before_a_run(small_solution: Path) -> None:
    assert "compagnon run --to package/theme" in CommandLine(small_solution)("predict", "theme", "x", code=1).stderr
