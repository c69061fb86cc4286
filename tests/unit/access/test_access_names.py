"""Sign-in names, names shown, origins and cookies: what has no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.access.cookies import CookieStyle, Tokens
from compagnon.access.name import check_language, check_name, check_sign_in, normalize_sign_in
from compagnon.access.origin import Origin
from compagnon.access.token import digest_of, new_token
from compagnon.errors import UserError

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"


LONGER = ("x" * 201, "a@b..fr", "a\u202eb", "ab\u200b", "x" * 100_000, "ab\ud800", "a@b.fr\x00")


@given(st.text(st.characters(), max_size=300))
def test_normalizing_twice_changes_nothing(text: str):
    assert normalize_sign_in(normalize_sign_in(text)) == normalize_sign_in(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("  Claudette ", "claudette"),
        ("Élève.01", "élève.01"),
        ("E\u0301le\u0300ve.01", "élève.01"),
        ("PROF@Lycee.Example", "prof@lycee.example"),
        ("ﬁona", "fiona"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("o.brien+test@mail.school.example", "o.brien+test@mail.school.example"),
    ],
)
def test_sign_in_names_are_found_however_they_are_written(text: str, found: str):
    assert check_sign_in(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        " ",
        "a b",
        "-ab",
        "ab.",
        "_ab",
        "a\x00b",
        "a/b",
        "<b>",
        "a@b",
        "@b.fr",
        "a@b@c.fr",
        "a b@c.fr",
        "a@.fr",
        *LONGER,
    ],
)
def test_what_cannot_serve_to_sign_in(text: str):
    with pytest.raises(UserError) as caught:
        check_sign_in(text)
    assert caught.value.code == "account.bad-sign-in"


@pytest.mark.parametrize("text", ["", "   ", "x" * 101, "a\u202eb", "a\x00", "\ud800", "a\u200bb"])
def test_names_that_cannot_be_shown(text: str):
    with pytest.raises(UserError) as caught:
        check_name(text)
    assert caught.value.code == "account.bad-name"


def test_names_that_can():
    assert check_name("  Ana\u0308is   d'Été ") == "Anäis d'Été"
    assert check_language(None) is None
    assert check_language("fr") == "fr"
    with pytest.raises(UserError):
        check_language("xx")


@pytest.mark.parametrize(
    ("address", "network", "source"),
    [
        ("192.0.2.77", "192.0.2.0/24", "192.0.2.77/32"),
        ("::ffff:192.0.2.77", "192.0.2.0/24", "192.0.2.77/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/48", "fe80::/64"),
        ("testclient", "", ""),
        ("", "", ""),
        ("192.0.2.77, 10.0.0.1", "", ""),
    ],
)
def test_addresses_are_truncated(address: str, network: str, source: str):
    origin = Origin(address)
    assert (origin.network, origin.source) == (network, source)


@pytest.mark.parametrize(
    ("agent", "browser"),
    [(FIREFOX, "Firefox · Linux"), (CHROME, "Chrome · Windows"), (PHONE, "Safari · iOS"), ("curl/8", ""), ("", "")],
)
def test_browsers_are_told_by_family(agent: str, browser: str):
    assert Origin("", agent).browser == browser


@given(st.text(), st.text())
def test_no_origin_breaks_and_none_is_printed(address: str, agent: str):
    origin = Origin(address, agent)
    assert len(origin.browser) <= 80
    assert len(origin.network) <= 64
    assert repr(origin) == "Origin()"


@given(st.text())
def test_only_tokens_have_digests(text: str):
    assert len(digest_of(text)) in (0, 64)
    assert digest_of("") == digest_of("x" * 44) == digest_of("é" * 43) == ""
    assert len(digest_of(new_token())) == 64


NOW = datetime(2026, 1, 5, tzinfo=UTC)


def test_cookies_are_safe_over_https():
    style = CookieStyle(https=True)
    tokens = Tokens("aaa", "rrr", NOW + timedelta(days=30), remembered=True)
    access, refresh = style.write(tokens, NOW)
    assert access.header == "__Host-compagnon_access=aaa; Path=/; SameSite=Lax; Max-Age=2592000; Secure; HttpOnly"
    assert refresh.name == "__Host-compagnon_refresh"
    assert style.read({access.name: "aaa", refresh.name: "rrr"}) == ("aaa", "rrr")
    assert "aaa" not in repr(tokens)
    assert "aaa" not in repr(access)


def test_cookies_of_a_session_not_remembered_end_with_the_browser():
    access, _refresh = CookieStyle(https=False).write(Tokens("a", "r", NOW + timedelta(hours=12), False), NOW)
    assert access.header == "compagnon_access=a; Path=/; SameSite=Lax; HttpOnly"
    assert [cookie.header for cookie in CookieStyle(https=False).clear()] == [
        "compagnon_access=; Path=/; SameSite=Lax; Max-Age=0; HttpOnly",
        "compagnon_refresh=; Path=/; SameSite=Lax; Max-Age=0; HttpOnly",
    ]


def test_two_applications_on_one_host_do_not_take_each_others_cookies():
    one, other = CookieStyle(False, "/srv/one"), CookieStyle(False, "/srv/other")
    assert one.name("access") != other.name("access")
    assert "srv" not in one.name("access")
