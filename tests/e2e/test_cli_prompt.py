"""``compagnon prompt`` as teachers and scripts use it, against the emulated service."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompting import KEY, furnish, model

from command_line import CommandLine
from compagnon.sandbox.mistral import Emulator

B, BAD = ("--prompt", "prompts/b.md"), ("--prompt", "prompts/bad.md")


@pytest.fixture
def service() -> Iterator[Emulator]:
    with Emulator(key=KEY["MISTRAL_API_KEY"], script=model) as running:
        yield running


@pytest.fixture
def tutor(service: Emulator, tmp_path: Path) -> CommandLine:
    return CommandLine(furnish(tmp_path / "tutor", service.url), **KEY)


def test_from_two_answers_to_a_prompt_that_is_used(tutor: CommandLine) -> None:
    question = "C'est quoi une convolution sur une image ?"
    good, bad = tutor.json("prompt", "try", question, *BAD)
    assert (good["prompt"]["name"], good["provider"], bad["provider"]) == ("prompts/answer.md", "school", "extract")
    assert (bad["kept"], bad["dropped"]) == (0, 1)
    assert "extract" in tutor("prompt", "try", question, "--provider", "extract", code=1).stderr

    # Nothing was played yet.
    assert "were played" in tutor("prompt", "ship", "prompts/b.md", "--yes", code=3).stderr
    for prompt in ((), B, BAD):
        assert tutor.json("prompt", "score", *prompt)["played"] == 4
    compared = tutor.json("prompt", "compare", "prompts/answer.md", "prompts/bad.md")
    assert {one["measure"]: one["after"] for one in compared["measures"]}["kept"] == 0
    assert "-100.0 %" in tutor("prompt", "compare", "prompts/answer.md", "prompts/bad.md").stdout

    refused = tutor("prompt", "ship", "prompts/bad.md", "--yes", code=3)
    assert "does worse" in refused.stderr
    file = tutor.folder / "prompts" / "answer.md"
    before = file.read_text(encoding="utf-8")
    assert "+6. Restez bref." in tutor("prompt", "ship", "prompts/b.md", "--dry-run").stdout
    tutor("prompt", "ship", "prompts/b.md", stdin="n\n", code=1)
    assert file.read_text(encoding="utf-8") == before
    done = tutor.json("prompt", "ship", "prompts/b.md", "--yes")
    assert (done["version"], done["written"], done["kept_as"]) == (2, True, "prompts/versions/answer-1.md")
    known = tutor.json("prompt", "list")
    assert [each["version"] for each in known["prompts"] if each["used"]] == ["2"]
    assert len(known["scores"]) == 3
    assert "version" in tutor("--lang", "fr", "prompt", "list").stdout.lower()


def test_stopped_it_keeps_what_was_played_and_goes_on(service: Emulator, tutor: CommandLine) -> None:
    service.delay = 0.05
    command = [sys.executable, "-m", "compagnon", "prompt", "score"]
    process = subprocess.Popen(command, cwd=tutor.folder, env=tutor.environ, stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    assert "1/4" in process.stdout.readline()
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 1
    service.delay = 0
    asked = len(service.seen)
    assert tutor.json("prompt", "score")["played"] == 4
    # Of the answered ones none was asked again: at most the one that was cut off.
    assert len(service.seen) - asked <= 2
