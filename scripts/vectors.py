"""Writes the vectors that the tutor template ships, so that its first search computes none.

python scripts/vectors.py            only what is new is computed; vectors of passages that are gone leave the file
"""

from __future__ import annotations

import sys
from pathlib import Path

from compagnon.providers.embed_light import LightEmbedder, LightOptions
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.passages import passages
from compagnon.services.tutor.search.meaning import text_of, vectors_of

FOLDER = Path(__file__).resolve().parents[1] / "src" / "compagnon" / "templates" / "tutor" / "knowledge"


def main() -> int:
    embedder = LightEmbedder(LightOptions(kind="light"), FOLDER, None)
    texts = [text_of(passage) for subtopic in load(FOLDER) for passage in passages(subtopic)]
    vectors_of(texts, embedder, [FOLDER / "vectors" / f"{embedder.identity}.npz"])
    print(f"{len(texts)} passages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
