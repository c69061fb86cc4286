"""Vectors are computed once for each text and model, and a damaged file of them is only computed again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from knowledge_base import TOPIC, subtopic, topic, write

from compagnon.errors import UserError
from compagnon.providers.embed_light import LightEmbedder, LightOptions
from compagnon.providers.embedder import Vectors, unit
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.passages import Passage, passages
from compagnon.services.tutor.search.fusion import fused
from compagnon.services.tutor.search.index import Index
from compagnon.services.tutor.search.meaning import Meaning, read, text_of, vectors_of

SHIPPED = Path(__file__).resolve().parents[4] / "src" / "compagnon" / "templates" / "tutor" / "knowledge"


class Counting:
    """An embedder by letters, which counts what it is asked."""

    Options: ClassVar[Any] = LightOptions
    extra: ClassVar[str | None] = None

    def __init__(self, *, outside: bool = False, down: bool = False) -> None:
        self.outside, self.down, self.asked = outside, down, list[str]()
        self.identity = "letters"

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return unit([[text.lower().count(letter) + 1 for letter in "abcdefghij"] for text in texts])

    def questions(self, texts: Sequence[str]) -> Vectors:
        if self.down:
            raise UserError("embedder.down", "no answer")
        return self.passages(texts)


def test_only_new_texts_are_computed(tmp_path: Path) -> None:
    embedder, store = Counting(), tmp_path / "deep" / "letters.npz"
    first = vectors_of(["abc", "def", "abc"], embedder, [store])
    assert embedder.asked == ["abc", "def"]
    np.testing.assert_array_equal(first[0], first[2])
    again = vectors_of(["def", "new", "abc"], embedder, [store])
    assert embedder.asked == ["abc", "def", "new"]
    np.testing.assert_allclose(again[0], first[1])
    assert len(read(store)) == 3
    bytes_before = store.read_bytes()
    vectors_of(["new"], embedder, [store])
    assert store.read_bytes() == bytes_before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"not a zip at all"])
def test_a_damaged_store_is_computed_again(tmp_path: Path, content: bytes) -> None:
    store = tmp_path / "letters.npz"
    store.write_bytes(content)
    assert len(vectors_of(["abc"], Counting(), [store])) == 1
    assert len(read(store)) == 1


def test_a_question_leaves_without_personal_data(tmp_path: Path) -> None:
    embedder = Counting(outside=True)
    meaning = Meaning([_passage(tmp_path)], embedder)
    meaning.vector("je suis jeanne@example.org, aide-moi")
    assert not [text for text in embedder.asked if "jeanne" in text]
    meaning = Meaning([_passage(tmp_path)], inside := Counting())
    meaning.vector("jeanne@example.org")
    assert "jeanne@example.org" in inside.asked


def test_words_alone_answer_when_the_embedder_does_not(tmp_path: Path) -> None:
    base = load(write(tmp_path, topic("cnn", subtopic("cnn.convolution"), subtopic("cnn.bits", content="Un bit."))))
    with_meaning = Index(base, meaning=lambda found: Meaning(found, Counting()))
    assert with_meaning.find("convolution").similarity is not None
    down = Index(base, meaning=lambda found: Meaning(found, Counting(outside=True, down=True)))
    found = down.find("convolution")
    assert found.similarity is None
    assert found.hits == Index(base).find("convolution").hits


def test_a_model_that_does_not_load_is_not_passed_over(tmp_path: Path) -> None:
    base = load(write(tmp_path, TOPIC))
    with pytest.raises(UserError):
        Index(base, meaning=lambda found: Meaning(found, Counting(down=True)))


def test_likely_topics_move_up(tmp_path: Path) -> None:
    rnn = topic("rnn", subtopic("rnn.convolution", title="La convolution"))
    base = load(write(tmp_path, TOPIC, rnn))
    for name in ("cnn", "rnn"):
        chances = {"cnn": 0.1, "rnn": 0.1, name: 0.9}
        assert Index(base, likely=lambda _t, c=chances: c).search("convolution")[0].subtopic.topic == name


def test_fusion_keeps_how_far_ahead_the_first_is() -> None:
    words, meaning = np.array([9.0, 1.0, 1.0, 1.0]), np.array([0.4, 0.5, 0.4, 0.4])
    total = fused([(1.0, words), (0.5, meaning)])
    assert total.argmax() == 0
    assert total[1] > total[2] == 0
    assert fused([(1.0, np.zeros(3))]).tolist() == [0, 0, 0]


def test_the_template_ships_the_vectors_of_its_base() -> None:
    """Not all of them: a passage corrected since is computed at the first search (scripts/vectors.py adds it)."""
    embedder = LightEmbedder(LightOptions(kind="light"), SHIPPED, None)
    shipped = read(SHIPPED / "vectors" / f"{embedder.identity}.npz")
    texts = [text_of(passage) for each in load(SHIPPED) for passage in passages(each)]
    assert len(shipped) > 1000
    vectors = next(iter(shipped.values()))
    assert vectors.shape == (512,)
    missing = [text for text in texts if _name(text) not in shipped]
    assert len(missing) < len(texts) / 4, "python scripts/vectors.py"


def _name(text: str) -> str:
    from compagnon.services.tutor.search import meaning

    return meaning._name(text)


def _passage(folder: Path) -> Passage:
    base = load(write(folder, TOPIC))
    return next(passages(base.subtopic("cnn.convolution")))
