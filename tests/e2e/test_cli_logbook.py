"""log, note, show, key, schema, doctor, worker, serve."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from command_line import CommandLine
from compagnon.solution import Solution


def test_notes_stand_in_the_logbook(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    assert "Noted" in compagnon("note", "Seuil gardé à 0,4", "--about", "train/theme").stdout
    run = compagnon.json("status")["stages"][0]["run"]
    assert compagnon.json("note", "vérifié", "--about", run[:8])["about"] == run
    shown = compagnon("log").stdout
    assert "Seuil gardé à 0,4" in shown
    assert "train/theme" in shown
    entries = compagnon.json("log", "--limit", "3")["entries"]
    assert len(entries) == 3
    assert entries[0]["kind"] == "note"
    assert entries[0]["text"] == "vérifié"
    only = compagnon.json("log", "--stage", "train/theme")["entries"]
    assert {entry.get("stage", entry.get("about")) for entry in only} == {"train/theme"}
    assert "empty" in compagnon("note", "  ", code=1).stderr
    assert "Stages:" in compagnon("note", "x", "--about", "train/tema", code=1).stderr


def test_the_logbook_is_empty_at_first(small_solution: Path) -> None:
    compagnon = CommandLine(small_solution)
    assert compagnon.json("log")["entries"] == []
    assert "compagnon run" in compagnon("log").stdout


def test_show_a_run_a_stage_an_artifact(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    run = compagnon.json("show", "train/theme")
    assert {"id", "stage", "status", "facts", "inputs", "outputs", "environment", "reason"} <= set(run)
    assert compagnon.json("show", run["id"][:8])["id"] == run["id"]
    text = compagnon("show", "train/theme").stdout
    assert run["id"] in text
    assert "macro-F1 on the test part" in text
    digest = run["outputs"][0]["digest"]
    artifact = compagnon.json("show", digest[:12])
    assert artifact["digest"] == digest
    assert artifact["segments"]
    assert digest in compagnon("show", digest[:12]).stdout
    assert "compagnon log" in compagnon("show", "nothing", code=1).stderr


def test_keys_are_made_listed_and_revoked(small_solution: Path) -> None:
    compagnon = CommandLine(small_solution)
    made = compagnon.json("key", "create", "--scope", "predict", "--label", "site", "--expires", "90d")
    assert set(made) == {"id", "key"}
    (listed,) = compagnon.json("key", "list")["keys"]
    assert listed["id"] == made["id"]
    assert listed["label"] == "site"
    assert listed["expires"] is not None
    assert made["key"] not in json.dumps(listed)
    alone = compagnon("key", "create", "--scope", "predict")
    assert len(alone.stdout.split()) == 1, "standard output holds the key and nothing else"
    assert "good" in compagnon("key", "list").stdout
    compagnon("key", "revoke", made["id"])
    assert compagnon.json("key", "list")["keys"][0]["revoked"] is not None
    assert "key list" in compagnon("key", "revoke", "000000000000", code=1).stderr
    assert "Scopes: predict" in compagnon("key", "create", "--scope", "all", code=1).stderr
    assert "90d" in compagnon("key", "create", "--scope", "predict", "--expires", "soon", code=1).stderr


def test_schema_for_editors(small_solution: Path) -> None:
    compagnon = CommandLine(small_solution)
    schema = json.loads(compagnon("schema").stdout)
    assert schema["title"] == "solution.yaml"
    assert {"sources", "tables", "models"} <= set(schema["properties"])
    before = (small_solution / "solution.yaml").read_text("utf-8")
    for _twice in range(2):
        compagnon("schema", "--write")
        text = (small_solution / "solution.yaml").read_text("utf-8")
        assert text == "# yaml-language-server: $schema=.compagnon/solution.schema.json\n" + before
    assert json.loads((small_solution / ".compagnon" / "solution.schema.json").read_text("utf-8")) == schema
    compagnon("check")


def test_doctor_says_what_works_here(tmp_path: Path) -> None:
    compagnon = CommandLine(tmp_path)
    found = compagnon.json("doctor")
    assert found["ready"] is True
    by_name = {ability["name"]: ability for ability in found["abilities"]}
    assert by_name["python"]["detail"] == sys.version.split()[0]
    assert {"libraries", "java", "postgresql", "browser", "disk", "write access", "locale"} <= set(by_name)
    for ability in found["abilities"]:
        assert ability["found"] or ability["how"]
    assert "This machine is ready." in compagnon("doctor").stdout


def test_worker_does_a_waiting_run(small_solution: Path) -> None:
    compagnon = CommandLine(small_solution)
    assert "No job is waiting." in compagnon("worker", "--once").stdout
    solution = Solution(small_solution)
    solution.jobs.add("run", {"to": "collect", "refresh": []}, "somebody", solution.clock.now())
    done = compagnon("worker", "--once").stdout
    assert "collect/shop done" in done
    (job,) = solution.jobs.latest()
    assert job.state == "done"
    solution.close()


def test_serve_answers_until_it_is_stopped(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    key = compagnon.json("key", "create", "--scope", "predict")["key"]
    process = subprocess.Popen(
        [sys.executable, "-m", "compagnon", "serve", "--port", "0"],
        cwd=small_solution_run,
        env=compagnon.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        request = urllib.request.Request(
            f"{address}/api/models/theme/predict",
            data=json.dumps({"rows": [{"text": "Mon colis n'est pas livré"}]}).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            document = json.load(answer)
        assert document["predictions"][0]["label"] == "livraison"
        # The command line answers the same, from the same package.
        alone = compagnon.json("predict", "theme", "Mon colis n'est pas livré")
        assert alone["version"] == document["version"]
        assert alone["predictions"][0]["label"] == document["predictions"][0]["label"]
        port = address.rpartition(":")[2]
        assert "in use" in compagnon("serve", "--port", port, code=1).stderr
    finally:
        process.terminate()
        output, _errors = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "Traceback" not in output
