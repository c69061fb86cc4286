"""The question sets that measure the tutor: whole, without doubles, and tied to the base as it stands."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.knowledge.model import Subtopic

SETS = Path(__file__).parents[3] / "data" / "tutor"
TEMPLATE = Path(str(files("compagnon") / "templates" / "tutor"))
LEVELS = {"beginner", "intermediate", "advanced"}


def rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a file that holds one a line."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def same(text: str) -> str:
    """The text without what two copies may differ by: case and spaces."""
    return " ".join(text.casefold().split())


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


def test_a_reworded_support_question_names_one_entry_of_the_data_set() -> None:
    reworded = rows(SETS / "cnil_reworded.jsonl")

    assert len(reworded) == 100
    for row in reworded:
        assert set(row) == {"question", "expected"}
        assert row["expected"].isdecimal()
    assert len({same(row["question"]) for row in reworded}) == len({row["expected"] for row in reworded}) == 100
