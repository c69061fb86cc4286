"""Search: what one types in many ways finds the same subtopic, and what the base does not hold is not answered."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from knowledge_base import subtopic, topic, write

from compagnon.errors import UserError
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.search.bm25 import Bm25
from compagnon.services.tutor.search.index import Index
from compagnon.services.tutor.search.words import fold, words

NOTHING = {"examples": [], "misconceptions": [], "glossary": []}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    cnn = topic(
        "cnn",
        subtopic(
            "cnn.convolution",
            **NOTHING | {"glossary": [{"term": "réseau convolutif (CNN)", "definition": "Il glisse un filtre."}]},
            title="La convolution",
            content="Un filtre glisse sur l'image.\n\nLe réseau convolutif apprend ses poids.",
        ),
        subtopic(
            "cnn.pooling",
            **NOTHING,
            title="Réduire la résolution",
            difficulty="advanced",
            content="Le pooling garde le maximum de chaque fenêtre de l'image.",
        ),
    )
    training = topic(
        "training",
        subtopic(
            "training.overfitting",
            **NOTHING,
            title="Le surapprentissage",
            content="Le modèle retient le bruit.\n\nLe dropout éteint des neurones pendant l'entraînement. "
            "Le fine-tuning d'un modèle préentraîné en demande moins.",
        ),
        subtopic(
            "training.gradient",
            **NOTHING,
            title="La descente de gradient",
            content="On suit la pente de la perte. Le pas d'apprentissage règle la vitesse.",
        ),
    )
    return Index(load(write(tmp_path_factory.mktemp("base"), cnn, training)))


def first(index: Index, text: str) -> str | None:
    hits = index.search(text)
    return hits[0].subtopic.id if hits else None


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("convolution", "cnn.convolution"),
        ("Les CONVOLUTIONS ?", "cnn.convolution"),
        ("c'est quoi une convolusion", "cnn.convolution"),
        ("L’image, comment la convolution la filtre-t-elle ?", "cnn.convolution"),
        ("cnn", "cnn.convolution"),
        ("reseaux convolutifs", "cnn.convolution"),
        ("entrainement dropuot", "training.overfitting"),
        ("finetuning", "training.overfitting"),
        ("fine tuning", "training.overfitting"),
        ("Fine-Tuning", "training.overfitting"),
        ("surapprentisage", "training.overfitting"),
        ("descente du gradient", "training.gradient"),
        ("pas d'apprentissage", "training.gradient"),
        ("poooling", "cnn.pooling"),
    ],
)
def test_the_same_is_found_however_it_is_typed(index: Index, typed: str, wanted: str) -> None:
    assert first(index, typed) == wanted


@pytest.mark.parametrize("text", ["", "   ", "???", "comment est-ce que", "tarte aux pommes", "\x00\U0001f600"])
def test_what_the_base_does_not_speak_of_finds_nothing(index: Index, text: str) -> None:
    assert index.search(text) == []


def test_the_passage_that_answers_comes_first(index: Index) -> None:
    (hit, *_others) = index.search("dropout des neurones")
    assert hit.quote.startswith("Le dropout")
    assert hit.passages[0].id == "training.overfitting/content/1"


def test_filters_leave_out_the_rest(index: Index) -> None:
    assert [hit.subtopic.id for hit in index.search("image", topic="cnn", level="advanced")] == ["cnn.pooling"]
    assert index.search("image", topic="training") == []
    assert len(index.search("image modèle", count=1)) == 1
    with pytest.raises(UserError, match="There is no topic"):
        index.search("image", topic="cn")


def test_typos_are_told(index: Index) -> None:
    found = index.find("dropuot convolution tartiflette")
    assert found.asked.corrected == {"dropuot": "dropout"}
    assert found.asked.unknown == ("tartiflette",)
    assert 0 < found.coverage < 1


def test_scores_go_down_and_are_the_same_each_time(index: Index) -> None:
    hits = index.search("image filtre modèle pente")
    assert len(hits) > 2
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert hits == index.search("image filtre modèle pente")


@given(st.text(max_size=300))
def test_any_text_is_answered(index: Index, text: str) -> None:
    found = index.find(text)
    assert 0 <= found.coverage <= 1.0001
    assert all(hit.passages and hit.score > 0 for hit in found.hits)


@given(st.text(max_size=80))
def test_case_does_not_matter(text: str) -> None:
    if text.upper().lower() == text.lower():
        assert [w.surface for w in words(text.upper())] == [w.surface for w in words(text.lower())]


def test_folding() -> None:
    assert fold("Œuvre ÉLÉGANTE ça") == "oeuvre elegante ca"
    assert [w.term for w in words("l'apprentissage du réseau")] == [w.term for w in words("apprentissages réseaux")]


def test_bm25_follows_the_formula() -> None:
    ranked = Bm25([[(1.0, ["a", "b"])], [(1.0, ["b", "b", "c", "c"])]], k1=1.2, b=0.5)
    idf = float(math.log(1 + 1.5 / 1.5))
    norm = 0.5 + 0.5 * 2 / 3
    assert ranked.scores({"a": 1.0})[0] == pytest.approx(idf * 2.2 / (1 + 1.2 * norm))
    assert ranked.scores({"z": 1.0}).tolist() == [0, 0]
    assert Bm25([]).scores({"a": 1.0}).size == 0
