"""Languages, hosts, sealed values, numbers in words, fields of forms."""

from __future__ import annotations

import pytest

from compagnon.features.inputs import Input
from compagnon.i18n import use
from compagnon.services.model_api.problem import Refused
from compagnon.services.model_api.routes import is_local_name
from compagnon.web import words
from compagnon.web.fields import field_of, read_row
from compagnon.web.forms import seal, unseal
from compagnon.web.guard import where
from compagnon.web.language import negotiate
from compagnon.web.server import is_loopback


@pytest.mark.parametrize(
    ("accept", "cookie", "language"),
    [
        ("", None, "fr"),
        ("en", None, "en"),
        ("en-GB,en;q=0.9", None, "en"),
        ("de, en;q=0.5, fr;q=0.6", None, "fr"),
        ("de", None, "fr"),
        ("en;q=0", None, "fr"),
        ("en;q=x, fr", None, "fr"),
        ("fr", "en", "en"),
        ("en", "xx", "en"),
    ],
)
def test_the_language_is_the_switch_then_the_browsers_then_french(
    accept: str, cookie: str | None, language: str
) -> None:
    assert negotiate(accept, cookie) == language


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]", "[::1]:8000"])
def test_names_of_this_machine(host: str) -> None:
    assert is_local_name(host)


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "127.0.0.1:80@evil", "[::1"]
)
def test_names_of_others(host: str) -> None:
    assert not is_local_name(host)


def test_loopback_addresses() -> None:
    assert [is_loopback(h) for h in ("127.0.0.1", "::1", "localhost", "127.9.9.9")] == [True] * 4
    assert [is_loopback(h) for h in ("0.0.0.0", "::", "192.168.1.2", "example.org", "")] == [False] * 5


def test_sealed_values_come_back_and_others_do_not() -> None:
    key = b"k" * 32
    sealed = seal(key, {"text": "été", "n": 0.1})
    assert unseal(key, sealed) == {"text": "été", "n": 0.1}
    for wrong in ("", ".", sealed[1:], sealed[:-1], sealed + "0", "\udcff." + sealed):
        with pytest.raises(Refused):
            unseal(key, wrong)
    with pytest.raises(Refused):
        unseal(b"x" * 32, sealed)


def test_shares_never_say_all_or_nothing_wrongly() -> None:
    with use("en"):
        assert [words.percent(x) for x in (0, 0.001, 0.5, 0.999, 1)] == ["0%", "<\u00a01%", "50%", "99%", "100%"]
    with use("fr"):
        assert words.percent(0.87) == "87\u00a0%"


def test_small_numbers_keep_two_digits() -> None:
    with use("en"):
        assert words.value_text(0.0000123) == "0.000012"
        assert words.value_text(0.95612) == "0.956"
        assert words.value_text(4_600_000, "byte") == "4.6 MB"
        assert words.value_text(5.1, "ms") == "5.100 ms"
        assert words.value_text(None) == "–"


def test_fields_are_read_as_people_write_them() -> None:
    inputs = [
        Input("size", "float"),
        Input("on", "boolean"),
        Input("day", "date", nullable=True),
        Input("at", "timestamp"),
        Input("kind", "category", categories=("x", "y")),
    ]
    fields = [field_of(i, "", alone=False) for i in inputs]
    assert [f.kind for f in fields] == ["number", "choice", "date", "moment", "choice"]
    form = {"in-size": "1 234,5", "in-on": "true", "in-day": "", "in-at": "2026-01-31T14:05", "in-kind": "x"}
    row, shown = read_row(inputs, fields, form, "Europe/Paris")
    assert row == {"size": 1234.5, "on": True, "day": None, "at": "2026-01-31T14:05:00+01:00", "kind": "x"}
    assert not any(f.error for f in shown)
    _row, shown = read_row(inputs, fields, {"in-size": "much", "in-at": "soon"}, "Europe/Paris")
    assert [bool(f.error) for f in shown] == [True, True, False, True, True]


def test_an_exception_is_logged_by_its_place_not_its_words() -> None:
    try:
        raise ValueError("jeanne@example.org")
    except ValueError as error:
        line = where(error)
    assert line.startswith("ValueError at test_web_parts.py:")
    assert "jeanne" not in line
