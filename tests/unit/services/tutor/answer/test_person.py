"""Who asks for a person is told from who asks how one is reached."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.services.tutor.answer.person import asks_for_person
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.search.index import Index


@pytest.mark.parametrize(
    "text",
    [
        "je veux parler à un conseiller",
        "Passez-moi quelqu'un svp",
        "un humain",
        "une vraie personne s'il vous plaît !",
        "mettez-moi en relation avec votre service client",
        "I want to talk to a human",
        "connect me to an agent",
        "real person please",
        "JE VOUDRAIS UN HUMAIN",
    ],
)
def test_a_person_is_asked_for(text: str) -> None:
    assert asks_for_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "quel est le numéro pour joindre un conseiller ?",
        "à quels horaires peut-on parler à un conseiller ?",
        "how long does it take to talk to an agent?",
        "mon colis est chez une autre personne",
        "combien de personnes travaillent ici ?",
        "le dropout parle au réseau",
        "",
    ],
)
def test_a_question_about_persons_is_answered(text: str) -> None:
    assert not asks_for_person(text)


@given(st.text(max_size=80))
def test_case_and_accents_change_nothing(text: str) -> None:
    assert asks_for_person(text) == asks_for_person(text.casefold())


def test_no_title_of_the_bases_asks_for_a_person(base: Base, faq: Index) -> None:
    """What the base answers is not handed over."""
    titles = [s.title for each in (base, base.spoken("en"), faq.base) for s in each]

    assert [title for title in titles if asks_for_person(title)] == []
