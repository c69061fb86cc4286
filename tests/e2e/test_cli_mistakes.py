"""What the command line says to mistakes: exit codes, languages, JSON, crashes, pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import CommandLine


@pytest.mark.parametrize("command", ["check", "plan", "run", "status", "log", "worker", "serve", "schema --write"])
def test_no_solution_here(command: str, tmp_path: Path) -> None:
    done = CommandLine(tmp_path)(*command.split(), code=1)
    assert "There is no solution.yaml" in done.stderr
    assert "compagnon new" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_solution_is_found_from_a_folder_below(small_solution: Path) -> None:
    assert "No mistake in small" in CommandLine(small_solution / "data")("check").stdout
    assert "No mistake in small" in CommandLine(small_solution.parent)("-C", "small", "check").stdout
    assert "No mistake in small" in CommandLine(small_solution.parent)("check", "-C", "small").stdout


def test_every_mistake_at_once(small_solution: Path) -> None:
    file = small_solution / "solution.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("target: theme", "target: tema").replace("metric:", "").replace("input:", "inputs:"), "utf-8"
    )
    compagnon = CommandLine(small_solution)
    found = compagnon.json("check", code=1)
    assert found["valid"] is False
    assert found["count"] == len(found["problems"]) >= 2
    for problem in found["problems"]:
        assert {"code", "what", "where", "next", "path"} == set(problem)
        assert problem["where"]["line"]
    said = compagnon("check", code=1)
    assert "solution.yaml:" in said.stdout
    assert "mistakes in small" in said.stdout
    # Other commands say the same on standard error, as text or JSON.
    assert "solution.yaml:" in compagnon("run", code=1).stderr
    assert json.loads(compagnon("status", "--json", code=1).stderr)["problems"]


def test_broken_yaml(small_solution: Path) -> None:
    (small_solution / "solution.yaml").write_text("version: 1\nname: [small\n", "utf-8")
    assert "solution.yaml:" in CommandLine(small_solution)("check", code=1).stdout


@pytest.mark.parametrize(
    "arguments",
    [["runn"], ["run", "--nope"], ["log", "--limit", "0"], ["note"], ["predict"], ["key", "create"], ["--lang", "de"]],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], small_solution: Path) -> None:
    done = CommandLine(small_solution)(*arguments, code=2)
    assert "Usage:" in done.stderr


def test_a_near_name_is_proposed(tmp_path: Path) -> None:
    assert "Did you mean 'run'?" in CommandLine(tmp_path)("runn", code=2).stderr


def test_a_bug_leaves_a_log_without_data_and_exit_code_70(small_solution: Path) -> None:
    (small_solution / ".compagnon").mkdir()
    code = (
        "import sys\n"
        "import compagnon.solution as s\n"
        "def broken(self, *a, **k):\n"
        "    secret = 'jeanne@example.org'\n"
        "    raise ZeroDivisionError('value of jeanne@example.org')\n"
        "s.Solution.status = broken\n"
        "from compagnon.cli import main\n"
        "sys.exit(main(['status']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=small_solution, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    assert "ZeroDivisionError" in done.stderr
    (log,) = (small_solution / ".compagnon").glob("crash-*.log")
    written = log.read_text(encoding="utf-8")
    assert "ZeroDivisionError" in written
    assert "broken" in written
    assert "jeanne" not in written
    assert log.stat().st_mode & 0o077 == 0


def test_a_reader_that_goes_away_is_no_error(small_solution: Path) -> None:
    compagnon = CommandLine(small_solution)
    process = subprocess.Popen(
        [sys.executable, "-m", "compagnon", "schema"],
        cwd=small_solution,
        env=compagnon.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def test_french_and_english(small_solution: Path) -> None:
    french = CommandLine(small_solution, LANG="fr_FR.UTF-8")
    english = CommandLine(small_solution, LANG="C")
    assert "Lignes" not in english("--help").stdout
    assert french("--help", "--lang", "en").stdout == english("--help").stdout
    assert CommandLine(small_solution, COMPAGNON_LANG="fr")("--help").stdout == french("--help").stdout


def test_french_has_its_words_everywhere(small_solution: Path) -> None:
    french = CommandLine(small_solution, LANG="fr_FR.UTF-8")
    if french("--help").stdout == CommandLine(small_solution)("--help").stdout:
        pytest.skip("the French catalog is not filled yet")
    shown = french("run", "--help").stdout
    for word in ("Show this message", "Examples", "do what is to be done"):
        assert word not in shown
    assert "No such command" not in french("runn", code=2).stderr


def test_utf8_whatever_the_locale(small_solution_run: Path) -> None:
    done = CommandLine(small_solution_run, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")("status")
    assert "✓" in done.stdout


def test_color_only_on_a_terminal(small_solution_run: Path) -> None:
    import pty

    def shown(**environ: str) -> str:
        main, other = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "compagnon", "status"],
            cwd=small_solution_run,
            env=CommandLine(small_solution_run, **environ).environ,
            stdout=other,
            stderr=other,
        )
        os.close(other)
        output = b""
        while True:
            try:
                chunk = os.read(main, 4096)
            except OSError:
                break
            if not chunk:
                break
            output += chunk
        os.close(main)
        assert process.wait(timeout=60) == 0
        return output.decode()

    assert "\x1b[" in shown()
    assert "\x1b[" not in shown(NO_COLOR="1")
    assert "\x1b[" not in CommandLine(small_solution_run)("status").stdout
