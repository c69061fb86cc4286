"""The flagship from the five kinds of sources, as ``make run`` and ``compagnon sandbox --tutor`` do it."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine

NO_JAVA = {"JAVA_HOME": "/nowhere"}
"""DuckDB then reads the lake: Spark takes half a minute to start."""


@contextlib.contextmanager
def served(at: CommandLine) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "compagnon", "sandbox", "--tutor", "tutor", "--port", "0", "--json"]
    with subprocess.Popen(command, cwd=at.folder, env=at.environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def computed(at: CommandLine, *arguments: str) -> set[str]:
    """The stages that a run computes."""
    lines = at("-C", "tutor", "run", "--to", "prepare", "--json", *arguments).stdout.splitlines()
    events = [json.loads(line) for line in lines]
    return {event["stage"] for event in events if event.get("event", event.get("kind")) == "done"}


def test_a_tutor_that_collects_from_the_sandbox_and_outlives_it(tmp_path: Path) -> None:
    at = CommandLine(tmp_path, **NO_JAVA)
    with served(at) as first:
        assert {"collect/forum_api", "collect/forum_site", "collect/forum_archive", "prepare/questions"} <= computed(at)
        assert computed(at) == set()
    with served(at) as second:
        assert second["address"] == first["address"]
        assert second["environ"] != first["environ"]
        assert computed(at) == set()
        assert "prepare/questions" not in computed(at, "--refresh", "collect")
    # The sandbox is gone: what was collected last is used, and it is recorded.
    computed(at, "--refresh", "collect")
    stages = {stage["name"]: stage for stage in at.json("-C", "tutor", "status")["stages"]}
    for name in ("forum_api", "forum_site"):
        assert stages[f"collect/{name}"]["facts"]["instead_used"]["value"] == "last"
    assert stages["prepare/questions"]["facts"]["rows_prepared"]["value"] == 1722


def test_options_of_the_other_sandbox_are_refused_with_the_tutor_s(tmp_path: Path) -> None:
    done = CommandLine(tmp_path)("sandbox", "--tutor", "tutor", "--split", code=2)
    assert "--tutor" in done.stderr
    assert not (tmp_path / "tutor").exists()


@pytest.mark.full
def test_the_sources_are_told_where_they_cannot_start_and_the_run_goes_on(tmp_path: Path) -> None:
    at = CommandLine(tmp_path, **NO_JAVA)
    with served(at):
        computed(at)
        # A sandbox is up at its address already; the chain stops at a model that does not exist.
        text = (tmp_path / "tutor" / "solution.yaml").read_text(encoding="utf-8")
        kept, _models = text.split("# --- Les modèles", 1)
        need, rest = kept.split("  indicators:", 1)
        kept = need + rest[rest.index("\n# --- Les sources") :]
        (tmp_path / "tutor" / "solution.yaml").write_text(kept, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "compagnon"],
            cwd=tmp_path,
            env={**at.environ, "COMPAGNON_DIR": "tutor", "COMPAGNON_SERVE": "0", "COMPAGNON_LANG": "en"},
            capture_output=True,
            encoding="utf-8",
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "do not start" in done.stderr
    assert "2,062 rows published" in done.stdout


@pytest.mark.full
@pytest.mark.timeout(900)
def test_what_make_run_does_twice(tmp_path: Path) -> None:
    """Figures near those of the README, from five kinds of sources; Spark reads the lake where it can run."""
    at = CommandLine(tmp_path, COMPAGNON_DIR="tutor", COMPAGNON_SERVE="0", OMP_NUM_THREADS="1")
    at(timeout=840)
    again = at(timeout=240).stdout
    assert "0 stages computed" in again
    stages = {stage["name"]: stage["facts"] for stage in at.json("-C", "tutor", "status")["stages"]}
    assert stages["prepare/questions"]["rows_prepared"]["value"] == 1722
    # 0.974 where the time budget lets every family be tried; a loaded machine refuses slow ones.
    assert stages["train/topic"]["macro_f1"]["value"] >= 0.95
    assert stages["train/level"]["macro_f1"]["value"] >= 0.88
