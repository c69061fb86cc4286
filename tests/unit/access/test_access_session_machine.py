"""Sessions against a model of them: any order of renewals, copies of tokens, pauses, sign-outs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine

from compagnon.access.account import Account, disable_account, enable_account
from compagnon.access.audit import list_events
from compagnon.access.cookies import CookieStyle, Tokens
from compagnon.access.origin import Origin
from compagnon.access.session import (
    GRACE,
    REMEMBERED,
    SEEN_EVERY,
    UNTIL_CLOSED,
    authenticate,
    end_all_sessions,
    end_session,
    list_sessions,
    start_session,
)

STYLE = CookieStyle(https=False)
# Both sides of each limit, and twice what matters most: no pause, and one past the access token.
PAUSES = (0, 0, 0, 5, 31, 59, 60, 899, 900, 900, 1799, 5400, 7199, 7200, 36_000, 86_400, 20 * 86_400, 30 * 86_400)
pauses = st.sampled_from(PAUSES)


@dataclass(eq=False)
class Family:
    """What a session should be, told by the use of its refresh tokens rather than by counting."""

    id: str
    remembered: bool
    began: datetime
    seen: datetime
    on: bool = True

    def is_on(self, now: datetime) -> bool:
        life = REMEMBERED if self.remembered else UNTIL_CLOSED
        return self.on and now < self.seen + life.idle and now < self.began + life.whole


@dataclass(eq=False)
class Litter:
    """Tokens issued for one use of a refresh token: as soon as one of them is used, none is new any more."""

    family: Family
    used: datetime | None = None
    next: Litter | None = None


@dataclass(eq=False)
class Pair:
    litter: Litter
    tokens: tuple[str, str] = field(repr=False)
    made: datetime


class Sessions(RuleBasedStateMachine):
    pairs: Bundle[Pair] = Bundle("pairs")

    def __init__(self, engine: Engine, account: Account, now: datetime) -> None:
        super().__init__()
        self.engine, self.account, self.now = engine, account, now
        self.families: list[Family] = []
        self.reuses = 0

    @initialize(target=pairs, remember=st.booleans())
    def start_one(self, remember: bool) -> Pair:
        return self.start_session(remember)

    @precondition(lambda self: sum(family.on for family in self.families) < 3)
    @rule(target=pairs, remember=st.booleans())
    def start(self, remember: bool) -> Pair:
        return self.start_session(remember)

    def start_session(self, remember: bool) -> Pair:
        with self.engine.begin() as connection:
            session_id, tokens = start_session(
                connection, self.account.id, origin=Origin(), remember=remember, now=self.now
            )
        family = Family(session_id, remember, self.now, self.now)
        self.families.append(family)
        return self.pair(Litter(family), tokens)

    def pair(self, litter: Litter, tokens: Tokens) -> Pair:
        return Pair(litter, (tokens.access, tokens.refresh), self.now)

    @rule(pair=pairs, pause=pauses)
    def use_access(self, pair: Pair, pause: int) -> None:
        self.now += timedelta(seconds=pause)
        family = pair.litter.family
        good = family.is_on(self.now) and self.now < pair.made + REMEMBERED.access
        visit = authenticate(self.engine, STYLE, {STYLE.name("access"): pair.tokens[0]}, self.now)
        assert (visit.session == family.id) == good
        assert (visit.identity is not None) == good
        if good and self.now - family.seen >= SEEN_EVERY:
            family.seen = self.now

    @rule(target=pairs, pair=pairs, pause=pauses)
    def use_refresh(self, pair: Pair, pause: int):
        self.now += timedelta(seconds=pause)
        return self.refresh(pair)

    def refresh(self, pair: Pair):
        litter, family = pair.litter, pair.litter.family
        life = REMEMBERED if family.remembered else UNTIL_CLOSED
        visit = authenticate(self.engine, STYLE, {STYLE.name("refresh"): pair.tokens[1]}, self.now)
        if not family.is_on(self.now) or self.now >= pair.made + life.refresh:
            assert (visit.identity, visit.ended) == (None, "over")
            return multiple()
        again = litter.used is not None
        too_late = again and (
            self.now - litter.used > GRACE or (litter.next is not None and litter.next.used is not None)
        )
        if too_late:
            assert (visit.identity, visit.ended) == (None, "reused")
            family.on, self.reuses = False, self.reuses + 1
            return multiple()
        assert visit.identity is not None
        assert visit.session == family.id
        if not again:
            litter.used, litter.next = self.now, Litter(family)
        family.seen = self.now
        access, refresh = (cookie.value for cookie in visit.cookies)
        assert litter.next is not None
        return Pair(litter.next, (access, refresh), self.now)

    @rule(target=pairs, pair=pairs)
    def use_refresh_at_once(self, pair: Pair):
        return self.refresh(pair)

    @rule(pair=pairs, way=st.sampled_from(["here", "elsewhere", "disabled"]))
    def sign_out(self, pair: Pair, way: str) -> None:
        family = pair.litter.family
        if way == "here":
            ended = end_session(self.engine, self.account.id, family.id, self.now)
            assert ended or not family.is_on(self.now)
            family.on = False
        elif way == "elsewhere":
            end_all_sessions(self.engine, self.account.id, self.now, but=family.id)
            for other in self.families:
                other.on = other.on and other is family
        else:
            disable_account(self.engine, self.account.id, actor=None, now=self.now)
            enable_account(self.engine, self.account.id, actor=None, now=self.now)
            for other in self.families:
                other.on = False

    @invariant()
    def what_is_listed_is_what_is_on(self) -> None:
        listed = {session.id for session in list_sessions(self.engine, self.account.id, self.now)}
        assert listed == {family.id for family in self.families if family.is_on(self.now)}

    def teardown(self) -> None:
        events = list_events(self.engine, account=self.account.id, limit=999)
        assert sum(event.kind == "token-reused" for event in events) == self.reuses


def test_sessions_do_what_their_model_says(engine: Engine, person: Callable[..., Account], now: datetime) -> None:
    examples = 120 if engine.dialect.name == "sqlite" else 40
    run_state_machine_as_test(
        lambda: Sessions(engine, person(), now),
        settings=settings(
            max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
