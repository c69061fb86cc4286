"""new: from a template and from data, also the real ones beside the repository."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import SHARED, SMALL, CommandLine

MESSAGES = SMALL / "data" / "messages.csv"


def test_from_the_flagship_template(tmp_path: Path) -> None:
    compagnon = CommandLine(tmp_path)
    assert "tutor" in compagnon("new", "--list").stdout.split()
    done = compagnon("new", "work/tutor", "--from", "tutor")
    assert "compagnon -C work/tutor run" in done.stdout
    made = tmp_path / "work" / "tutor"
    assert ".compagnon/" in (made / ".gitignore").read_text(encoding="utf-8")
    assert not list(made.rglob("*.py"))
    assert "No mistake" in compagnon("-C", "work/tutor", "check").stdout
    assert compagnon.json("-C", "work/tutor", "plan")["solution"] == "tutor"


def test_from_data_to_a_prediction(tmp_path: Path) -> None:
    compagnon = CommandLine(tmp_path)
    made = compagnon.json("new", "shop", "--from-data", str(MESSAGES))
    assert made["folder"] == "shop"
    assert any("Theme" in line or "theme" in line for line in made["guesses"])
    here = CommandLine(tmp_path / "shop")
    here("check")
    here("run", "--quiet")
    facts = {stage["name"]: stage["facts"] for stage in here.json("status")["stages"]}
    assert facts["train/theme"]["macro_f1"]["value"] > 0
    assert here.json("predict", "theme", "Mon colis est perdu")["predictions"]


def test_in_place_leaves_the_data_where_they_are(tmp_path: Path) -> None:
    CommandLine(tmp_path)("new", "shop", "--from-data", str(MESSAGES), "--in-place")
    assert not (tmp_path / "shop" / "data").exists()
    assert str(MESSAGES) in (tmp_path / "shop" / "solution.yaml").read_text(encoding="utf-8")


def test_mistakes_leave_nothing_behind(tmp_path: Path) -> None:
    compagnon = CommandLine(tmp_path)
    assert "Templates: " in compagnon("new", "a", "--from", "tutr", code=1).stderr
    assert "There is no file" in compagnon("new", "a", "--from-data", "none.csv", code=1).stderr
    assert "--table" in compagnon("new", "a", "--from-data", "sqlite:///x.db", code=1).stderr
    compagnon("new", "a", "--from-data", "sqlite:///x.db", "--table", "t", code=1)
    assert "exclude" in compagnon("new", "a", "--from", "tutor", "--from-data", str(MESSAGES), code=2).stderr
    assert not list(tmp_path.iterdir())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    assert "not empty" in compagnon("new", "full", "--from", "tutor", code=1).stderr
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine"]


def test_python_m_compagnon_makes_runs_and_ends(tmp_path: Path) -> None:
    """The folder is already there, so that the flagship is not run here: the same path, on a few rows."""
    import shutil

    shutil.copytree(SMALL, tmp_path / "work" / "tutor")
    compagnon = CommandLine(tmp_path, COMPAGNON_SERVE="0")
    first = compagnon()
    assert "5 stages computed" in first.stdout
    assert "5 still valid, not computed again" in compagnon().stdout


def test_python_m_compagnon_serves(small_solution_run: Path) -> None:
    compagnon = CommandLine(
        small_solution_run.parent, COMPAGNON_DIR=str(small_solution_run), COMPAGNON_PORT="0", PYTHONUNBUFFERED="1"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "compagnon"],
        cwd=small_solution_run.parent,
        env=compagnon.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert process.stdout is not None
    try:
        assert any(re.match(r"http://127\.0\.0\.1:\d+", line) for line in process.stdout)
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.full
def test_banking77_from_data_runs(tmp_path: Path) -> None:
    data = SHARED / "data" / "banking77" / "banking_data"
    if not data.is_dir():
        pytest.skip("the banking77 data are not beside the repository (../shared)")
    compagnon = CommandLine(tmp_path)
    compagnon("new", "bank", "--from-data", str(data / "train.csv"), str(data / "test.csv"))
    here = CommandLine(tmp_path / "bank", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    _run(tmp_path / "bank", here)
    facts = {stage["name"]: stage["facts"] for stage in here.json("status")["stages"]}
    assert facts["train/category"]["classes"]["value"] == 77
    assert facts["train/category"]["macro_f1"]["value"] >= 0.85


@pytest.mark.full
def test_adult_from_data_runs_and_explains_its_index(tmp_path: Path) -> None:
    file = SHARED / "data" / "adult" / "data" / "adult.csv"
    if not file.is_file():
        pytest.skip("the adult data are not beside the repository (../shared)")
    CommandLine(tmp_path)("new", "adult", "--from-data", str(file))
    text = (tmp_path / "adult" / "solution.yaml").read_text(encoding="utf-8")
    assert "_index" in text
    assert "row numbers" in text or "numéros de ligne" in text
    here = CommandLine(tmp_path / "adult", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    _run(tmp_path / "adult", here)
    facts = {stage["name"]: stage["facts"] for stage in here.json("status")["stages"]}
    assert facts["collect/adult"]["rows_collected"]["value"] == 32_561
    assert facts["prepare/adult"]["rows_rejected"]["value"] == 0
    assert facts["train/income_per_year"]["macro_f1"]["value"] >= 0.78


def _run(folder: Path, compagnon: CommandLine) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "compagnon", "run", "--json"],
        cwd=folder,
        env=compagnon.environ,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["failed"] == []
