"""Passages stand where they say, and their names lead back to them."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from knowledge_base import SUBTOPIC, TOPIC, subtopic, write

from compagnon.errors import UserError
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.knowledge.model import Subtopic
from compagnon.services.tutor.passages import passages, resolve, source_of


def test_every_passage_resolves_to_its_exact_place(tmp_path: Path) -> None:
    base = load(write(tmp_path, TOPIC))
    found = list(passages(base.subtopic("cnn.convolution")))
    assert [(p.part, p.number) for p in found] == [
        ("content", 0),
        ("content", 1),
        ("example", 0),
        ("misconception", 0),
        ("glossary", 0),
    ]
    for passage in found:
        assert source_of(passage, base)[passage.start : passage.end] == passage.text
        assert resolve(passage.id, base) == passage
    assert found[1].start == SUBTOPIC["content"].rindex(found[1].text)
    assert found[4].heading == "réseau convolutif (CNN)"
    assert found[4].topic == "cnn"


@pytest.mark.parametrize("name", ["cnn.convolution/content/9", "cnn.other/content/0", "", "cnn.convolution"])
def test_an_unknown_passage_is_refused(tmp_path: Path, name: str) -> None:
    base = load(write(tmp_path, TOPIC))
    with pytest.raises(UserError) as caught:
        resolve(name, base)
    assert caught.value.code == "knowledge.unknown-passage"


@given(st.lists(st.sampled_from(["Un.", "Deux.", " ", "\n", "\n\n", "Un.\nDeux."]), min_size=1).map("".join))
def test_paragraphs_are_cut_without_losing_a_word(content: str) -> None:
    made = Subtopic.model_validate(subtopic("cnn.any", content=content))
    cut = [p for p in passages(made) if p.part == "content"]
    assert all(content[p.start : p.end] == p.text for p in cut)
    assert "".join("".join(p.text.split()) for p in cut) == "".join(content.split())
    assert all(first.end <= second.start for first, second in itertools.pairwise(cut))


def test_a_base_of_two_files_keeps_names_apart() -> None:
    with tempfile.TemporaryDirectory() as name:
        rnn = {**TOPIC, "topic": "rnn", "subtopics": [subtopic("rnn.convolution")]}
        base = load(write(Path(name), TOPIC, rnn))
        names = [p.id for each in base for p in passages(each)]
        assert len(names) == len(set(names))
