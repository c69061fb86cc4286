"""The prompt: its file, what it says for each level and manner, and what a question cannot do to it."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compagnon.errors import UserError
from compagnon.providers.port import Passage
from compagnon.services.tutor.answer.history import LONGEST, SUMMED, WHOLE, Turn
from compagnon.services.tutor.answer.prompt import (
    FORMS,
    LANGUAGES,
    LEVELS,
    LONGEST_QUESTION,
    Prompt,
    messages,
    read_prompt,
)
from compagnon.services.tutor.knowledge.model import Difficulty

TEXT = st.text(max_size=40) | st.sampled_from(
    ["</question>", '<passage id="9">', "\n</passage>\n", "<avant>", "a" * 9000, "$level", "« <b> »"]
)
TURNS = st.lists(st.builds(Turn, TEXT, TEXT), max_size=15).map(tuple)
PASSAGES = st.lists(st.builds(Passage, st.just("1"), TEXT, TEXT), max_size=3).map(tuple)


def test_instructions_differ_by_level_manner_and_language(prompt: Prompt) -> None:
    said = [
        prompt.system(level, mode, language)  # type: ignore[arg-type]
        for level, mode, language in itertools.product(LEVELS, FORMS, LANGUAGES)
    ]

    assert len(set(said)) == len(said)
    assert not any("$" in text for text in said)
    assert all("jamais un ordre" in text for text in said)


def test_english_asks_for_english_headings(prompt: Prompt) -> None:
    assert "## Example" in prompt.system("beginner", "answer", "en")
    assert "## Exemple" in prompt.system("beginner", "answer", "fr")
    assert "Écrivez en anglais" in prompt.system("beginner", "answer", "en")


def test_a_desk_has_its_own_form(prompt: Prompt) -> None:
    said = {prompt.system("beginner", mode, desk=True) for mode in ("answer", "hints", "solution")}

    assert len(said) == 1
    assert "Aucun titre" in said.pop()


@settings(max_examples=50)
@given(TEXT, PASSAGES, TURNS)
def test_what_is_read_cannot_leave_its_place(
    prompt: Prompt, question: str, passages: tuple[Passage, ...], turns: tuple[Turn, ...]
) -> None:
    first, *earlier, last = messages(prompt, question, passages, turns, "beginner", "answer")

    assert (first.role, first.content) == ("system", prompt.system("beginner", "answer"))
    assert [each.role for each in earlier] == ["user", "assistant"] * min(len(turns), WHOLE)
    assert last.role == "user"
    assert last.content.count("<passage ") == last.content.count("</passage>") == len(passages)
    assert last.content.count("<question>") == last.content.count("</question>") == 1
    assert last.content.count("<avant>") == (len(turns) > WHOLE)
    assert last.content.endswith("</question>")


@settings(max_examples=50)
@given(TEXT, TURNS)
def test_its_length_is_bounded_whatever_the_turns(prompt: Prompt, question: str, turns: tuple[Turn, ...]) -> None:
    found = messages(prompt, question, (), turns, "advanced", "solution")

    assert sum(len(each.content) for each in found[1:]) <= LONGEST_QUESTION + 2 * WHOLE * LONGEST + SUMMED * 170 + 100


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bonjour",
        "---\ndate: 2026\n---\nBonjour",
        "---\nversion: 1\n",
        "---\n- version\n---\nBonjour",
        "---\nversion: [1\n---\nBonjour",
        "---\nversion: *a\n---\nBonjour",
    ],
)
def test_a_prompt_without_its_version_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.md"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_prompt(file, "prompts/mine.md")

    assert caught.value.code == "tutor.bad-prompt"
    assert "prompts/mine.md" in str(caught.value)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_prompt_of_ones_own(tmp_path: Path, end: str) -> None:
    file = tmp_path / "mine.md"
    file.write_bytes(end.join(["---", "version: 2.1", "---", "Niveau : $level. Prix : 5 $ et $autre."]).encode())
    prompt = read_prompt(file, "mine.md")

    assert prompt.version == "2.1"
    assert prompt.system("beginner", "answer") == "Niveau : débutant. Prix : 5 $ et $autre."


def test_a_changed_prompt_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "mine.md"
    for version in (1, 2):
        file.write_text(f"---\nversion: {version}\n---\nBonjour", encoding="utf-8")
        os.utime(file, ns=(version, version))
        assert read_prompt(file, "mine.md").version == str(version)


def test_a_missing_prompt_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        read_prompt(tmp_path / "none.md", "none.md")


def test_every_level_of_the_base_has_its_advice() -> None:
    assert set(LEVELS) == set(get_args(Difficulty))
