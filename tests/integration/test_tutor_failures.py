"""Whatever the service does, a useful answer with citations comes, and says what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacking import TEMPLATE

from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.operate.usage.gateway import Gateway
from compagnon.providers.mistral import Mistral, MistralOptions
from compagnon.sandbox.mistral import FAULTS, Emulator
from compagnon.services.tutor.answer.events import Reply
from compagnon.services.tutor.answer.history import Turn
from compagnon.services.tutor.answer.prompt import read_prompt
from compagnon.services.tutor.answer.tutor import Question, Tutor
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.search.index import Index

QUESTION = "C'est quoi le dropout ?"
KEY = "k-CANARY-1234"


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(load(TEMPLATE / "knowledge"))


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(key=KEY) as found:
        yield found


def asked(index: Index, folder: Path, emulator: Emulator, question: Question) -> Reply:
    workspace = Workspace(folder)
    engine = open_database(workspace)
    wait = "300 ms" if emulator.always else "60 s"
    waits = {"first_token": wait, "between_tokens": wait, "retries": 0, "remember": {"answers": 0}}
    options = MistralOptions.model_validate({"kind": "mistral", "url": emulator.url, **waits})
    prompt = read_prompt(TEMPLATE / "prompts" / "answer.md", "prompts/answer.md")

    async def go() -> Reply:
        provider = Mistral("school", options, KEY)
        gateway = Gateway(engine, Secrets(workspace, {}), provider, options)
        tutor = Tutor(index, prompt, "school", lambda request, asked: gateway.ask(request, names=asked.names))
        try:
            return await tutor.reply(question)
        finally:
            await provider.close()

    try:
        return asyncio.run(go())
    finally:
        engine.dispose()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_failure_gives_an_answer(index: Index, tmp_path: Path, emulator: Emulator, fault: str) -> None:
    emulator.always = fault
    reply = asked(index, tmp_path, emulator, Question(QUESTION))
    assert reply.provider == "extract"
    assert reply.failure is not None
    assert reply.failure.startswith("provider.")
    assert reply.citations
    assert "mis en ordre sans modèle de langage" in reply.answer
    assert KEY not in reply.answer
    assert reply.refused is False


def test_a_service_that_works_is_checked_and_counted(index: Index, tmp_path: Path, emulator: Emulator) -> None:
    reply = asked(index, tmp_path, emulator, Question(QUESTION))
    assert (reply.provider, reply.failure) == ("school", None)
    assert reply.tokens > 0
    assert any("example" in citation.id for citation in reply.citations)


def test_what_no_passage_supports_is_left_out(index: Index, tmp_path: Path, emulator: Emulator) -> None:
    emulator.script = lambda _messages: (
        "Le dropout annule au hasard une part des neurones à chaque pas. [1]\n"
        "La régularisation réunit les moyens de réduire le surapprentissage. [1]\n"
        "Le dropout a été inventé sur Mars par des robots jardiniers. [1]\n"
    )
    reply = asked(index, tmp_path, emulator, Question(QUESTION))
    assert "robots" not in reply.answer
    assert reply.sure is False
    assert reply.dropped == 1
    assert "pas sûr" in reply.answer


def test_personal_data_do_not_leave(index: Index, tmp_path: Path, emulator: Emulator) -> None:
    asked(index, tmp_path, emulator, Question(f"{QUESTION} zoe@lycee.fr", names=("Zoé Lefèvre",)))
    assert emulator.seen
    assert "zoe@lycee.fr" not in str(list(emulator.seen))


def test_earlier_turns_and_hints(index: Index) -> None:
    prompt = read_prompt(TEMPLATE / "prompts" / "answer.md", "prompts/answer.md")
    tutor = Tutor(index, prompt)
    follow = asyncio.run(tutor.reply(Question("et en Keras ?", (Turn(QUESTION, "..."),))))
    assert follow.question.startswith(QUESTION)
    assert "training.regularization" in follow.subtopics
    exercise = "exercice : calculer la taille de sortie d'une convolution avec un pas et une bordure"
    first = asyncio.run(tutor.reply(Question(exercise)))
    assert first.mode == "hints"
    assert "## Exemple" not in first.answer
    turns = (Turn(exercise, first.answer, "hints", first.subtopics),)
    second = asyncio.run(tutor.reply(Question("donne la solution", turns)))
    assert second.mode == "solution"
    assert "## Exemple" in second.answer
