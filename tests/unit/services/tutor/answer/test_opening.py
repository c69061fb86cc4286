"""The tutor of a solution: what its file says, what it does without, and its own model of levels."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from knowledge_base import SOLUTION, TOPIC, write

from compagnon import Solution
from compagnon.errors import UserError
from compagnon.sandbox.mistral import Emulator
from compagnon.services.tutor.answer.level import by_words
from compagnon.services.tutor.answer.opening import default_provider, open_level, open_prompt, open_tutor
from compagnon.services.tutor.answer.prompt import Prompt
from compagnon.services.tutor.answer.tutor import Question
from compagnon.services.tutor.search.index import Index

ASKED = "c'est quoi une convolution ?"
SCHOOL = "providers:\n  school: {kind: mistral, url: %s, remember: {answers: 0}}\n"


def solution(folder: Path, more: str = "", text: str = SOLUTION, key: str = "") -> Solution:
    write(folder / "knowledge", TOPIC)
    (folder / "solution.yaml").write_text(text + more, encoding="utf-8")
    return Solution(folder, environ={"MISTRAL_API_KEY": key} if key else {})


def test_without_anything_said_passages_are_put_in_order(tmp_path: Path, prompt: Prompt, index: Index) -> None:
    tutor = open_tutor(solution(tmp_path), index=index)
    reply = asyncio.run(tutor.reply(Question(ASKED)))

    assert (tutor.provider, tutor.ask_service, tutor.infer, tutor.learned) == ("extract", None, by_words, None)
    assert tutor.prompt == prompt
    assert (reply.provider, reply.failure) == ("extract", None)
    assert reply.citations[0].id.startswith("cnn.convolution/")
    asyncio.run(tutor.close())


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ("", "extract"),
        (SCHOOL % "http://127.0.0.1:9", "school"),
        (SCHOOL % "http://127.0.0.1:9" + "  other: {kind: extract}\n", "school"),
    ],
)
def test_the_first_provider_that_is_declared_writes(tmp_path: Path, more: str, name: str) -> None:
    assert default_provider(solution(tmp_path, more)) == name


def test_the_one_that_is_named_comes_before(tmp_path: Path) -> None:
    text = SOLUTION.replace("{knowledge: knowledge}", "{knowledge: knowledge, provider: extract}")
    made = solution(tmp_path, SCHOOL % "http://127.0.0.1:9", text)

    assert default_provider(made) == "extract"
    assert open_tutor(made).ask_service is None
    assert open_tutor(made, "school").ask_service is not None


def test_an_unknown_provider_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        open_tutor(solution(tmp_path), "nobody")

    assert caught.value.code == "provider.unknown"


def test_a_solution_without_a_tutor_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        open_tutor(solution(tmp_path, text="version: 1\nname: small\n"))

    assert caught.value.code == "tutor.none"


def test_a_mistake_of_the_base_is_told(tmp_path: Path) -> None:
    made = solution(tmp_path)
    (tmp_path / "knowledge" / "cnn.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        open_tutor(made)

    assert "cnn.json" in str(caught.value)


def test_a_prompt_of_ones_own(tmp_path: Path) -> None:
    text = SOLUTION.replace("{knowledge: knowledge}", "{knowledge: knowledge, prompt: mine.md}")
    made = solution(tmp_path, text=text)
    (tmp_path / "mine.md").write_text("---\nversion: 7\n---\nBonjour", encoding="utf-8")

    assert open_prompt(made) == Prompt("7", "Bonjour")
    (tmp_path / "mine.md").write_text("Bonjour, sans version", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        open_tutor(made)
    assert caught.value.code == "tutor.bad-prompt"


def test_an_index_that_is_open_already_is_used(tmp_path: Path, index: Index) -> None:
    assert open_tutor(solution(tmp_path), index=index).index is index
    assert len(open_tutor(solution(tmp_path)).index.base) == 1


def test_a_service_without_its_key_is_replaced_at_each_question(tmp_path: Path, index: Index) -> None:
    tutor = open_tutor(solution(tmp_path, SCHOOL % "http://127.0.0.1:9"), index=index)
    for _each in range(2):
        reply = asyncio.run(tutor.reply(Question(ASKED)))
        assert (reply.provider, reply.failure) == ("extract", "provider.no-key")
        assert "MISTRAL_API_KEY" in reply.answer
    asyncio.run(tutor.close())


def test_connections_are_given_back_and_opened_again(tmp_path: Path, index: Index) -> None:
    """A command closes its event loop after each question."""

    async def once(text: str) -> str:
        reply = await tutor.reply(Question(text))
        await tutor.close()
        return reply.provider

    with Emulator(key="k-1") as service:
        made = solution(tmp_path, SCHOOL % service.url, key="k-1")
        tutor = open_tutor(made, index=index)
        assert [asyncio.run(once(ASKED)) for _each in range(2)] == ["school", "school"]
        assert len(service.seen) == 2
        made.close()


LEVELS = """
version: 1
name: levels
timezone: Europe/Paris
sources:
  rows: {kind: file, path: "data/rows.csv", licence: CC0-1.0}
tables:
  rows:
    key: id
    from: {rows: {id: id, text: text, label: label}}
    columns:
      id: {type: text}
      text: {type: text, required: true}
      label: {type: category, values: [beginner, advanced, expert]}
models:
  level:
    task: text-classification
    table: rows
    input: [text]
    target: label
    split: {test: 0.3, folds: 2, seed: 1}
    estimators: [dummy, naive_bayes]
    package: {samples: 20}
tutor: {knowledge: knowledge}
"""
WORDS = {"beginner": "pomme poire prune", "advanced": "zinc cuivre plomb", "expert": "valse tango rumba"}


def test_the_model_of_the_solution_tells_the_level_once_it_is_made(tmp_path: Path) -> None:
    made = solution(tmp_path, text=LEVELS)
    rows = [(label, word, n) for label, words in WORDS.items() for word in words.split() for n in range(10)]
    (tmp_path / "data").mkdir()
    lines = ["id,text,label", *(f"{label}{word}{n},{word} numéro {n},{label}" for label, word, n in rows)]
    (tmp_path / "data" / "rows.csv").write_text("\n".join(lines), encoding="utf-8")

    assert open_level(made) is by_words
    made.run()
    infer = open_level(made)
    assert infer("pomme poire") == "beginner"
    assert infer("zinc et cuivre") == "advanced"
    # A label that is no level, and a text that the model does not read: the rule.
    assert infer("valse tango, démontrer") == by_words("démontrer") == "advanced"
    assert infer("valse tango") == by_words("valse tango") == "beginner"
    assert infer("") == "beginner"
    assert infer("zinc " * 100_000) in ("advanced", "beginner")
    made.close()
