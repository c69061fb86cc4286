from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from compagnon.access import sign_in as module
from compagnon.access import throttle
from compagnon.access.account import Account, disable_account
from compagnon.access.audit import list_events
from compagnon.access.cookies import CookieStyle
from compagnon.access.link import make_link, read_link
from compagnon.access.origin import Origin
from compagnon.access.password import Effort, hash_password
from compagnon.access.session import authenticate, list_sessions
from compagnon.access.sign_in import SignedIn, change_password, sign_in
from compagnon.access.throttle import ADDRESS, FORGET, NAME, PAIR, Pace, TooSoon
from compagnon.database.tables import accounts, metadata, throttles
from compagnon.errors import UserError

KEY = b"k" * 32
GOOD, BETTER, WRONG = "hibou dormir 4", "sept chaises bleues", "not that one"
HERE = Origin("192.0.2.77", "Firefox/140.0 Linux")
LIGHT = hash_password(GOOD, Effort(passes=1, memory=64))
STYLE = CookieStyle(https=False)


@pytest.fixture
def account(person) -> Account:
    return person(password=LIGHT)


def attempt(engine: Engine, name: str, password: str, now: datetime, origin: Origin = HERE) -> str:
    try:
        sign_in(engine, KEY, name, password, origin=origin, now=now)
    except UserError as error:
        return error.code
    return "done"


def test_signing_in_begins_a_session_and_leaves_a_trace(engine: Engine, account: Account, now: datetime):
    done = sign_in(engine, KEY, account.sign_in.upper(), GOOD, origin=HERE, remember=True, now=now)
    assert isinstance(done, SignedIn)
    jar = {cookie.name: cookie.value for cookie in STYLE.write(done.tokens, now)}
    assert authenticate(engine, STYLE, jar, now).identity == done.identity == account.identity
    [event] = list_events(engine)
    assert (event.kind, event.account, event.network, event.browser) == (
        "signed-in",
        account.id,
        "192.0.2.0/24",
        "Firefox · Linux",
    )


def test_a_hash_of_old_parameters_is_replaced_at_the_next_sign_in(engine: Engine, account: Account, now: datetime):
    for _ in range(2):
        assert attempt(engine, account.sign_in, GOOD, now) == "done"
        with engine.connect() as connection:
            kept = connection.execute(select(accounts.c.password)).scalar_one()
        assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_every_refusal_reads_the_same(engine: Engine, person, account: Account, now: datetime):
    invited, disabled = person(password=None), person(password=LIGHT)
    disable_account(engine, disabled.id, actor=None, now=now)
    said = set()
    for name, password in (
        (account.sign_in, WRONG),
        (account.sign_in, ""),
        (account.sign_in, "x" * 5000),
        ("nobody", GOOD),
        ("", ""),
        ("x\x00y", GOOD),
        ("\ud800", "\ud800"),
        (invited.sign_in, ""),
        (disabled.sign_in, GOOD),
    ):
        with pytest.raises(UserError) as caught:
            sign_in(engine, KEY, name, password, origin=HERE, now=now)
        said.add(str(caught.value))
    assert len(said) == 1
    events = list_events(engine, limit=9)
    assert {event.kind for event in events} == {"refused"}
    assert [event.account for event in reversed(events)][3:6] == [None] * 3


def test_neither_password_nor_unknown_name_nor_address_is_kept(engine: Engine, account: Account, now: datetime):
    typed = ("my-secret-typed-as-a-name", "canary-password")
    attempt(engine, *typed, now)
    attempt(engine, account.sign_in, typed[1], now)
    with engine.connect() as connection:
        kept = "".join(str(connection.execute(select(table)).all()) for table in metadata.sorted_tables)
    assert account.id in kept
    assert [text for text in (*typed, HERE.address) if text in kept] == []


@pytest.mark.parametrize("known", [True, False])
def test_guessing_gets_slower_for_known_and_unknown_names_alike(engine, account: Account, now: datetime, known: bool):
    name = account.sign_in if known else "nobody"
    assert [attempt(engine, name, WRONG, now) for _ in range(PAIR.free + 1)] == ["sign-in.refused"] * (PAIR.free + 1)
    moment, waits = now, []
    for _ in range(14):
        with pytest.raises(TooSoon) as caught:
            sign_in(engine, KEY, name, GOOD, origin=HERE, now=moment)
        waits.append(caught.value.wait.total_seconds())
        moment += caught.value.wait
        assert attempt(engine, name, WRONG, moment) == "sign-in.refused"
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]
    assert "delayed" in {event.kind for event in list_events(engine)}
    if known:
        assert attempt(engine, name, GOOD, moment + PAIR.most) == "done"
        assert attempt(engine, name, WRONG, moment + PAIR.most) == "sign-in.refused"


def test_a_stranger_who_guesses_does_not_shut_the_owner_out(engine: Engine, account: Account, now: datetime):
    moment = now
    for number in range(200):
        attempt(engine, account.sign_in, "", moment, Origin(f"203.0.113.{number}"))
        moment += timedelta(seconds=1)
    assert attempt(engine, account.sign_in, GOOD, moment + NAME.most) == "done"


def test_a_class_behind_one_address_signs_in(engine: Engine, person, now: datetime):
    learners = [person("learner", password=LIGHT) for _ in range(12)]
    for learner in learners:
        assert [attempt(engine, learner.sign_in, "", now) for _ in range(3)] == ["sign-in.refused"] * 3
        assert attempt(engine, learner.sign_in, GOOD, now) == "done"


def test_trying_many_names_from_one_address_gets_slower(engine: Engine, now: datetime):
    found = [attempt(engine, f"name{number}", "x" * 200, now) for number in range(ADDRESS.free + 2)]
    assert found == ["sign-in.refused"] * (ADDRESS.free + 1) + ["sign-in.too-soon"]
    assert attempt(engine, "other", "x" * 200, now, Origin("198.51.100.1")) == "sign-in.refused"


def test_many_attempts_at_one_moment_gain_nothing(engine: Engine, account: Account, now: datetime):
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _number: attempt(engine, account.sign_in, WRONG, now), range(24)))
    assert sorted(found) == ["sign-in.refused"] * (PAIR.free + 1) + ["sign-in.too-soon"] * (23 - PAIR.free)


def test_counts_are_forgotten_after_a_day(engine: Engine, account: Account, now: datetime):
    for _ in range(PAIR.free + 1):
        attempt(engine, account.sign_in, WRONG, now)
    later = now + FORGET
    assert [attempt(engine, account.sign_in, WRONG, later) for _ in range(PAIR.free)] == ["sign-in.refused"] * PAIR.free
    assert throttle.purge(engine, later + FORGET) == 3


def test_a_clock_set_back_shuts_nobody_out(engine: Engine, account: Account, now: datetime):
    for _ in range(PAIR.free + 1):
        attempt(engine, account.sign_in, WRONG, now)
    assert attempt(engine, account.sign_in, GOOD, now - timedelta(days=400)) == "done"


@given(st.builds(Pace, st.integers(0, 100), st.timedeltas(timedelta(seconds=1), timedelta(hours=1))), st.integers(0))
def test_a_wait_never_shrinks_and_never_passes_its_bound(pace: Pace, failures: int):
    assert timedelta(0) <= pace.wait(failures) <= pace.wait(failures + 1) <= pace.most
    assert pace.wait(pace.free) == timedelta(0)


def test_a_password_changes_with_the_current_one_and_ends_other_sessions(engine, account: Account, now: datetime):
    mine = sign_in(engine, KEY, account.sign_in, GOOD, origin=HERE, now=now)
    sign_in(engine, KEY, account.sign_in, GOOD, origin=HERE, now=now)
    link = make_link(engine, account.id, actor=None, now=now)
    later = now + timedelta(minutes=1)
    done = change_password(engine, KEY, account.id, GOOD, BETTER, keep=mine.session, origin=HERE, now=later)
    assert done.password_changed == later
    assert [session.id for session in list_sessions(engine, account.id, later)] == [mine.session]
    with pytest.raises(UserError, match="used"):
        read_link(engine, link, later)
    assert attempt(engine, account.sign_in, GOOD, later) == "sign-in.refused"
    assert attempt(engine, account.sign_in, BETTER, later) == "done"


def test_a_wrong_or_weak_password_changes_nothing_and_guessing_gets_slower(engine, account: Account, now: datetime):
    mine = sign_in(engine, KEY, account.sign_in, GOOD, origin=HERE, now=now)

    def change(current: str, new: str) -> str:
        with pytest.raises(UserError) as caught:
            change_password(engine, KEY, account.id, current, new, keep=mine.session, origin=HERE, now=now)
        return caught.value.code

    assert change(GOOD, "password1") == "password.common"
    assert [change(WRONG, BETTER) for _ in range(PAIR.free + 1)] == ["password.wrong"] * (PAIR.free + 1)
    assert change(GOOD, BETTER) == "sign-in.too-soon"
    assert attempt(engine, account.sign_in, GOOD, now) == "done"
    assert [event.kind for event in list_events(engine)][:3] == ["signed-in", "delayed", "password-refused"]


@pytest.mark.parametrize("change", [{"password": "another"}, {"disabled": datetime(2026, 1, 5)}])
def test_an_account_that_changes_while_its_password_is_checked_is_refused(
    engine: Engine, account: Account, now: datetime, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
):
    real = module.verify_password

    def slow(password: str, kept: str | None) -> object:
        verdict = real(password, kept)
        with engine.begin() as connection:
            connection.execute(update(accounts).where(accounts.c.id == account.id).values(**change))
        return verdict

    monkeypatch.setattr(module, "verify_password", slow)
    assert attempt(engine, account.sign_in, GOOD, now) == "sign-in.refused"
    assert list_sessions(engine, account.id, now) == []


def test_what_is_counted_is_kept_under_keyed_hashes(engine: Engine, account: Account, now: datetime):
    attempt(engine, account.sign_in, WRONG, now)
    with engine.connect() as connection:
        kept = set(connection.execute(select(throttles.c.subject)).scalars())
    assert {len(subject) for subject in kept} == {64}
    other = {subject.name for subject in throttle.subjects(b"o" * 32, account.sign_in, HERE)}
    assert kept.isdisjoint(other)
