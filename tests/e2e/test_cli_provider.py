"""``compagnon provider``: declared, tried and accounted for, with a key that nothing shows."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from command_line import CommandLine
from compagnon.cli import main
from compagnon.sandbox.mistral import Emulator

CANARY = "sk-canary-5d0e2f8a91"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(script="echo", key=CANARY) as running:
        yield running


class Here:
    """``compagnon`` typed in ``folder``, in this process: a process of its own takes seconds for each command."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.folder, self.capture, self.patch = folder, capture, patch

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> SimpleNamespace:
        self.patch.setattr(sys, "stdin", io.StringIO(stdin))
        found = main(["-C", str(self.folder), *arguments])
        out, err = self.capture.readouterr()
        assert found == code, out + err
        return SimpleNamespace(stdout=out, stderr=err)

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json").stdout)


@pytest.fixture
def compagnon(small_solution: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    monkeypatch.setenv("COMPAGNON_LANG", "en")
    return Here(small_solution, capsys, monkeypatch)


def add(compagnon: Here, emulator: Emulator, *more: str, key: str = CANARY, code: int = 0) -> str:
    arguments = ("provider", "add", "school", "--kind", "mistral", "--url", emulator.url, "--key-stdin", *more)
    done = compagnon(*arguments, stdin=key + "\n", code=code)
    return done.stdout + done.stderr


def test_declared_tried_and_accounted_for(compagnon: Here, emulator: Emulator) -> None:
    file = compagnon.folder / "solution.yaml"
    before = file.read_text(encoding="utf-8")
    said = add(compagnon, emulator)
    assert "declared in solution.yaml" in said
    after = file.read_text(encoding="utf-8")
    assert after.startswith(before.rstrip())
    assert "providers:\n  school: {kind: mistral" in after
    secrets = compagnon.folder / ".compagnon" / "secrets"
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert compagnon.json("check")["valid"]

    tried = compagnon.json("provider", "test", "school")
    assert tried["receipt"]["model"] == "mistral-small-2603"
    assert tried["receipt"]["tokens"]["completion"] > 0
    assert "mistral-small-2603" in tried["models"]
    said += compagnon("provider", "test", "school").stdout

    listed = {provider["name"]: provider for provider in compagnon.json("provider", "list")["providers"]}
    assert listed["school"]["key"] == "kept"
    assert listed["school"]["price"] == {"prompt": 0.15, "answer": 0.6}
    assert listed["mistral"]["declared"] is False
    said += compagnon("provider", "list").stdout

    used = compagnon.json("provider", "usage")
    assert [line["answers"] for line in used["lines"]] == [2]
    assert used["lines"][0]["cost"] > 0
    said += compagnon("provider", "usage", "--by", "model").stdout
    assert "mistral-small-2603" in said

    # The key: at the service, in the secrets file, and nowhere else.
    own = CommandLine(compagnon.folder)  # a process of its own, as people have it
    said += own("run", "--to", "collect/shop").stdout + own("provider", "test", "school").stdout + str((listed, used))
    assert CANARY not in said
    holding = [path for path in compagnon.folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert holding == [secrets]


def test_a_wrong_key_is_named_and_not_shown(compagnon: Here, emulator: Emulator) -> None:
    add(compagnon, emulator, key="sk-wrong-77aa")
    done = compagnon("provider", "test", "school", code=1)
    assert "does not accept the key" in done.stderr
    assert "sk-wrong" not in done.stdout + done.stderr
    problem = json.loads(compagnon("provider", "test", "school", "--json", code=1).stderr)["problems"][0]
    assert problem["code"] == "provider.unauthorized"
    # The same command replaces only the key; other options are changed in the file.
    file = compagnon.folder / "solution.yaml"
    before = file.read_bytes()
    compagnon("provider", "add", "school", "--key-stdin", stdin=CANARY + "\n")
    assert file.read_bytes() == before
    compagnon("provider", "test", "school")
    assert "already declared" in add(compagnon, emulator, code=1)


def test_a_key_in_the_environment_goes_first(compagnon: Here, emulator: Emulator) -> None:
    compagnon.patch.setenv("MISTRAL_API_KEY", CANARY)
    compagnon("provider", "add", "school", "--kind", "mistral", "--url", emulator.url)
    assert compagnon.json("provider", "list")["providers"][0]["key"] == "environment"
    compagnon("provider", "test", "school")
    assert not (compagnon.folder / ".compagnon" / "secrets").exists() or CANARY not in (
        compagnon.folder / ".compagnon" / "secrets"
    ).read_text("utf-8")


def test_mistakes_leave_the_file_as_it_was(compagnon: Here) -> None:
    file = compagnon.folder / "solution.yaml"
    before = file.read_bytes()
    for arguments, words in [
        (["add", "school", "--kind", "nobody"], "nobody"),
        (["add", "Bad Name", "--kind", "mistral"], "solution.yaml"),
        (["add", "local", "--kind", "openai"], "url"),
        (["add", "far", "--kind", "openai", "--url", "http://example.org/v1", "--model", "m"], "https://"),
    ]:
        done = compagnon("provider", *arguments, code=1)
        assert words in done.stderr
        assert file.read_bytes() == before
    assert "There is no provider nobody" in compagnon("provider", "test", "nobody", code=1).stderr
    assert "is not set: MISTRAL_API_KEY" in compagnon("provider", "test", "mistral", code=1).stderr
    assert "address and a model" in compagnon("provider", "test", "openai", code=1).stderr
    assert "Nothing was asked" in compagnon("provider", "usage").stdout


def test_a_key_written_in_the_file_is_refused(compagnon: Here) -> None:
    file = compagnon.folder / "solution.yaml"
    file.write_text(
        file.read_text("utf-8") + f"\nproviders:\n  school:\n    kind: mistral\n    key: {CANARY}\n", "utf-8"
    )
    for form in ([], ["--json"]):
        done = compagnon("check", *form, code=1)
        assert "A key does not stand in this file" in done.stdout
        assert CANARY not in done.stdout + done.stderr


def test_the_emulator_runs_by_itself_and_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "compagnon", "provider", "emulate", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=os.environ) as process:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += process.stdout.readline()
        url = json.loads(text)["url"]
        request = urllib.request.Request(f"{url}/v1/models", headers={"Authorization": "Bearer any"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["object"] == "list"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
