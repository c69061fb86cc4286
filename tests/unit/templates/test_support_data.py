"""The support template: enough questions, found by other words, each answer shown whole, nobody real."""

from __future__ import annotations

import asyncio
import re
from importlib import resources
from pathlib import Path

import pytest

from compagnon.services.tutor.answer.opening import open_tutor
from compagnon.services.tutor.answer.tutor import Question, Tutor
from compagnon.solution import Solution

SUPPORT = Path(str(resources.files("compagnon.templates") / "support"))
PHONE = re.compile(r"(?<![\w.])0[1-9](?:[ .-]?[0-9]{2}){4}(?![0-9])")
REWORDED = {
    "j'ai oublié mon mdp": "compte.mot_de_passe",
    "vous ouvrez à quelle heure le samedi": "boutique.horaires",
    "mon pc rame, que faire": "reparation.lent",
    "on peut payer en trois fois ?": "commandes.plusieurs_fois",
    "le paquet est arrivé cassé": "livraison.abime",
    "je veux me faire rembourser, c'est quand": "retours.remboursement",
    "arrêtez de m'envoyer des pubs": "donnees.publicite",
    "il me faut une facture pour ma société": "factures.entreprise",
    "combien de temps dure la garantie": "garantie.duree",
    "où en est mon colis": "livraison.suivre",
}


@pytest.fixture(scope="module")
def tutor(tmp_path_factory: pytest.TempPathFactory) -> Tutor:
    from compagnon.scaffold.template import copy

    folder = tmp_path_factory.mktemp("support") / "aide"
    copy("support", folder)
    return open_tutor(Solution(folder))


def test_at_least_forty_questions(tutor: Tutor) -> None:
    assert len(tutor.index.base) >= 40
    assert tutor.desk


def test_each_question_gets_its_own_whole_answer(tutor: Tutor) -> None:
    for entry in tutor.index.base:
        reply = asyncio.run(tutor.reply(Question(entry.title)))
        assert not reply.refused, entry.id
        assert reply.subtopics[0] == entry.id
        shown = re.sub(r" \[\d+\]", "", reply.answer)
        for paragraph in entry.paragraphs:
            assert paragraph.replace("\u00a0", " ") in shown.replace("\u00a0", " "), entry.id


def test_other_words_find_it_too(tutor: Tutor) -> None:
    found = {question: [hit.subtopic.id for hit in tutor.index.search(question, count=3)] for question in REWORDED}
    first = [question for question, name in REWORDED.items() if found[question][:1] == [name]]
    missed = {question: found[question] for question, name in REWORDED.items() if name not in found[question]}
    assert missed == {}
    assert len(first) >= 8, found


def test_nobody_is_real() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in [*SUPPORT.rglob("*.json"), SUPPORT / "solution.yaml"])
    assert {"".join(filter(str.isdigit, found)) for found in PHONE.findall(text)} == {"0199001234"}  # ARCEP: fiction
    assert {mail.rstrip(".") for mail in re.findall(r"@([\w.-]+)", text)} == {"example.org"}
