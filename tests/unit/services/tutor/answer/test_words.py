"""What the tutor says of itself, in French and in English."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import get_args

import pytest

from compagnon.i18n import use
from compagnon.services.tutor.answer import words
from compagnon.services.tutor.answer.scope import Reason

SAID: list[Callable[[], str]] = [
    lambda: words.notice(),
    lambda: words.notice(desk=True),
    words.written_without_model,
    lambda: words.fell_back("X."),
    lambda: words.not_checked(),
    lambda: words.not_checked(desk=True),
    lambda: words.unsure(),
    lambda: words.unsure(desk=True),
    words.hints_first,
    *(
        lambda reason=reason, desk=desk: words.refusal(reason, ["Le dropout"], desk=desk)
        for reason, desk in itertools.product(get_args(Reason), (False, True))
    ),
]


@pytest.mark.parametrize("say", SAID)
def test_everything_is_said_in_both_languages(say: Callable[[], str]) -> None:
    with use("fr"):
        french = say()
    with use("en"):
        english = say()

    assert french != english
    assert "{" not in french + english


@pytest.mark.parametrize(("language", "ai"), [("fr", " IA"), ("en", "an AI")])
@pytest.mark.parametrize("desk", [False, True])
def test_the_notice_says_that_it_is_an_ai(language: str, ai: str, desk: bool) -> None:
    with use(language):
        assert ai in words.notice(desk=desk)


def test_a_failure_is_told_before_what_replaces_it() -> None:
    assert words.fell_back("The service is down.").startswith("The service is down. Here are passages")


def test_a_course_tells_its_reasons_apart() -> None:
    said = {reason: words.refusal(reason, []) for reason in get_args(Reason) if reason}

    assert len(set(said.values())) == len(said)
    assert all(said.values())


@pytest.mark.parametrize("desk", [False, True])
def test_a_refusal_proposes_what_can_be_asked(desk: bool) -> None:
    said = words.refusal("unknown", ["Le dropout", "Adam"], desk=desk)

    assert said.endswith("I can speak of: Le dropout ; Adam.")
    assert "I can speak of" not in words.refusal("unknown", [], desk=desk)


def test_who_asks_for_a_person_is_not_offered_topics() -> None:
    assert "Le dropout" not in words.refusal("person", ["Le dropout"], desk=True)
