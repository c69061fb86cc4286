"""``compagnon ask`` as people and scripts use it: without a key, a network or a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import CommandLine
from compagnon.sandbox.mistral import Emulator
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.passages import resolve

KEYS = ["answer", "citations", "level", "provider", "sure", "refused", "tokens", "cost"]


@pytest.fixture(scope="module")
def tutor(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    folder = tmp_path_factory.mktemp("ask")
    CommandLine(folder)("new", "tutor", "--from", "tutor")
    return CommandLine(folder / "tutor")


def test_answer_for_a_program(tutor: CommandLine) -> None:
    answer = tutor.json("ask", "c'est quoi le dropout ?")
    assert list(answer) == KEYS
    assert answer["level"] == "beginner"
    assert answer["provider"] == "extract"
    assert (answer["sure"], answer["refused"], answer["tokens"], answer["cost"]) == (True, False, 0, 0.0)
    assert "Aucun modèle de langage n'a écrit ceci" in answer["answer"]
    for heading in ("## Définition", "## Points", "## Exemple", "## Pour aller plus loin"):
        assert heading in answer["answer"]
    base = load(tutor.folder / "knowledge")
    assert answer["citations"]
    for citation in answer["citations"]:
        assert list(citation) == ["id", "title", "quote"]
        passage = resolve(citation["id"], base)
        assert citation["quote"] in passage.text
        assert citation["title"] == passage.title


@pytest.mark.parametrize(
    "asked", [("what is dropout?",), ("c'est quoi le dropout ?", "--language", "en")], ids=["asked", "chosen"]
)
def test_answer_in_english_from_the_translation(tutor: CommandLine, asked: tuple[str, ...]) -> None:
    """Whatever the language of the messages."""
    answer = json.loads(tutor("--lang", "fr", "ask", *asked, "--json").stdout)
    assert "No language model wrote this" in answer["answer"]
    for heading in ("## Definition", "## Points", "## Example", "## To go further"):
        assert heading in answer["answer"]
    base = load(tutor.folder / "knowledge")
    assert answer["citations"]
    for citation in answer["citations"]:
        assert citation["id"].endswith("/en")
        assert citation["quote"] in resolve(citation["id"], base).text


def test_level_is_chosen(tutor: CommandLine) -> None:
    assert tutor.json("ask", "c'est quoi le dropout ?", "--level", "advanced")["level"] == "advanced"


def test_out_of_scope_is_refused_with_what_can_be_asked(tutor: CommandLine) -> None:
    answer = tutor.json("ask", "Donne-moi une recette de quiche lorraine")
    assert answer["refused"] is True
    assert answer["citations"] == []
    assert "Je peux vous parler de" in answer["answer"]


def test_in_french_for_people(tutor: CommandLine) -> None:
    said = tutor("--lang", "fr", "ask", "c'est quoi une convolution ?").stdout
    assert "[1]" in said
    assert "cnn.convolution" in said


def test_unknown_provider_is_a_mistake(tutor: CommandLine) -> None:
    assert "There is no provider nobody" in tutor("ask", "dropout", "--provider", "nobody", code=1).stderr


def test_without_its_key_a_service_is_replaced(tutor: CommandLine) -> None:
    answer = tutor.json("ask", "c'est quoi le dropout ?", "--provider", "mistral")
    assert answer["provider"] == "extract"
    assert "MISTRAL_API_KEY" in answer["answer"]
    assert answer["citations"]


def test_through_the_official_sdk(tutor: CommandLine, tmp_path: Path) -> None:
    file = tutor.folder / "solution.yaml"
    before = file.read_text(encoding="utf-8")
    with Emulator(key="k-1") as service:
        file.write_text(f"{before}\nproviders:\n  school: {{kind: mistral, url: {service.url}}}\n", encoding="utf-8")
        try:
            line = CommandLine(tutor.folder, MISTRAL_API_KEY="k-1")
            done = line("ask", "c'est quoi le dropout ?", "--json")
            answer = json.loads(done.stdout)
            refused = CommandLine(tutor.folder, MISTRAL_API_KEY="wrong").json("ask", "c'est quoi un neurone ?")
        finally:
            file.write_text(before, encoding="utf-8")
    assert answer["provider"] == "school"
    assert answer["tokens"] > 0
    assert answer["cost"] > 0
    assert answer["citations"]
    assert refused["provider"] == "extract"
    assert "n'accepte pas la clé" in refused["answer"]
    assert "wrong" not in refused["answer"]
