"""Search of the support chatbot on a real FAQ, against plain BM25.

    python bench/support.py [--faq FILE] [--questions FILE]

FILE of the FAQ is in the form of SQuAD, each article with its ``id``: the frequent questions of the CNIL (512 of them,
whose text has glued words), which are not part of Compagnon. They are imported as ``compagnon knowledge import`` does,
the words that seem glued left as they are, then parted. The questions are ``tests/data/tutor/cnil_reworded.jsonl``, one
JSON object a line: {"question", "expected"}; the settings of the search were not chosen on them.

Printed: how often the right answer comes first, and within the first five, for the same base.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.providers.embed_light import LightOptions
from compagnon.providers.embedder import open_embedder
from compagnon.services.tutor.answer.scope import Boundary
from compagnon.services.tutor.faq.take import bare, import_faq
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.search.index import Index
from compagnon.services.tutor.search.meaning import Meaning
from tutor_search import Search, lower_case, ours, plain, stems

ROOT = Path(__file__).resolve().parents[1]
FAQ = ROOT.parent / "shared" / "data" / "cnil_faq" / "squad.json"
QUESTIONS = ROOT / "tests" / "data" / "tutor" / "cnil_reworded.jsonl"


def expected(faq: Path, base: Base) -> dict[str, set[str]]:
    """The entries of ``base`` that each id of the data set became."""
    by_title = {bare(subtopic.title): subtopic.id for subtopic in base}
    found: dict[str, set[str]] = {}
    for article in json.loads(faq.read_text(encoding="utf-8"))["data"]:
        asked = [each["question"] for paragraph in article["paragraphs"] for each in paragraph["qas"]]
        ids = {by_title[bare(question)] for question in asked if bare(question) in by_title}
        found.setdefault(article["id"], set()).update(ids)
    return found


def measure(search: Search, rows: list[dict[str, Any]], right: dict[str, set[str]]) -> tuple[float, float]:
    """Share of the questions whose right answer is first, and among the first five."""
    first = five = 0
    for row in rows:
        found = search(row["question"])
        first += bool(set(found[:1]) & right[row["expected"]])
        five += bool(set(found[:5]) & right[row["expected"]])
    return first / len(rows), five / len(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faq", type=Path, default=FAQ)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    given = parser.parse_args()
    if not given.faq.is_file():
        print(f"{given.faq} is not there: nothing measured")
        return 0
    rows = [json.loads(line) for line in given.questions.read_text(encoding="utf-8").splitlines() if line.strip()]
    with tempfile.TemporaryDirectory() as scratch:
        embedder = open_embedder(LightOptions(kind="light"), Path(scratch), Secrets(Workspace(Path(scratch)), {}))
        for parted in (False, True):
            folder = Path(scratch, "parted" if parted else "as-it-is")
            taken = import_faq(given.faq, folder, part_words=parted)
            base = load(folder)
            right = expected(given.faq, base)
            print(
                f"glued words {'parted' if parted else 'left'}: {len(taken.ids)} entries taken, "
                f"{len(taken.refused)} refused, {taken.mended} mended, {len(taken.glued)} words seem glued"
            )
            words, both = Index(base), Index(base, meaning=partial(Meaning, embedder=embedder))
            searches: dict[str, Search] = {
                "plain BM25": plain(base, lower_case),
                "plain BM25 on stems": plain(base, stems),
                "words and fragments": ours(words),
                "and meaning (light)": ours(both),
            }
            for name, search in searches.items():
                first, five = measure(search, rows, right)
                print(f"  {name:22} first {first:6.1%}   within five {five:6.1%}")
            boundary = Boundary(base)
            scopes = [boundary.decide(row["question"], both.find(row["question"])) for row in rows]
            answered = sum(scope.within for scope in scopes)
            print(f"  answered {answered}, surely {sum(s.within and s.sure for s in scopes)} of {len(rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
