from __future__ import annotations

import unicodedata

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st

from compagnon.access import password as module
from compagnon.access.password import LONGEST, Effort, check_password, hash_password, verify_password
from compagnon.errors import UserError

LIGHT = Effort(passes=1, memory=64)


def refused(text: str, about: tuple[str, ...] = ()) -> str:
    with pytest.raises(UserError) as caught:
        check_password(text, about)
    assert text in ("", "password") or text not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize(
    "text", ["hibou dormir 4", "x7!q" * 32, "Grenouille à réaction", "日本語のパスワード", "ab cd ef"]
)
def test_accepted(text: str):
    assert check_password(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "password.too-short"),
        ("seven77", "password.too-short"),
        ("e\u0301" * 7, "password.too-short"),
        ("abcd" * 32 + "e", "password.too-long"),
        ("a1!" * 1_000_000, "password.too-long"),
        ("valid but \ud800", "password.not-text"),
        ("password", "password.common"),
        ("PassWord1", "password.common"),
        ("azertyuiop", "password.common"),
        ("motdepasse", "password.common"),
        ("12345678", "password.common"),
        ("ababababab", "password.common"),
        ("compagnon", "password.about-you"),
        ("Compagnon2026!", "password.about-you"),
    ],
)
def test_refused(text: str, code: str):
    assert refused(text) == code


@pytest.mark.parametrize(
    "text", ["claudette", "Claudette75", "claudette@school.example", "75.Delacourt.75", "claudette.d@"]
)
def test_refused_as_it_says_who_one_is(text: str):
    about = ("claudette@school.example", "Claudette Delacourt", "Claudette", "Delacourt", "claudette.d@x.example")
    assert refused(text, about) == "password.about-you"


def test_a_short_name_forbids_no_password_that_merely_holds_it():
    assert check_password("al 12345 81", ("al", "Al"))
    assert check_password("claudette aime le jazz", ("claudette",))


def test_common_passwords_are_those_of_the_package_and_many():
    assert len(module._common()) > 10_000
    assert all(word == word.casefold() for word in module._common())


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
@settings(max_examples=60)
def test_only_the_same_text_is_right(one: str, other: str):
    kept = hash_password(one, LIGHT)
    assert kept.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    same = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    assert verify_password(one, kept, LIGHT).right
    assert verify_password(other, kept, LIGHT).right == same


def test_the_way_a_keyboard_composes_letters_does_not_matter():
    kept = hash_password("cafe\u0301 au lait", LIGHT)
    assert verify_password("caf\u00e9 au lait", kept, LIGHT).right


def test_what_is_kept_is_as_strong_as_owasp_asks_and_salted():
    one, other = hash_password("hibou dormir 4"), hash_password("hibou dormir 4")
    assert one != other
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_hash_made_with_other_parameters_is_made_again_once():
    kept = hash_password("hibou dormir 4", LIGHT)
    stronger = Effort(passes=2, memory=64)
    verdict = verify_password("hibou dormir 4", kept, stronger)
    assert verdict.right
    assert verdict.rehashed is not None
    assert verdict.rehashed.startswith("$argon2id$v=19$m=64,t=2,p=1$")
    assert verify_password("hibou dormir 4", verdict.rehashed, stronger) == module.Verdict(True)
    assert verify_password("wrong", kept, stronger) == module.Verdict(False)


@pytest.mark.parametrize("kept", ["", "no hash", "$argon2id$v=19$m=64,t=1,p=1$", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_damaged_hash_opens_nothing(kept: str):
    assert not verify_password("hibou dormir 4", kept, LIGHT).right


@pytest.mark.parametrize("text", ["x" * (LONGEST + 1), "a" * 10_000_000, "\ud800" * 8])
def test_what_can_be_nobodys_password_costs_nothing(text: str, monkeypatch: pytest.MonkeyPatch):
    work = count_work(monkeypatch)
    assert not verify_password(text, None).right
    assert not verify_password(text, "anything").right
    assert work == []


def test_an_unknown_account_costs_what_a_wrong_password_costs(monkeypatch: pytest.MonkeyPatch):
    kept = hash_password("hibou dormir 4", LIGHT)
    work = count_work(monkeypatch)
    verify_password("another one", kept, LIGHT)
    assert work == [(1, 64, 1)]
    verify_password("another one", None, LIGHT)
    assert work == [(1, 64, 1)] * 2


def count_work(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """Parameters of each real computation of Argon2 from now on."""
    done: list[tuple[int, int, int]] = []
    for name in ("hash", "verify"):
        real = getattr(PasswordHasher, name)

        def spy(self: PasswordHasher, *args: object, real=real) -> object:
            done.append((self.time_cost, self.memory_cost, self.parallelism))
            return real(self, *args)

        monkeypatch.setattr(PasswordHasher, name, spy)
    return done
