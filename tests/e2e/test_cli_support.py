"""The support template as a firm uses it: answers, hand-over, queue, import and a FAQ that grows, offline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import CommandLine
from compagnon.services.tutor.knowledge.load import load

PRINTERS = {"ana": "vendez-vous des imprimantes 3D ?", "bob": "est-ce que vous vendez une imprimante 3D ?"}


@pytest.fixture(scope="module")
def aide(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    folder = tmp_path_factory.mktemp("support")
    CommandLine(folder)("new", "aide", "--from", "support")
    return CommandLine(folder / "aide", LOGNAME="zoe")


def test_it_works_at_once_and_has_no_mistake(aide: CommandLine) -> None:
    report = aide.json("knowledge", "check")
    assert report["valid"]
    assert report["subtopics"] >= 40
    assert report["warnings"] == []


def test_an_answer_is_the_entry_and_cites_it(aide: CommandLine) -> None:
    answer = aide.json("ask", "combien coûte la livraison ?")
    assert (answer["sure"], answer["refused"], answer["handover"]) == (True, False, None)
    assert "4,90 euros" in answer["answer"]
    assert answer["citations"][0]["id"] == "livraison.frais/content/0"
    entry = load(aide.folder / "knowledge").subtopic("livraison.frais")
    assert all(paragraph in answer["answer"].replace(" [1]", "") for paragraph in entry.paragraphs[:1])


def test_a_greeting_waits_for_nobody(aide: CommandLine) -> None:
    answer = aide.json("ask", "bonjour")
    assert (answer["refused"], answer["handover"]) == (True, None)


def test_a_person_takes_the_conversation_over(aide: CommandLine) -> None:
    asked = aide.json("ask", "je veux parler à un conseiller, mon mail est zoe.lefevre@exemple.fr")["handover"]
    assert (asked["reason"], asked["state"]) == ("asked", "waiting")
    assert "aide@example.org" in asked["message"]
    number = str(asked["id"])
    shown = aide.json("handover", "show", number)
    assert "lefevre" not in json.dumps(shown)
    assert "parler à un conseiller" in shown["turns"][0]["question"]
    assert number in aide("handover", "list").stdout
    assert aide.json("handover", "take", number)["taken_by"] == "zoe"
    other = CommandLine(aide.folder, LOGNAME="max")
    assert "already taken" in other("handover", "take", number, code=1).stderr
    assert "already taken" in other("handover", "answer", number, "x", code=1).stderr
    said = aide.json("handover", "answer", number, "Écrivez à aide@example.org, pas à zoe.lefevre@exemple.fr.")
    assert said["text"] == "Écrivez à aide@example.org, pas à [courriel]."
    assert aide.json("handover", "show", number)["messages"] == [said]
    assert "zoe, " in aide("handover", "show", number).stdout
    assert aide.json("handover", "release", number)["state"] == "waiting"
    assert other.json("handover", "take", number)["taken_by"] == "max"
    assert aide.json("handover", "take", number, "--from", "max")["taken_by"] == "zoe"
    assert aide.json("handover", "close", number, "--answer", "Bonjour !")["state"] == "closed"
    assert all(each["id"] != asked["id"] for each in aide.json("handover", "list")["handovers"])
    assert "There is no handover 999" in aide("handover", "show", "999", code=1).stderr


@pytest.mark.full
def test_questions_without_an_answer_become_an_entry(aide: CommandLine) -> None:
    numbers = []
    for person, question in PRINTERS.items():
        found = CommandLine(aide.folder, LOGNAME=person).json("ask", question)
        assert not found["sure"]
        numbers.append(str(found["handover"]["id"]))
    assert aide.json("faq", "proposals") == []  # two people are fewer than five
    spec = aide.folder / "solution.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("people: 5", "people: 2"), encoding="utf-8")
    said = "Non, nous ne vendons pas d'imprimantes 3D."
    aide("handover", "close", numbers[0], "--answer", said)
    (proposal,) = aide.json("faq", "proposals")
    assert (proposal["people"], proposal["count"], proposal["answer"]) == (2, 2, said)
    tried = aide.json("faq", "accept", proposal["id"], "--dry-run")
    assert not tried["written"]
    done = aide.json("faq", "accept", proposal["id"], "--because", "souvent demandé")
    assert done["patch"] == tried["patch"]
    entry = load(aide.folder / "knowledge").subtopic(done["entry"])
    assert entry.content == said
    assert entry.reviewed is not None
    assert entry.reviewed.by == "zoe"
    (decision,) = aide.json("faq", "history")
    assert (decision["by"], decision["state"], decision["patch"]) == ("zoe", "accepted", done["patch"])
    answer = aide.json("ask", "vous vendez des imprimantes 3D ?")
    assert answer["sure"]
    assert said in answer["answer"]


def test_a_faq_is_imported(aide: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text(
        "question;réponse;thème\nPrêtez-vous un ordinateur pendant la réparation ?;<p>Oui.Sous caution.</p>;Prêt\n"
        "Combien coûte la livraison ?;Rien.;Prêt\nSans réponse ?;;Prêt\n",
        encoding="utf-8",
    )
    done = aide.json("knowledge", "import", str(file))
    assert (done["taken"], done["files"], done["mended"]) == (1, ["knowledge/pret.json"], 1)
    assert [(each["place"], each["code"]) for each in done["refused"]] == [("line 3", "known"), ("line 4", "no-answer")]
    question = "prêtez-vous un ordinateur pendant la réparation ?"
    assert "Sous caution." not in aide.json("ask", question)["answer"]  # nobody has read it yet
    assert [each["id"] for each in aide.json("knowledge", "review")] == done["ids"]
    signed = aide.json("knowledge", "review", "pret", "--by", "A. Martin")
    assert [each["id"] for each in signed["reviewed"]] == done["ids"]
    assert "Oui. Sous caution." in aide.json("ask", question)["answer"].replace(" [1]", "")
    assert aide.json("knowledge", "review") == []


def test_who_imports_may_answer_for_it(aide: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "gravure.csv"
    file.write_text("question;réponse\nGravez-vous un nom sur le clavier ?;Oui, à l'atelier.\n", encoding="utf-8")
    aide.json("knowledge", "import", str(file), "--topic", "gravure", "--reviewed-by", "A. Martin")
    assert "Oui, à l'atelier." in aide.json("ask", "gravez-vous un nom sur le clavier ?")["answer"]
