"""Writes the vectors that the tutor template ships, so that its first search computes none.

python scripts/vectors.py            those of each language, made anew
"""

from __future__ import annotations

import sys
from pathlib import Path

from compagnon.providers.embed_light import LightEmbedder, LightOptions
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.search.index import embedded
from compagnon.services.tutor.search.meaning import text_of, vectors_of

FOLDER = Path(__file__).resolve().parents[1] / "src" / "compagnon" / "templates" / "tutor" / "knowledge"


def main() -> int:
    embedder = LightEmbedder(LightOptions(kind="light"), FOLDER, None)
    whole = load(FOLDER)
    for base in (whole, *whole.translations.values()):
        texts = [text_of(passage) for passage in embedded(base)]
        store = base.folder / "vectors" / f"{embedder.identity}.npz"
        store.unlink(missing_ok=True)
        vectors_of(texts, embedder, [store])
        print(f"{base.folder.name}: {len(texts)} texts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
