"""Writes what the tutor template ships so that its first question computes nothing: vectors, and what is in scope.

python scripts/vectors.py            the vectors of each language, then what is learned from scope.jsonl
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from compagnon.providers.embed_light import LightEmbedder, LightOptions
from compagnon.services.tutor.answer.learned import as_file, place_of
from compagnon.services.tutor.answer.learning import learn, read_examples
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.search.index import Index, embedded
from compagnon.services.tutor.search.meaning import Meaning, text_of, vectors_of

TEMPLATE = Path(__file__).resolve().parents[1] / "src" / "compagnon" / "templates" / "tutor"


def main() -> int:
    embedder = LightEmbedder(LightOptions(kind="light"), TEMPLATE, None)
    whole = load(TEMPLATE / "knowledge")

    def store(base: Base) -> Path:
        return base.folder / "vectors" / f"{embedder.identity}.npz"

    def opened(base: Base) -> Index:
        return Index(base, meaning=partial(Meaning, embedder=embedder, stores=[store(base)]), other=opened)

    for base in (whole, *whole.translations.values()):
        texts = [text_of(passage) for passage in embedded(base)]
        store(base).unlink(missing_ok=True)
        vectors_of(texts, embedder, [store(base)])
        print(f"{base.folder.name}: {len(texts)} texts")
    examples = TEMPLATE / "scope.jsonl"
    learned, measured = learn(read_examples(examples, examples.name), examples, opened(whole))
    place_of(examples).write_bytes(as_file(learned))
    print(measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
