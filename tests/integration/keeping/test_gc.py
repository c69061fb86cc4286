"""``compagnon gc``: what goes, what stays, and kill -9 in the middle."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine
from compagnon import Solution
from compagnon.chain import lock
from compagnon.chain.clock import SystemClock
from compagnon.chain.workspace import ZONES


def files(folder: Path) -> set[str]:
    """Manifests and segments that are there."""
    home = folder / ".compagnon"
    kept = (path for zone in ZONES for part in ("manifests", "segments") for path in (home / zone / part).rglob("*"))
    return {path.relative_to(home).as_posix() for path in kept if path.is_file()}


def states(folder: Path) -> dict[str, str]:
    solution = Solution(folder)
    try:
        return {step.instance.id: step.state for step in solution.status()}
    finally:
        solution.close()


def run_again(folder: Path, mark: int) -> None:
    """A change of the source, and a run that follows it as far as the published tables."""
    data = folder / "data" / "messages.csv"
    lines = data.read_text(encoding="utf-8").splitlines()
    _number, text, *rest = lines[1].split(";")
    row = ";".join([f"N{mark}", f"{text} {mark}", *rest])
    data.write_text("\n".join([*lines, row]) + "\n", encoding="utf-8")
    solution = Solution(folder)
    try:
        solution.run(to="store")
    finally:
        solution.close()


@pytest.fixture(scope="module")
def _worn(_small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(_small_run, tmp_path_factory.mktemp("worn") / "small"))
    for mark in (1, 2):
        run_again(folder, mark)
    CommandLine(folder)("run", "--quiet")
    return folder


@pytest.fixture
def worn(_worn: Path, tmp_path: Path) -> Path:
    """A solution whose sources changed twice since its first run; each test has its own copy."""
    return Path(shutil.copytree(_worn, tmp_path / "worn"))


def test_a_young_solution_has_nothing_to_remove(small_solution_run: Path) -> None:
    before = files(small_solution_run)
    found = CommandLine(small_solution_run).json("gc")
    assert (found["files"], found["bytes"], found["in_use"]) == (0, 0, [])
    assert files(small_solution_run) == before


def test_old_runs_lose_their_files_and_stay_in_the_ledger(worn: Path) -> None:
    compagnon = CommandLine(worn)
    before, runs = files(worn), compagnon.json("log")
    dry = compagnon.json("gc", "--keep", "1", "--dry-run")
    assert dry["dry_run"]
    assert files(worn) == before
    done = compagnon.json("gc", "--keep", "1")
    assert {**done, "dry_run": True} == dry
    gone = before - files(worn)
    assert len(gone) == done["files"] > 0
    assert done["zones"]["clean"]["files"] == sum(name.startswith("clean/") for name in gone)
    assert compagnon.json("log") == runs
    assert set(states(worn).values()) == {"cached"}
    assert compagnon.json("gc", "--keep", "1")["files"] == 0

    solution = Solution(worn)
    old = solution.ledger.runs("store/data")[-1]
    solution.close()
    assert [output["kept"] for output in compagnon.json("show", old.id)["outputs"]] == [False]
    assert "(files no longer kept)" in compagnon("show", old.id).stdout
    assert "(files no longer kept)" not in compagnon("show", "store/data").stdout
    assert "rows" in compagnon("query", "run", "SELECT count(*) AS rows FROM messages").stdout
    assert "0 stages computed" in compagnon("run").stdout


def test_the_last_three_runs_are_kept_by_default(worn: Path) -> None:
    before = files(worn)
    assert CommandLine(worn).json("gc")["files"] == 0
    run_again(worn, 3)
    found = CommandLine(worn)("gc").stdout
    assert "removed" in found
    assert before - files(worn)


def test_what_people_and_programs_refer_to_stays(worn: Path) -> None:
    """A package that answered, and the quarantine of a corrected row, outlive the runs that made them."""
    solution = Solution(worn)
    first = solution.ledger.runs("prepare/messages")[-1]
    package = solution.ledger.runs("package/theme")[-1].output("package/theme")
    assert package is not None
    assert package.digest != solution.ledger.last("package/theme").output("package/theme").digest  # type: ignore
    from compagnon.database.ledger import writing
    from compagnon.database.tables import feedback

    values: dict[str, Any] = {"author": "a", "model": "theme", "model_version": package.digest[:12], "kind": "wrong"}
    with writing(solution.engine) as connection:
        connection.execute(feedback.insert().values(at=first.ended, **values))
    solution.ledger.add_correction(first.ended, "a", "messages", "shop:1", "restore")
    quarantine = first.output("quarantine/messages")
    assert quarantine is not None
    solution.close()
    CommandLine(worn)("gc", "--keep", "1")
    solution = Solution(worn)
    assert solution.artifacts.get("clean", package.digest)
    assert solution.artifacts.get("quarantine", quarantine.digest)
    solution.close()


def test_what_a_killed_run_left_goes(small_solution_run: Path) -> None:
    home = small_solution_run / ".compagnon"
    orphan = home / "raw" / "segments" / "00" / ("0" * 64 + ".parquet")
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"rows")
    (home / "raw" / "journal" / "collect-shop.jsonl").write_text("{}\n")
    (home / "scratch" / "abc").mkdir()
    (home / "scratch" / "abc" / "half").write_bytes(b"12")
    foreign = home / "clean" / "segments" / "notes.txt"
    foreign.write_text("not ours")
    outside = small_solution_run / "data"
    (home / "scratch" / "link").symlink_to(outside)
    found = CommandLine(small_solution_run).json("gc")
    assert found["zones"]["raw"] == {"files": 2, "bytes": 7}
    assert found["zones"]["scratch"]["files"] == 2
    assert not orphan.exists()
    assert list((home / "scratch").iterdir()) == []
    assert foreign.exists()
    assert (outside / "messages.csv").exists()


def test_a_run_at_work_is_left_alone(small_solution_run: Path) -> None:
    solution = Solution(small_solution_run)
    with lock.hold(solution.workspace, SystemClock(), "run"):
        refused = CommandLine(small_solution_run)("gc", code=1)
    assert "Another command is working" in refused.stderr


def test_a_damaged_description_stops_it_before_anything_is_removed(worn: Path) -> None:
    solution = Solution(worn)
    output = solution.ledger.last("store/data").outputs[0]  # type: ignore[union-attr]
    solution.close()
    (worn / ".compagnon" / "clean" / "manifests" / f"{output.digest}.json").write_text("{", encoding="utf-8")
    before = files(worn)
    refused = CommandLine(worn).json
    with pytest.raises(ValueError, match="Expecting"):
        refused("gc", "--keep", "1", code=1)
    assert files(worn) == before


def test_killed_at_each_boundary(worn: Path, tmp_path: Path) -> None:
    """What is left is a valid solution, and the next time ends the work."""
    log = tmp_path / "boundaries"
    trial = tmp_path / "trial"
    shutil.copytree(worn, trial)
    CommandLine(trial, COMPAGNON_FAULT_LOG=str(log))("gc", "--keep", "1")
    end = files(trial)
    crossed = log.read_text().splitlines()
    names = {name.partition(":")[0] for name in crossed}
    assert {"gc-manifest", "gc-segment"} <= names
    last = {name: max(int(c.partition(":")[2]) for c in crossed if c.startswith(name + ":")) for name in names}
    faults = [f"{name}:{place}" for name in sorted(names) for place in {1, (last[name] + 1) // 2, last[name]}]
    for fault in faults:
        shutil.rmtree(trial)
        shutil.copytree(worn, trial)
        assert CommandLine(trial, COMPAGNON_FAULT=fault)("gc", "--keep", "1", code=None).returncode == -9, fault
        assert set(states(trial).values()) == {"cached"}, fault
        CommandLine(trial)("gc", "--keep", "1")
        assert files(trial) == end, fault


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_says_so(worn: Path) -> None:
    folder = worn / ".compagnon" / "clean" / "manifests"
    folder.chmod(0o500)
    try:
        assert "cannot be written" in CommandLine(worn)("gc", "--keep", "1", code=1).stderr
    finally:
        folder.chmod(0o700)
