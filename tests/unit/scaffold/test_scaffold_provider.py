from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from compagnon.errors import UserError
from compagnon.scaffold.provider import declare

MISTRAL = {"kind": "mistral", "url": "http://127.0.0.1:8200"}
LINE = 'school: {kind: mistral, url: "http://127.0.0.1:8200"}'


def declared(tmp_path: Path, text: str) -> str:
    file = tmp_path / "solution.yaml"
    file.write_bytes(text.encode())
    before, after = declare(file, "school", MISTRAL)
    assert before == text
    assert file.read_bytes() == after.encode()
    assert yaml.safe_load(after)["providers"]["school"] == MISTRAL
    return after


def test_the_section_is_made_at_the_end(tmp_path: Path) -> None:
    text = "version: 1\nname: x  # a comment\n"
    assert declared(tmp_path, text) == f"{text}\nproviders:\n  {LINE}\n"


@pytest.mark.parametrize(
    "text",
    [
        "providers:\n    local: {kind: openai}  # mine\nname: x\n",
        "name: x\nproviders:   # services\n    # first\n\n    local:\n        kind: openai\n",
    ],
)
def test_the_section_that_is_there_is_added_to(tmp_path: Path, text: str) -> None:
    after = declared(tmp_path, text)
    assert f"\n    {LINE}\n" in after
    assert after.replace(f"\n    {LINE}", "", 1) == text
    assert set(yaml.safe_load(after)["providers"]) == {"local", "school"}


def test_an_empty_section_is_filled(tmp_path: Path) -> None:
    assert declared(tmp_path, "name: x\nproviders:\n") == f"name: x\nproviders:\n  {LINE}\n"


def test_ends_of_lines_stay_as_they_are(tmp_path: Path) -> None:
    after = declared(tmp_path, "name: x\r\nproviders:\r\n")
    assert after.count("\r\n") == after.count("\n")


def test_a_section_on_one_line_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "solution.yaml"
    file.write_text("providers: {local: {kind: openai}}\n", "utf-8")
    with pytest.raises(UserError) as caught:
        declare(file, "school", MISTRAL)
    assert caught.value.code == "provider.edit-by-hand"
    assert LINE in str(caught.value)
    assert file.read_text("utf-8") == "providers: {local: {kind: openai}}\n"
