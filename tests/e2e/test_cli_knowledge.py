"""compagnon knowledge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from knowledge_base import SOLUTION, TOPIC, subtopic, topic, write

from command_line import CommandLine


@pytest.fixture
def compagnon(tmp_path: Path) -> CommandLine:
    (tmp_path / "solution.yaml").write_text(SOLUTION, encoding="utf-8")
    write(tmp_path / "knowledge", TOPIC, topic("rnn", subtopic("rnn.lstm", title="LSTM", glossary=[])))
    return CommandLine(tmp_path)


def test_a_right_base_passes_the_check(compagnon: CommandLine) -> None:
    said = compagnon("knowledge", "check").stdout
    assert "2 topics, 2 subtopics" in said
    assert "no mistake" in said
    assert compagnon.json("knowledge", "check")["valid"] is True


def test_every_defect_is_told_at_once(compagnon: CommandLine) -> None:
    wrong = topic("rnn", subtopic("rnn.lstm", examples=[], prerequisites=["rnn.gru"]))
    write(compagnon.folder / "knowledge", wrong)
    said = compagnon("knowledge", "check", "--lang", "fr", code=1).stdout
    assert "rnn.lstm, examples : Il n'y a pas d'exemple" in said.replace("\u00a0", " ").replace(
        "examples:", "examples :"
    )
    document = compagnon.json("knowledge", "check", "rnn.json", code=1)
    assert {p["code"] for p in document["problems"]} == {"knowledge.no-example", "knowledge.unknown-subtopic"}
    assert all(p["where"]["file"] == "knowledge/rnn.json" and p["where"]["line"] for p in document["problems"])
    assert compagnon.json("knowledge", "check", "cnn")["valid"] is True


def test_search_prints_its_stable_form(compagnon: CommandLine) -> None:
    found = compagnon.json("knowledge", "search", "à quoi sert une convoluton")
    assert [list(hit) for hit in found] == [["id", "title", "score", "quote"]] * len(found)
    assert found[0]["id"] == "cnn.convolution"
    text = (compagnon.folder / "knowledge" / "cnn.json").read_text(encoding="utf-8")
    assert found[0]["quote"] in json.dumps(json.loads(text), ensure_ascii=False)
    assert compagnon.json("knowledge", "search", "LSTM", "--topic", "cnn") == []
    assert len(compagnon.json("knowledge", "search", "LSTM", "convolution", "--count", "1")) == 1


def test_search_says_that_it_found_nothing(compagnon: CommandLine) -> None:
    assert "does not speak of this" in compagnon("knowledge", "search", "tarte aux pommes").stdout
    assert compagnon.json("knowledge", "search", "tarte aux pommes") == []
    assert "convolution was looked for" in compagnon("knowledge", "search", "convoluton").stdout


def test_a_solution_without_a_tutor_says_what_to_write(compagnon: CommandLine) -> None:
    (compagnon.folder / "solution.yaml").write_text("version: 1\nname: small\n", encoding="utf-8")
    assert "tutor:" in compagnon("knowledge", "check", code=1).stderr


def test_the_schema_is_printed(compagnon: CommandLine) -> None:
    assert json.loads(compagnon("knowledge", "schema").stdout)["title"] == "knowledge/TOPIC.json"


def test_a_course_becomes_a_topic_and_says_what_is_missing(compagnon: CommandLine) -> None:
    (compagnon.folder / "cours.md").write_text("# Tri\n\n## Insertion\n\nOn range les cartes.\n", encoding="utf-8")
    said = compagnon.json("knowledge", "import", "cours.md", "--topic", "sorting")
    assert said["subtopics"] == ["sorting.insertion"]
    assert {"knowledge.length", "knowledge.no-example"} <= {problem["code"] for problem in said["missing"]}
    assert compagnon.json("knowledge", "search", "ranger des cartes")[0]["id"] == "sorting.insertion"
    assert "already" in compagnon("knowledge", "import", "cours.md", "--topic", "sorting", code=1).stderr
