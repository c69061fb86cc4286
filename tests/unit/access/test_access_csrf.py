from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.access import csrf

KEY, OTHER = b"k" * 32, b"o" * 32
anything = st.text(max_size=120)


def test_a_token_is_good_for_its_session_only():
    token = csrf.token(KEY, "session-one")
    assert csrf.check(KEY, "session-one", token)
    assert not csrf.check(KEY, "session-two", token)
    assert not csrf.check(OTHER, "session-one", token)
    assert token != csrf.token(KEY, "session-one")


@given(st.data())
def test_a_token_altered_anywhere_is_refused(data: st.DataObject):
    token = csrf.token(KEY, "s")
    place = data.draw(st.integers(0, len(token) - 1))
    sign = data.draw(st.characters().filter(lambda sign: sign != token[place]))
    assert not csrf.check(KEY, "s", token[:place] + sign + token[place + 1 :])
    assert not csrf.check(KEY, "s", token[:place])


@given(anything, anything)
def test_nothing_made_up_is_accepted_and_nothing_breaks(subject: str, token: str):
    assert not csrf.check(KEY, subject, token)
    assert not csrf.check_anonymous(KEY, subject, token)


def test_without_a_session_no_token_is_good():
    assert not csrf.check(KEY, "", csrf.token(KEY, ""))


def test_an_anonymous_token_needs_its_own_signed_cookie():
    seed, other = csrf.new_seed(KEY), csrf.new_seed(KEY)
    token = csrf.anonymous_token(KEY, seed)
    assert csrf.check_anonymous(KEY, seed, token)
    assert not csrf.check_anonymous(KEY, other, token)
    assert not csrf.check_anonymous(OTHER, seed, token)


@pytest.mark.parametrize("seed", ["chosen", "chosen.", ".", "", "chosen.signature"])
def test_a_cookie_put_there_by_a_neighbor_is_refused(seed: str):
    assert not csrf.is_seed(KEY, seed)
    assert not csrf.check_anonymous(KEY, seed, csrf.anonymous_token(KEY, seed))


def test_tokens_of_sessions_and_of_others_do_not_serve_for_each_other():
    seed = csrf.new_seed(KEY)
    assert not csrf.check_anonymous(KEY, seed, csrf.token(KEY, seed))
    assert not csrf.check(KEY, seed, csrf.anonymous_token(KEY, seed))
