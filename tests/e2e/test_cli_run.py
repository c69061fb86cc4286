"""check, plan, run, status: from a folder with a file to a model, and again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from command_line import CommandLine

STAGES = ["collect/shop", "prepare/messages", "store/data", "train/theme", "package/theme"]


def test_from_nothing_to_a_model_and_again(small_solution: Path) -> None:
    compagnon = CommandLine(small_solution)
    assert "No mistake" in compagnon("check").stdout
    plan = compagnon.json("plan")
    names = [stage["name"] for stage in plan["stages"]]
    assert set(names) == set(STAGES)
    assert {stage["state"] for stage in plan["stages"]} == {"missing"}

    first = compagnon("run")
    for name in STAGES:
        assert f"✓ {name}" in first.stdout
    assert "5 stages computed" in first.stdout
    assert "45 rows collected" in first.stdout
    assert "✓ macro_f1 (train/theme)" in first.stdout
    assert "✗ rows_rejected (prepare/messages): 3, wanted ≤ 0: missed" in first.stdout
    assert "compagnon serve" in first.stdout

    again = compagnon("run")
    assert "0 stages computed · 5 still valid, not computed again" in again.stdout
    assert "nothing it depends on has changed" in again.stdout
    assert "Nothing to do" in compagnon("plan").stdout


def test_status_keeps_its_shape(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    status = compagnon.json("status")
    assert status["solution"] == "small"
    by_name = {stage["name"]: stage for stage in status["stages"]}
    assert set(by_name) == set(STAGES)
    for stage in by_name.values():
        assert {"name", "state", "run", "facts"} <= set(stage)
        assert stage["state"] == "cached"
        assert all(set(fact) == {"value", "unit", "kind"} for fact in stage["facts"].values())
    assert by_name["collect/shop"]["facts"]["rows_collected"] == {"value": 45, "unit": "row", "kind": "computed"}
    assert by_name["prepare/messages"]["facts"]["rows_prepared"]["value"] == 42
    assert by_name["prepare/messages"]["facts"]["rows_rejected"]["value"] == 3
    assert 0 < by_name["train/theme"]["facts"]["macro_f1"]["value"] <= 1
    text = compagnon("status").stdout
    assert "train/theme" in text
    assert "✓ valid" in text


def test_only_what_follows_from_a_change_is_done(small_solution_run: Path) -> None:
    file = small_solution_run / "data" / "messages.csv"
    file.write_text(
        file.read_text(encoding="utf-8") + "99;Ma facture est perdue;facture;20/03/2026;c@example.org\n", "utf-8"
    )
    compagnon = CommandLine(small_solution_run)
    plan = {stage["name"]: stage for stage in compagnon.json("plan")["stages"]}
    assert plan["collect/shop"]["state"] == "stale"
    assert "the source has changed" in plan["collect/shop"]["reason"]
    assert "collect/shop" in plan["prepare/messages"]["reason"]
    done = compagnon("run", "--to", "prepare/messages")
    assert "2 stages computed" in done.stdout
    assert "train/theme" not in done.stdout.partition("\n\n")[0]
    assert compagnon.json("status")["stages"][0]["facts"]["rows_collected"]["value"] == 46


def test_refresh_does_again_what_is_named(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    assert "asked for with --refresh" in compagnon("plan", "--refresh", "package").stdout
    done = compagnon("run", "--refresh", "package/theme", "--to", "package/theme")
    assert "1 stage computed" in done.stdout
    everything = compagnon("run", "--refresh", "--to", "prepare")
    assert "2 stages computed · 0 still valid" in everything.stdout


def test_json_lines_of_a_run(small_solution_run: Path) -> None:
    compagnon = CommandLine(small_solution_run)
    lines = [json.loads(line) for line in compagnon("run", "--refresh", "package", "--json").stdout.splitlines()]
    assert {"kind", "stage", "message", "done", "total", "run", "position", "count"} <= set(lines[0])
    assert [line["kind"] for line in lines if line.get("stage") == "package/theme"][-1] == "done"
    summary = lines[-1]
    assert summary["kind"] == "summary"
    assert summary["computed"] == ["package/theme"]
    assert len(summary["valid"]) == 4
    assert {i["fact"]: i["verdict"] for i in summary["indicators"]} == {"macro_f1": "met", "rows_rejected": "missed"}


def test_a_stage_that_fails_is_said_with_what_to_do(small_solution_run: Path) -> None:
    (small_solution_run / "data" / "messages.csv").unlink()
    compagnon = CommandLine(small_solution_run)
    done = compagnon("run", code=1)
    assert "✗ collect/shop" in done.stdout
    assert "No file matches" in done.stderr
    assert "→" in done.stderr
    assert "not done: waits for collect/shop" in done.stdout
    assert "failed" in compagnon("log", "--limit", "1").stdout


def test_unknown_stage(small_solution: Path) -> None:
    compagnon = CommandLine(small_solution)
    for arguments in (["run", "--to", "train/tema"], ["plan", "--to", "nothing"], ["run", "--refresh", "trein"]):
        done = compagnon(*arguments, code=1)
        assert "There is no stage" in done.stderr
        assert "train/theme" in done.stderr


def test_ctrl_c_stops_cleanly_and_the_next_run_goes_on(small_solution: Path) -> None:
    compagnon = CommandLine(small_solution)
    process = subprocess.Popen(
        [sys.executable, "-m", "compagnon", "run"],
        cwd=small_solution,
        env=compagnon.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "▶ prepare/messages" in line:
            process.send_signal(signal.SIGINT)
            break
    _rest, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert "kept" in errors + _rest
    assert not list((small_solution / ".compagnon" / "scratch").glob("*"))
    done = compagnon("run", "--to", "prepare")
    assert "✓ collect/shop  valid" in done.stdout


def test_two_runs_at_once(small_solution: Path) -> None:
    from compagnon.chain import lock
    from compagnon.chain.clock import SystemClock
    from compagnon.chain.workspace import Workspace

    with lock.hold(Workspace(small_solution), SystemClock(), "run"):
        done = CommandLine(small_solution)("run", code=1)
    assert "Another command is working on this solution" in done.stderr
    assert str(os.getpid()) in done.stderr


def test_a_folder_without_write_permission(small_solution: Path) -> None:
    command = [sys.executable, "-m", "compagnon", "run"]
    if os.geteuid() == 0:
        # Root may write anywhere unless it gives that up.
        if shutil.which("setpriv") is None:
            pytest.skip("root may write anywhere, and setpriv is not there to give that up")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", *command]
    small_solution.chmod(0o555)
    try:
        environ = CommandLine(small_solution).environ
        done = subprocess.run(
            command, cwd=small_solution, env=environ, capture_output=True, encoding="utf-8", check=False
        )
    finally:
        small_solution.chmod(0o755)
    assert done.returncode == 1, done.stderr
    assert "cannot be written" in done.stderr
    assert "→" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (small_solution / ".compagnon").exists()


def test_stopping_by_sigterm_is_like_ctrl_c(small_solution: Path) -> None:
    compagnon = CommandLine(small_solution)
    process = subprocess.Popen(
        [sys.executable, "-m", "compagnon", "worker"],
        cwd=small_solution,
        env=compagnon.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    deadline = time.monotonic() + 60
    while not (small_solution / ".compagnon" / "compagnon.sqlite").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)
    process.terminate()
    _out, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Stopped." in errors
