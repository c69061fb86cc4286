"""Whether a passage supports a sentence: its words, numbers, names, negations and opposites."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compagnon.services.tutor.answer.sentences import sentences
from compagnon.services.tutor.answer.support import numbers, support, terms
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.passages import passages

PASSAGE = (
    "Le dropout coupe au hasard 20 % des neurones. Il réduit le surapprentissage d'un réseau dense. "
    "À l'inférence, aucun neurone n'est coupé. Avec PyTorch, on écrit nn.Dropout. Trop de poids augmente l'écart."
)


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("Le dropout coupe au hasard 20 % des neurones.", ""),
        # The price of the order: a sentence that is right and turned round is left out too.
        ("20 % des neurones sont coupés au hasard par le dropout.", "scrambled"),
        ("Le surapprentissage réduit le dropout d'un réseau dense.", "scrambled"),
        ("Le dropout coupe au hasard 20 % des neurones = rien.", "sign"),
        ("Le dropout coupe au hasard 50 % des neurones à chaque pas.", "number"),
        ("Le dropout ne coupe pas au hasard 20 % des neurones.", "negation"),
        ("Le dropout augmente le surapprentissage d'un réseau dense.", "opposite"),
        ("Avec TensorFlow, on écrit nn.Dropout.", "entity"),
        ("La tour Eiffel domine Paris depuis le quai.", "words"),
        ("", "words"),
        ("Oui.", "words"),
    ],
)
def test_what_speaks_against_a_sentence_is_told(sentence: str, why: str) -> None:
    verdict = support(sentence, PASSAGE)

    assert (verdict.supported, verdict.why) == (not why, why)


@given(st.text(max_size=80), st.text(max_size=120))
def test_a_verdict_points_inside_the_passage(sentence: str, passage: str) -> None:
    verdict = support(sentence, passage)

    assert 0 <= verdict.start <= verdict.end <= len(passage)
    assert 0.0 <= verdict.score <= 1.0
    assert verdict.supported == (not verdict.why)
    if verdict.supported:
        assert passage[verdict.start : verdict.end].strip()


@given(st.text(max_size=80))
def test_nothing_supports_a_sentence_from_an_empty_passage(sentence: str) -> None:
    assert not support(sentence, "").supported


@pytest.mark.parametrize("language", ["fr", "en"])
def test_sentences_of_the_base_are_supported_by_their_passage_and_not_by_another(base: Base, language: str) -> None:
    """Word for word: a checker that refuses these leaves good answers out; one that takes the others checks nothing."""
    found = [
        (p, p.text[start:end])
        for s in base.spoken(language)
        for p in passages(s)
        if p.part == "content"
        for start, end in sentences(p.text)
        if len(terms(p.text[start:end])) >= 5
    ]
    chosen = random.Random(5).sample(found, 150)
    own = [support(sentence, passage.text) for passage, sentence in chosen]
    others = [support(sentence, chosen[place - 7][0].text) for place, (_passage, sentence) in enumerate(chosen)]

    assert sum(verdict.supported for verdict in own) >= 0.97 * len(own)
    assert sum(verdict.supported for verdict in others) <= 0.02 * len(others)


@settings(max_examples=50)
@given(st.integers(0, 10**9), st.sampled_from([" ", "\u00a0", "\u202f"]))
def test_groups_of_thousands_are_one_number(value: int, blank: str) -> None:
    written = f"{value:,}".replace(",", blank)

    assert numbers(f"soit {written} poids") == numbers(f"{value} poids") == {str(value)}


@settings(max_examples=50)
@given(st.integers(0, 999), st.integers(0, 99))
def test_a_decimal_comma_is_a_point_and_a_sign_is_left_out(whole: int, rest: int) -> None:
    wanted = {f"{whole}.{rest}"}

    assert numbers(f"vaut {whole},{rest} ou -{whole}.{rest}, puis −{whole},{rest}.") == wanted


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("deux couches et three heads", {"2", "3"}),
        ("20% de 3×3", {"20", "3"}),
        ("GPT4 en int8", {"4", "8"}),
        ("2026-11-21", {"2026", "11", "21"}),
        ("un neurone", set()),
        ("", set()),
    ],
)
def test_numbers_are_found_in_words_and_names(text: str, found: set[str]) -> None:
    assert numbers(text) == found


@given(st.text(max_size=100))
def test_numbers_of_any_text_hold_a_digit(text: str) -> None:
    assert all(any(c.isdigit() for c in number) for number in numbers(text))


def test_terms_are_the_same_for_the_forms_of_a_word() -> None:
    assert terms("Les réseaux convolutifs") == terms("un RESEAU convolutif")
    assert terms("le 12 de la") == frozenset()
