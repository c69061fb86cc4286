"""Search of the tutor's knowledge base against plain BM25, on questions written apart from the base.

    python bench/tutor_search.py [--questions FILE] [--solution DIR]

FILE holds one JSON object a line: {"question", "level", "expected": ["topic.subtopic", ...], "written_by"}. Settings
are tuned on the even lines (from 0) and reported on the odd ones too, which were never used to choose anything. DIR is
a solution with a tutor; where its model of topics was packaged (``compagnon run``), that counts as well.

nDCG@10 and recall@5 take each expected subtopic as equally relevant. The latency is that of one question after
another in one process, meaning and topics included where they take part.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from compagnon.providers.embedder import Embedder, open_embedder
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.knowledge.model import Subtopic
from compagnon.services.tutor.passages import passages
from compagnon.services.tutor.place import knowledge_folder
from compagnon.services.tutor.search.bm25 import Bm25
from compagnon.services.tutor.search.index import Index
from compagnon.services.tutor.search.language import language_of
from compagnon.services.tutor.search.meaning import Meaning
from compagnon.services.tutor.search.opening import likely_topics
from compagnon.services.tutor.search.words import words
from compagnon.solution import Solution

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = ROOT / "tests" / "data" / "tutor" / "questions.jsonl"
TUTOR = ROOT / "src" / "compagnon" / "templates" / "tutor"

Search = Callable[[str], Sequence[str]]
"""Ids of the ten best subtopics for a question."""


def plain(base: Base, cut: Callable[[str], list[str]]) -> Search:
    """BM25 as textbooks have it (k1 1.5, b 0.75) over the whole text of each subtopic."""
    subtopics = list(base)
    ranked = Bm25(([(1.0, cut(_whole(subtopic)))] for subtopic in subtopics), k1=1.5, b=0.75)

    def search(question: str) -> list[str]:
        scores = ranked.scores(dict.fromkeys(cut(question), 1.0))
        return [subtopics[place].id for place in np.argsort(-scores, kind="stable")[:10] if scores[place] > 0]

    return search


def _whole(subtopic: Subtopic) -> str:
    found = [subtopic.title, *(e.code or "" for e in subtopic.examples)]
    return " ".join([*found, *(f"{p.heading} {p.text}" for p in passages(subtopic))])


def lower_case(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def stems(text: str) -> list[str]:
    return [word.term for word in words(text)]


def ours(index: Index) -> Search:
    """Each question in its own language, where the base has it."""

    def search(question: str) -> list[str]:
        spoken = index.spoken(language_of(question, index.base.language))
        return [hit.subtopic.id for hit in spoken.search(question, count=10)]

    return search


def indexed(base: Base, embedder: Embedder | None = None, vectors: Path | None = None, **more: Any) -> Index:
    """The index of ``base``, and of its translations once they are asked."""

    def opened(one: Base) -> Index:
        stores = [vectors / one.language / f"{embedder.identity}.npz"] if embedder and vectors else []
        meaning = partial(Meaning, embedder=embedder, stores=stores) if embedder else None
        return Index(one, meaning=meaning, other=opened, **more)

    return opened(base)


def ndcg(found: Sequence[str], expected: Sequence[str]) -> float:
    """Normalized discounted cumulative gain at 10, each expected subtopic worth 1."""
    gain = sum(1 / np.log2(place + 2) for place, name in enumerate(found[:10]) if name in expected)
    return float(gain / sum(1 / np.log2(place + 2) for place in range(min(10, len(expected)))))


def recall(found: Sequence[str], expected: Sequence[str]) -> float:
    """Share of the expected subtopics among the first five, of those that five places can hold."""
    return len(set(found[:5]) & set(expected)) / min(5, len(expected))


def measure(search: Search, rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The mean measures over questions, and the 95th percentile of the time of one, in milliseconds."""
    gains, recalls, first, times = [], [], [], []
    for row in rows:
        start = time.perf_counter()
        found = search(row["question"])
        times.append((time.perf_counter() - start) * 1000)
        gains.append(ndcg(found, row["expected"]))
        recalls.append(recall(found, row["expected"]))
        first.append(bool(found) and found[0] in row["expected"])
    p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    return {
        "ndcg@10": statistics.mean(gains),
        "recall@5": statistics.mean(recalls),
        "first": statistics.mean(first),
        "p95 ms": p95,
    }


def searches(solution: Solution, vectors: Path) -> dict[str, Search]:
    """What is compared, by name."""
    base = load(knowledge_folder(solution.root, solution.spec))
    likely = likely_topics(solution)
    found = {
        "plain BM25": plain(base, lower_case),
        "plain BM25 on stems": plain(base, stems),
        "words and fragments": ours(indexed(base)),
    }
    from compagnon.providers.embed_light import LightOptions

    embedder = open_embedder(LightOptions(kind="light"), solution.root, solution.secrets)
    found["and meaning (light)"] = ours(indexed(base, embedder, vectors))
    if likely is not None:
        found["words, fragments, topics"] = ours(indexed(base, likely=likely))
        found["and meaning (light), topics"] = ours(indexed(base, embedder, vectors, likely=likely))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    parser.add_argument("--solution", type=Path, default=TUTOR)
    parser.add_argument("--vectors", type=Path, default=ROOT / "build" / "vectors", help="where vectors are kept")
    given = parser.parse_args()
    with given.questions.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    halves = {"tuned on": rows[0::2], "held out": rows[1::2], "all": rows}
    print(f"{len(rows)} questions")
    for name, search in searches(Solution(given.solution), given.vectors).items():
        search("à quoi sert un réseau de neurones ?")  # models load at the first question
        for half, some in halves.items():
            figures = measure(search, some)
            print(f"{name:30} {half:9}", *(f"{key} {value:7.3f}" for key, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
