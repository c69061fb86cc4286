from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compagnon.privacy.patterns import mask_text
from compagnon.privacy.veil import Veil

VALUES = {
    "EMAIL": ["marie.curie@lycee.example.fr", "élève+tp@école.fr"],
    "PHONE": ["06 12 34 56 78", "+33 6 12 34 56 78", "0033612345678", "+44 20 7946 0958", "+352 621 123 456"],
    "IBAN": ["FR76 3000 6000 0112 3456 7890 189", "DE89370400440532013000"],
    "NIR": ["1 85 05 78 006 084 91", "185057800608491"],
    "CARD": ["4111 1111 1111 1111"],
    "STUDENT": ["0123456789A", "123456789AB", "2104E04567K"],
    "IP": ["192.168.12.7"],
    "ADDRESS": ["12 bis, rue des Lilas 75011 Paris", "3 avenue Jean Jaurès"],
}
FLAT = [value for values in VALUES.values() for value in values]


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in VALUES.items() for value in values])
def test_each_kind_is_hidden_and_shown_again(kind: str, value: str) -> None:
    veil = Veil()
    text = f"Bonjour, voici : {value}\nMerci."
    hidden = veil.hide(text)
    assert value not in hidden
    assert f"[{kind}_1]" in hidden
    assert veil.show(hidden) == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Je m'appelle Zoé Lefèvre et je bloque.", "Zoé Lefèvre"),
        ("je m’appelle zoé, aide-moi", "zoé"),
        ("My name is Ada Lovelace.", "Ada Lovelace"),
        ("Mon numéro étudiant est 22104567, pourquoi ?", "22104567"),
        ("Numéro d'élève : 220145", "220145"),
        ("student id 21900456", "21900456"),
        ("Né le 12/03/2005 à Lyon", "12/03/2005"),
        ("née le 3 avril 2006", "3 avril 2006"),
        ("Mme Durand m'a dit", "Durand"),
        ("Cordialement,\nJean Martin", "Jean Martin"),
    ],
)
def test_what_a_sentence_announces_is_hidden(text: str, secret: str) -> None:
    veil = Veil()
    hidden = veil.hide(text)
    assert secret not in hidden
    assert veil.show(hidden) == text


@pytest.mark.parametrize(
    "text",
    [
        "Quelle est la différence entre un CNN et un RNN ?",
        "Pourquoi 0,001 comme taux d'apprentissage, et 128 comme taille de lot ?",
        "Je suis perdu avec la rétropropagation : 3 couches de 1024 neurones, 16 époques.",
        "ResNet-50 a 25 557 032 paramètres ; VGG16 en a 138 357 544.",
        "Le 12/03/2024, version 2.4.1 de PyTorch",
    ],
)
def test_ordinary_questions_stay_as_they_are(text: str) -> None:
    assert Veil().hide(text) == text


@pytest.mark.parametrize(
    "written", ["Zoé Lefèvre", "ZOE LEFEVRE", "zoé  lefèvre", "Zoe\u0301 Lefe\u0300vre", "Lefèvre", "Zoé"]
)
def test_declared_names_are_hidden_in_any_spelling(written: str) -> None:
    veil = Veil(["Zoé Lefèvre"])
    text = f"C'est la copie de {written}."
    hidden = veil.hide(text)
    assert "ef" not in hidden
    assert "Zo" not in hidden
    assert veil.show(hidden) == text


def test_a_part_of_a_name_in_lower_case_is_an_ordinary_word() -> None:
    assert Veil(["Rose Pierre"]).hide("une pierre rose") == "une pierre rose"
    assert Veil(["", " ", "x"]).hide("x ?") == "x ?"


def test_a_value_keeps_its_placeholder_in_a_conversation() -> None:
    veil = Veil()
    first, second = veil.hide("a@b.fr puis c@d.fr"), veil.hide("encore a@b.fr")
    assert (first, second) == ("[EMAIL_1] puis [EMAIL_2]", "encore [EMAIL_1]")
    assert veil.hidden == 2


def test_a_placeholder_in_the_text_is_not_taken_for_one_of_ours() -> None:
    veil = Veil()
    text = "Que veut dire [EMAIL_1] ? Mon adresse : a@b.fr"
    hidden = veil.hide(text)
    assert hidden == "Que veut dire [TEXT_1] ? Mon adresse : [EMAIL_1]"
    assert veil.show(hidden) == text


def test_a_model_may_change_the_case_and_invent() -> None:
    veil = Veil()
    veil.hide("a@b.fr")
    assert veil.show("[email_1] et [EMAIL_2] et [PHONE_1]") == "a@b.fr et [EMAIL_2] et [PHONE_1]"


def test_nothing_of_it_is_shown_in_a_log() -> None:
    veil = Veil(["Zoé Lefèvre"])
    veil.hide("a@b.fr")
    assert repr(veil) == "Veil(1 values)"


words = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)
mixed = st.lists(
    st.one_of(words, st.sampled_from(FLAT), st.sampled_from(["[EMAIL_1]", "[", "[NAME_", "_1]", " ", "\n"])), max_size=8
)


@given(mixed.map("".join), st.lists(st.sampled_from(["Zoé Lefèvre", "Al", "K. Ito"]), max_size=2))
@settings(max_examples=300, deadline=None)
def test_hiding_then_showing_gives_the_text_back(text: str, names: list[str]) -> None:
    veil = Veil(names)
    assert veil.show(veil.hide(text)) == text


@given(mixed.map(" ".join))
@settings(max_examples=300, deadline=None)
def test_nothing_recognizable_is_left(text: str) -> None:
    hidden = Veil().hide(text)
    assert mask_text(hidden) == hidden


@given(mixed.map(" ".join), st.data())
@settings(max_examples=300, deadline=None)
def test_a_stream_cut_anywhere_shows_the_same(text: str, data: st.DataObject) -> None:
    veil = Veil()
    hidden = veil.hide(text)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(hidden)), max_size=12)))
    lifting = veil.lifting()
    pieces = [lifting.feed(hidden[a:b]) for a, b in zip([0, *cuts], [*cuts, len(hidden)], strict=True)]
    assert "".join(pieces) + lifting.end() == text


@given(st.text(alphabet="[EMAIL_1]x ", max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_more_is_held_back_than_a_placeholder(text: str) -> None:
    veil = Veil()
    lifting = veil.lifting()
    for place, sign in enumerate(text):
        lifting.feed(sign)
        held = lifting.end()
        assert len(held) <= 19
        lifting.feed(held)
        assert text[: place + 1].endswith(held)


def test_long_texts_take_no_time_that_grows_with_their_square() -> None:
    text = "Une phrase. [" * 20_000 + "a@b.fr " * 500
    assert len(re.findall(r"\[EMAIL_1\]", Veil().hide(text))) == 500
