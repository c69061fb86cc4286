"""The question sets that measure and train the tutor: whole, without doubles, and tied to the base as it stands."""

from __future__ import annotations

import csv
import functools
import json
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from rapidfuzz import fuzz

from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.knowledge.model import Subtopic

SETS = Path(__file__).parents[3] / "data" / "tutor"
TEMPLATE = Path(str(files("compagnon") / "templates" / "tutor"))
LEVELS = {"beginner", "intermediate", "advanced"}
NEAR = 88
"""Likeness, of 100, over which a line to train on is taken for a copy of one that measures."""


def rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a file that holds one a line."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def same(text: str) -> str:
    """The text without what two copies may differ by: case and spaces."""
    return " ".join(text.casefold().split())


def letters(text: str) -> str:
    """The words of a text without case, accents and marks."""
    parts = unicodedata.normalize("NFD", text.casefold())
    return " ".join(re.findall(r"\w+", "".join(sign for sign in parts if not unicodedata.combining(sign))))


def copies(texts: list[str], measuring: list[str]) -> list[str]:
    """The texts that say nearly the same, word for word, as one that measures."""
    others = [letters(text) for text in measuring]
    near = functools.partial(fuzz.token_set_ratio, score_cutoff=NEAR)
    return [
        text for text, own in zip(texts, map(letters, texts), strict=True) if max(near(own, o) for o in others) > NEAR
    ]


@pytest.fixture(scope="module")
def base() -> Mapping[str, Subtopic]:
    """Subtopics of the base by id."""
    return load(TEMPLATE / "knowledge").by_id


@pytest.fixture(scope="module")
def known(base: Mapping[str, Subtopic]) -> set[str]:
    """The titles of the base and the questions that the template ships to train the topic model."""
    texts = {subtopic.title for subtopic in base.values()}
    for path in sorted((TEMPLATE / "data").glob("*.csv")):
        encoding = "cp1252" if path.name == "questions-2026-10.csv" else "utf-8-sig"
        with path.open(encoding=encoding, newline="") as lines:
            texts |= {row.get("question") or row["Question"] for row in csv.DictReader(lines, delimiter=";")}
    forum = (TEMPLATE / "data" / "forum.jsonl").read_text(encoding="utf-8")  # some of its lines are broken on purpose
    texts |= set(re.findall(r'"message": "(.*?)", "tag"', forum, re.DOTALL))
    with closing(sqlite3.connect(f"file:{TEMPLATE / 'data' / 'school.sqlite'}?mode=ro", uri=True)) as school:
        texts |= {body for (body,) in school.execute("select body from question")}
    return {same(text) for text in texts if text}


def test_a_learner_s_question_is_new_and_names_subtopics_of_the_base(
    base: Mapping[str, Subtopic], known: set[str]
) -> None:
    questions = rows(SETS / "questions.jsonl")

    assert len(questions) >= 270
    for row in questions:
        assert set(row) == {"question", "level", "language", "expected", "written_by"}
        assert row["level"] in LEVELS
        assert row["language"] in {"fr", "en"}
        assert 1 <= len(row["expected"]) == len(set(row["expected"])) <= 3
        assert set(row["expected"]) <= set(base), row
    texts = [same(row["question"]) for row in questions]
    assert len(set(texts)) == len(texts)
    assert sorted(known & set(texts)) == []


def test_learners_questions_cover_every_topic_level_and_both_languages(base: Mapping[str, Subtopic]) -> None:
    questions = rows(SETS / "questions.jsonl")
    topics = Counter(row["expected"][0].split(".")[0] for row in questions)

    assert set(topics) == {id.split(".")[0] for id in base}
    assert min(topics.values()) >= 13
    assert min(Counter(row["level"] for row in questions)[level] for level in LEVELS) >= 60
    assert sum(row["language"] == "en" for row in questions) >= 25


def test_a_question_to_refuse_is_new_and_says_of_which_kind(known: set[str]) -> None:
    refused = rows(SETS / "refuse.jsonl")

    assert len(refused) >= 160
    for row in refused:
        assert set(row) == {"question", "answerable", "kind"}
        assert row["answerable"] is False
    assert {row["kind"] for row in refused} == {"out_of_scope", "near", "unanswerable", "uncovered"}
    texts = [same(row["question"]) for row in refused]
    assert len(set(texts)) == len(texts)
    assert sorted(known & set(texts)) == []
    assert {same(row["question"]) for row in rows(SETS / "questions.jsonl")}.isdisjoint(texts)


def test_a_pair_for_the_support_checker_quotes_the_base_word_for_word(base: Mapping[str, Subtopic]) -> None:
    pairs = rows(SETS / "support.jsonl")

    assert Counter(pair["supported"] for pair in pairs) == {True: 120, False: 120}
    for pair in pairs:
        assert set(pair) == {"sentence", "passage", "subtopic", "supported", "why"}
        assert pair["passage"] in base[pair["subtopic"]].content.split("\n\n"), (
            "copy the new paragraph and judge both pairs"
        )
        assert same(pair["sentence"]) not in same(pair["passage"])
        assert pair["why"]
    assert len({same(pair["sentence"]) for pair in pairs}) == len(pairs)
    assert {pair["subtopic"].split(".")[0] for pair in pairs} == {id.split(".")[0] for id in base}


def test_an_example_of_scope_says_of_which_kind_and_measures_nothing(known: set[str]) -> None:
    examples = rows(TEMPLATE / "scope.jsonl")

    for row in examples:
        assert set(row) == {"question", "answerable", "kind", "language"}
        assert row["language"] in {"fr", "en"}
        assert row["answerable"] is (row["kind"] == "course")
    kinds = {"course": 680, "out_of_scope": 190, "near": 220, "unanswerable": 180, "uncovered": 180}
    assert Counter(row["kind"] for row in examples) == kinds
    english = Counter(row["answerable"] for row in examples if row["language"] == "en")
    assert english == {True: 103, False: 117}, "the language of a question must not tell whether it is answered"
    texts = [row["question"] for row in examples]
    assert len({same(text) for text in texts}) == len(texts)
    assert sorted(known & {same(text) for text in texts}) == []
    measuring = [row["question"] for part in ("questions", "refuse") for row in rows(SETS / f"{part}.jsonl")]
    assert copies(texts, measuring) == []


def test_a_pair_to_train_the_support_checker_quotes_paragraphs_that_measure_nothing(
    base: Mapping[str, Subtopic],
) -> None:
    pairs, measuring = rows(SETS / "support_train.jsonl"), rows(SETS / "support.jsonl")

    assert Counter(pair["supported"] for pair in pairs) == {True: 160, False: 160}
    for pair in pairs:
        assert set(pair) == {"sentence", "passage", "subtopic", "supported", "why"}
        assert pair["passage"] in base[pair["subtopic"]].content.split("\n\n"), (
            "copy the new paragraph and judge both pairs"
        )
        assert same(pair["sentence"]) not in same(pair["passage"])
        kind, _, elsewhere = pair["why"].partition(": ")
        assert (kind == "from another passage") is bool(elsewhere)
        assert not elsewhere or elsewhere in base
    whys = Counter((pair["supported"], pair["why"].partition(": ")[0]) for pair in pairs)
    assert {why for supported, why in whys if supported} == {"reworded", "much reworded", "shortened", "merged"}
    assert {count for (supported, _), count in whys.items() if not supported} == {26, 27}
    assert set(Counter((pair["passage"], pair["supported"]) for pair in pairs).values()) == {1}
    assert set(Counter(pair["subtopic"].split(".")[0] for pair in pairs).values()) == {16}
    sentences = [pair["sentence"] for pair in pairs]
    assert len({same(sentence) for sentence in sentences}) == len(pairs)
    assert {pair["passage"] for pair in pairs}.isdisjoint(pair["passage"] for pair in measuring)
    assert copies(sentences, [pair["sentence"] for pair in measuring]) == []


def test_a_reworded_support_question_names_one_entry_of_the_data_set() -> None:
    reworded = rows(SETS / "cnil_reworded.jsonl")

    assert len(reworded) == 100
    for row in reworded:
        assert set(row) == {"question", "expected"}
        assert row["expected"].isdecimal()
    assert len({same(row["question"]) for row in reworded}) == len({row["expected"] for row in reworded}) == 100
