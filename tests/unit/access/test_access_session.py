from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from compagnon.access import session as module
from compagnon.access.account import Account, change_details, change_role, disable_account, enable_account
from compagnon.access.audit import list_events
from compagnon.access.cookies import CookieStyle
from compagnon.access.origin import Origin
from compagnon.access.session import (
    GRACE,
    MOST_SESSIONS,
    Visit,
    authenticate,
    end_all_sessions,
    end_session,
    list_sessions,
    purge,
    start_session,
)
from compagnon.database.tables import metadata, session_tokens, sessions

STYLE = CookieStyle(https=True)
HERE = Origin("192.0.2.77", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
RENEWAL = timedelta(minutes=15)

Jar = dict[str, str]


class Browser:
    """Keeps cookies as a browser does, as far as this needs it."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.jar, self.session = engine, Jar(), ""

    def sign_in(self, account: Account, now: datetime, *, remember: bool = True) -> Browser:
        with self.engine.begin() as connection:
            self.session, tokens = start_session(connection, account.id, origin=HERE, remember=remember, now=now)
        self.jar = {cookie.name: cookie.value for cookie in STYLE.write(tokens, now)}
        return self

    def visit(self, now: datetime, jar: Jar | None = None) -> Visit:
        visit = authenticate(self.engine, STYLE, self.jar if jar is None else jar, now, HERE)
        if jar is None:
            self.jar |= {cookie.name: cookie.value for cookie in visit.cookies}
            self.jar = {name: value for name, value in self.jar.items() if value}
        return visit


@pytest.fixture
def browser(engine: Engine) -> Browser:
    return Browser(engine)


def test_an_access_token_serves_for_its_time_without_new_cookies(browser: Browser, person, now: datetime):
    account = person("teacher")
    browser.sign_in(account, now)
    visit = browser.visit(now + RENEWAL - timedelta(seconds=1))
    assert visit.identity == account.identity
    assert visit.session == browser.session
    assert visit.cookies == ()


def test_a_session_renews_silently_for_as_long_as_it_may(browser: Browser, person, now: datetime):
    browser.sign_in(person(), now)
    moment, renewed = now, 0
    while moment < now + module.REMEMBERED.whole - timedelta(days=1):
        moment += timedelta(hours=23)
        visit = browser.visit(moment)
        assert visit.identity is not None
        assert visit.session == browser.session
        renewed += len(visit.cookies) // 2
    assert renewed == 93
    over = browser.visit(now + module.REMEMBERED.whole)
    assert (over.identity, over.ended, len(over.cookies)) == (None, "over", 2)
    assert browser.jar == {}


@pytest.mark.parametrize("remember", [True, False])
def test_a_session_unused_for_too_long_is_over(browser: Browser, person, now: datetime, remember: bool):
    browser.sign_in(person(), now, remember=remember)
    idle = module.lifetime(remember).idle
    assert browser.visit(now + idle - timedelta(seconds=1)).identity is not None
    assert browser.visit(now + 2 * idle).ended == "over"


def test_a_used_refresh_token_ends_the_whole_session_and_leaves_a_trace(browser, engine, person, now: datetime):
    account = person()
    browser.sign_in(account, now)
    elsewhere = Browser(engine).sign_in(account, now)
    stolen = dict(browser.jar)
    later = now + RENEWAL
    assert browser.visit(later).cookies
    moment = later + GRACE + timedelta(seconds=1)
    theft = browser.visit(moment, stolen)
    assert (theft.identity, theft.ended) == (None, "reused")
    assert all(cookie.value == "" and cookie.max_age == 0 for cookie in theft.cookies)
    assert browser.visit(moment).identity is None
    assert [event.kind for event in list_events(engine, account=account.id)] == ["token-reused"]
    assert elsewhere.visit(moment).identity is not None


def test_the_thief_who_renews_first_is_found_out_by_the_owner(browser: Browser, person, now: datetime):
    browser.sign_in(person(), now)
    stolen = dict(browser.jar)
    thief = Browser(browser.engine)
    thief.jar = stolen
    assert thief.visit(now + RENEWAL).identity is not None
    assert browser.visit(now + RENEWAL + timedelta(hours=1)).ended == "reused"
    assert thief.visit(now + RENEWAL + timedelta(hours=1)).identity is None


def test_two_tabs_that_renew_together_both_go_on(browser: Browser, person, now: datetime):
    browser.sign_in(person(), now)
    first, second = dict(browser.jar), dict(browser.jar)
    one = browser.visit(now + RENEWAL, first)
    other = browser.visit(now + RENEWAL + GRACE, second)
    assert one.session == other.session == browser.session
    assert one.cookies != other.cookies
    browser.jar = {cookie.name: cookie.value for cookie in other.cookies}
    assert browser.visit(now + 3 * RENEWAL).identity is not None


def test_a_copy_made_within_the_grace_is_found_out_at_the_next_renewal(browser: Browser, person, now: datetime):
    browser.sign_in(person(), now)
    stolen = dict(browser.jar)
    assert browser.visit(now + RENEWAL).identity is not None
    thief = Browser(browser.engine)
    thief.jar = stolen
    assert thief.visit(now + RENEWAL + GRACE).identity is not None
    assert browser.visit(now + 3 * RENEWAL).identity is not None
    assert thief.visit(now + 4 * RENEWAL).ended == "reused"


def test_tabs_at_the_very_same_moment(browser: Browser, engine: Engine, person, now: datetime):
    browser.sign_in(person(), now)
    jars = [dict(browser.jar) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        visits = list(pool.map(lambda jar: authenticate(engine, STYLE, jar, now + RENEWAL), jars))
    assert all(visit.identity and len(visit.cookies) == 2 for visit in visits)
    with engine.connect() as connection:
        assert connection.execute(select(sessions.c.generation)).scalars().all() == [1]


def test_tokens_are_each_good_for_one_thing(browser: Browser, person, now: datetime):
    browser.sign_in(person(), now)
    access, refresh = STYLE.read(browser.jar)
    swapped = {STYLE.name("access"): refresh, STYLE.name("refresh"): access}
    assert browser.visit(now, swapped).identity is None
    assert browser.visit(now).identity is not None


@pytest.mark.parametrize("value", ["", "x", "x" * 43, "é" * 43, "x" * 100_000, "'; drop table sessions; --"])
def test_made_up_cookies_are_nobody(browser: Browser, person, now: datetime, value: str):
    browser.sign_in(person(), now)
    jar = {STYLE.name("access"): value, STYLE.name("refresh"): value}
    assert browser.visit(now, jar) == (Visit(None) if not value else Visit(None, None, STYLE.clear(), "over"))
    assert browser.visit(now, {}) == Visit(None)


def test_no_token_is_kept_in_the_clear(browser: Browser, engine: Engine, person, now: datetime):
    browser.sign_in(person(), now)
    tokens = STYLE.read(browser.jar)
    browser.visit(now + RENEWAL)
    tokens += STYLE.read(browser.jar)
    with engine.connect() as connection:
        kept = "".join(str(connection.execute(select(table)).all()) for table in metadata.sorted_tables)
    assert len(set(tokens)) == 4
    assert HERE.network in kept
    assert not [token for token in tokens if token in kept]
    assert HERE.address not in kept
    assert HERE.agent not in kept


def test_ones_own_sessions_are_listed_and_ended_and_nobody_elses(browser: Browser, engine, person, now: datetime):
    account, stranger = person(), person()
    browser.sign_in(account, now)
    other = Browser(engine).sign_in(account, now + timedelta(minutes=5))
    theirs = Browser(engine).sign_in(stranger, now)
    listed = list_sessions(engine, account.id, now + timedelta(minutes=6))
    assert [session.id for session in listed] == [other.session, browser.session]
    assert (listed[0].browser, listed[0].network) == ("Firefox · Linux", "192.0.2.0/24")
    assert not end_session(engine, account.id, theirs.session, now)
    assert end_session(engine, account.id, other.session, now)
    assert not end_session(engine, account.id, other.session, now)
    assert other.visit(now + timedelta(minutes=6)).identity is None
    assert theirs.visit(now).identity is not None
    assert browser.visit(now).identity is not None


def test_signing_out_everywhere_spares_the_session_that_asks(browser: Browser, engine: Engine, person, now: datetime):
    account = person()
    browser.sign_in(account, now)
    others = [Browser(engine).sign_in(account, now) for _ in range(3)]
    assert end_all_sessions(engine, account.id, now, but=browser.session) == 3
    assert browser.visit(now).identity is not None
    assert [other.visit(now).identity for other in others] == [None] * 3
    assert end_all_sessions(engine, account.id, now) == 1
    assert browser.visit(now).identity is None


def test_what_changes_on_an_account_counts_at_the_next_request(browser: Browser, engine, person, now: datetime):
    account, admin = person("reader"), person("admin")
    browser.sign_in(account, now)
    change_role(engine, account.id, "operator", actor=admin.identity.author, now=now)
    change_details(engine, account.id, name="Another name", language="fr", actor=None, now=now)
    identity = browser.visit(now).identity
    assert identity is not None
    assert (identity.role, identity.name, identity.language) == ("operator", "Another name", "fr")
    assert identity.may("run.start")
    disable_account(engine, account.id, actor=admin.identity.author, now=now)
    assert browser.visit(now).identity is None
    enable_account(engine, account.id, actor=admin.identity.author, now=now)
    assert browser.visit(now).identity is None


def test_sessions_of_one_account_are_bounded(browser: Browser, engine: Engine, person, now: datetime):
    account = person()
    opened = [Browser(engine).sign_in(account, now + timedelta(seconds=n)) for n in range(MOST_SESSIONS + 2)]
    assert len(list_sessions(engine, account.id, now)) == MOST_SESSIONS
    later = now + timedelta(minutes=1)
    assert [browser.visit(later).identity is None for browser in opened] == [True] * 2 + [False] * MOST_SESSIONS


def test_purging_leaves_what_is_still_good(browser: Browser, engine: Engine, person, now: datetime):
    account = person()
    browser.sign_in(account, now)
    Browser(engine).sign_in(account, now, remember=False)
    later = now + timedelta(days=1)
    assert purge(engine, later) == 1
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(session_tokens)).scalar_one() == 1
    assert browser.visit(later).session == browser.session


def test_tokens_that_have_ended_do_not_pile_up(browser: Browser, engine: Engine, person, now: datetime):
    browser.sign_in(person(), now)
    for day in range(1, 80):
        assert browser.visit(now + timedelta(days=day)).identity is not None
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(session_tokens)).scalar_one() <= 2 + 30


def test_a_page_is_read_even_when_nothing_can_be_written(
    browser: Browser, engine: Engine, person, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    if engine.dialect.name != "sqlite":
        pytest.skip("the read-only switch is SQLite's")
    browser.sign_in(person(), now)
    from sqlalchemy import event

    event.listen(engine, "checkout", lambda raw, *_rest: raw.execute("pragma query_only=on"))
    assert browser.visit(now + timedelta(minutes=5)).identity is not None


def test_a_clock_set_back_ends_nothing(browser: Browser, person: Callable[..., Account], now: datetime):
    browser.sign_in(person(), now)
    assert browser.visit(now + RENEWAL).identity is not None
    assert browser.visit(now - timedelta(days=2)).identity is not None
    assert browser.visit(now + RENEWAL + timedelta(minutes=1)).identity is not None
