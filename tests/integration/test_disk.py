"""Two runs at once, a full disk, a read-only folder: a clear message, and what was there before stays as it was."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compagnon import Solution
from compagnon.chain import lock
from compagnon.chain.clock import SystemClock
from compagnon.chain.workspace import Workspace
from compagnon.errors import UserError


def compagnon(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "compagnon", *arguments, "-C", str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB of its own, where the platform and our rights let one be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(options, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_full_disk_is_said_and_loses_nothing(small_template: Path, small_disk: Path) -> None:
    folder = small_disk / "small"
    shutil.copytree(small_template, folder)
    ballast = small_disk / "ballast"
    done = compagnon(folder, "run", "--to", "collect")
    assert done.returncode == 0, done.stderr
    with Solution(folder).engine.connect():
        before = [(run.id, run.outputs) for run in Solution(folder).ledger.runs()]
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    failed = compagnon(folder, "run")
    assert failed.returncode == 1, failed.stderr
    assert "Traceback" not in failed.stderr + failed.stdout
    assert "space" in failed.stderr.lower()
    ballast.unlink()
    kept = [(run.id, run.outputs) for run in Solution(folder).ledger.runs()]
    assert [run for run in kept if run in before] == before


def test_a_read_only_folder_is_said(small_template: Path, small_disk: Path) -> None:
    folder = small_disk / "small"
    shutil.copytree(small_template, folder)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    try:
        failed = compagnon(folder, "run")
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert failed.returncode == 1, failed.stderr
    assert "Traceback" not in failed.stderr + failed.stdout
    assert "cannot be written" in failed.stderr
    assert not (folder / ".compagnon").exists()


def test_a_second_run_is_refused_and_says_who_is_at_work(small_template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    shutil.copytree(small_template, folder)
    with lock.hold(Workspace(folder), SystemClock(), "run"):
        refused = compagnon(folder, "run")
    assert refused.returncode == 1
    assert f"process {os.getpid()}" in refused.stderr
    assert compagnon(folder, "run", "--to", "collect").returncode == 0


def test_a_killed_holder_does_not_hold(small_template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    shutil.copytree(small_template, folder)
    code = (
        "import sys, time; from pathlib import Path; from compagnon.chain import lock; "
        "from compagnon.chain.clock import SystemClock; from compagnon.chain.workspace import Workspace\n"
        "with lock.hold(Workspace(Path(sys.argv[1])), SystemClock(), 'run'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "held"
    assert lock.is_held(Workspace(folder))
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    deadline = time.monotonic() + 10
    while lock.is_held(Workspace(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    with lock.hold(Workspace(folder), SystemClock(), "run"):
        assert lock.holder(Workspace(folder))["pid"] == os.getpid()


def test_a_second_hold_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    again = lock.hold(workspace, SystemClock(), "run")
    with lock.hold(workspace, SystemClock(), "run"), pytest.raises(UserError) as caught, again:
        pass
    assert caught.value.code == "run.locked"
