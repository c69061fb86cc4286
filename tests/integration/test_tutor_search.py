"""Search over the base that the tutor ships, on questions written apart from it: it does not get worse unseen."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compagnon.services.tutor.passages import resolve, source_of
from compagnon.services.tutor.search.index import Index
from compagnon.services.tutor.search.opening import open_index
from compagnon.solution import Solution

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = ROOT / "tests" / "data" / "tutor" / "questions.jsonl"
TUTOR = ROOT / "src" / "compagnon" / "templates" / "tutor"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("tutor") / "solution"
    shutil.copytree(TUTOR, folder)
    solution = Solution(folder)
    yield open_index(solution)
    solution.close()


def questions() -> list[dict[str, Any]]:
    with QUESTIONS.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def test_questions_find_their_subtopics(index: Index) -> None:
    """Without the model of topics, which only a run makes; bench/tutor_search.py measures all."""
    gains, within = [], []
    rows = questions()[1::4]
    for row in rows:
        found = [hit.subtopic.id for hit in index.search(row["question"], count=10)]
        expected = row["expected"]
        gain = sum(1 / math.log2(place + 2) for place, name in enumerate(found) if name in expected)
        gains.append(gain / sum(1 / math.log2(place + 2) for place in range(len(expected))))
        within.append(len({*found[:5]} & {*expected}) / len(expected))
    assert sum(gains) / len(rows) > 0.74
    assert sum(within) / len(rows) > 0.74


def test_every_hit_quotes_its_exact_place(index: Index) -> None:
    for row in questions()[::20]:
        for hit in index.search(row["question"]):
            for passage in hit.passages:
                assert resolve(passage.id, index.base) == passage
                assert source_of(passage, index.base)[passage.start : passage.end] == passage.text


def test_questions_about_anything_else_often_find_nothing(index: Index) -> None:
    others = [
        "recette de la tarte aux pommes",
        "comment planter des tomates en mai",
        "conjugue le verbe aller au futur",
        "meilleur restaurant italien près de chez moi",
        "comment soigner un rhume",
        "raconte une blague",
    ]
    assert sum(not index.search(text) for text in others) >= len(others) / 2
