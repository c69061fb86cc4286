from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select

from compagnon.access.account import (
    change_details,
    change_role,
    count_accounts,
    create_account,
    disable_account,
    display_names,
    enable_account,
    find_account,
    get_account,
    list_accounts,
)
from compagnon.access.audit import KEEP, KINDS, list_events, record
from compagnon.access.first import create_first_admin, first_link
from compagnon.access.link import LASTS, invite, make_link, read_link, use_link
from compagnon.access.origin import Origin
from compagnon.access.personal import erase_account, export_account
from compagnon.access.session import end_session, list_sessions, start_session
from compagnon.access.setting import allow_anonymous, anonymous_rights, read_setting, write_setting
from compagnon.access.sign_in import sign_in
from compagnon.access.upkeep import purge
from compagnon.database.tables import feedback, metadata, notes, one_time_links
from compagnon.errors import UserError

KEY = b"k" * 32
GOOD, BETTER = "hibou dormir 4", "sept chaises bleues"
HERE = Origin("192.0.2.77", "Firefox/140.0 Linux")


def code_of(call, *args, **kwargs) -> str:
    with pytest.raises(UserError) as caught:
        call(*args, **kwargs)
    return caught.value.code


def kinds(engine: Engine, account: str | None = None) -> list[str]:
    return [event.kind for event in reversed(list_events(engine, account=account))]


# Accounts


def test_an_account_is_found_by_any_way_to_write_its_name(engine: Engine, now: datetime):
    made = create_account(engine, " Prof@School.Example ", "  Ana  B ", "teacher", language="fr", now=now)
    assert (made.sign_in, made.name, made.state, made.language) == ("prof@school.example", "Ana B", "invited", "fr")
    assert find_account(engine, "PROF@school.example") == made == get_account(engine, made.id)
    assert find_account(engine, "nobody") is None
    assert code_of(get_account, engine, "nobody") == "account.unknown"
    assert "school" not in repr(made)
    assert kinds(engine, made.id) == ["account-created"]


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "x" * 5000, "'; drop table accounts; --", "é" * 32])
def test_ids_that_anybody_may_type_are_unknown(engine: Engine, person, now: datetime, text: str):
    for call in (change_role, disable_account, enable_account, change_details, make_link):
        arguments = ("reader",) if call is change_role else ()
        assert code_of(call, engine, text, *arguments, actor=None, now=now) == "account.unknown"
    for call in (erase_account, export_account):
        assert code_of(call, engine, text, now) == "account.unknown"
    assert code_of(get_account, engine, text) == "account.unknown"
    assert not end_session(engine, person().id, text, now)
    assert list_events(engine, account=text) == []
    assert find_account(engine, text) is None
    assert list_accounts(engine, after=text, limit=1) is not None
    assert code_of(list_accounts, engine, role=text) == "role.unknown"


def test_a_sign_in_name_is_somebodys_only_once(engine: Engine, person, now: datetime):
    create_account(engine, "claudette", "C", "reader", now=now)
    other = create_account(engine, "other", "O", "reader", now=now)
    assert code_of(create_account, engine, "CLAUDETTE", "D", "reader", now=now) == "account.exists"
    assert code_of(invite, engine, "Claudette", "D", "reader", actor=None, now=now) == "account.exists"
    assert code_of(change_details, engine, other.id, sign_in="claudette", actor=None, now=now) == "account.exists"
    assert count_accounts(engine) == 2


def test_accounts_are_listed_page_by_page(engine: Engine, now: datetime):
    for name in ("cc", "aa", "bb"):
        create_account(engine, name, name, "learner" if name == "bb" else "reader", now=now)
    assert [account.sign_in for account in list_accounts(engine, limit=2)] == ["aa", "bb"]
    assert [account.sign_in for account in list_accounts(engine, after="bb", limit=2)] == ["cc"]
    assert [account.sign_in for account in list_accounts(engine, role="learner")] == ["bb"]


def test_a_mistake_makes_no_account(engine: Engine, now: datetime):
    assert code_of(create_account, engine, "x y", "N", "reader", now=now) == "account.bad-sign-in"
    assert code_of(create_account, engine, "xy", "", "reader", now=now) == "account.bad-name"
    assert code_of(create_account, engine, "xy", "N", "root", now=now) == "role.unknown"
    assert code_of(create_account, engine, "xy", "N", "reader", language="xx", now=now) == "account.unknown-language"
    assert count_accounts(engine) == 0
    assert kinds(engine) == []


def test_details_change_and_leave_a_trace_without_them(engine: Engine, person, now: datetime):
    account = person()
    changed = change_details(engine, account.id, sign_in="new.name", language="en", actor="person:x", now=now)
    assert (changed.sign_in, changed.name, changed.language) == ("new.name", account.name, "en")
    assert change_details(engine, account.id, language="", actor=None, now=now).language is None
    assert change_details(engine, account.id, actor=None, now=now).sign_in == "new.name"
    trace = list_events(engine, account=account.id)[-1]
    assert (trace.kind, trace.actor, trace.detail) == ("account-changed", "person:x", "language, sign_in")


def test_the_last_administrator_stays(engine: Engine, person, now: datetime):
    admin = person("admin")
    person("admin", password=None)
    gone = person("admin")
    disable_account(engine, gone.id, actor=None, now=now)
    assert code_of(change_role, engine, admin.id, "reader", actor=None, now=now) == "account.last-admin"
    assert code_of(disable_account, engine, admin.id, actor=None, now=now) == "account.last-admin"
    assert code_of(erase_account, engine, admin.id, now) == "account.last-admin"
    assert get_account(engine, admin.id) == admin
    enable_account(engine, gone.id, actor=None, now=now)
    assert change_role(engine, admin.id, "reader", actor=None, now=now).role == "reader"
    assert code_of(change_role, engine, gone.id, "reader", actor=None, now=now) == "account.last-admin"


@pytest.mark.parametrize("way", ["change_role", "disable", "erase"])
def test_administrators_who_remove_each_other_at_one_moment_leave_one(engine: Engine, person, now: datetime, way: str):
    admins = [person("admin").id for _ in range(4)]

    def remove(account_id: str) -> str:
        try:
            if way == "change_role":
                change_role(engine, account_id, "reader", actor=None, now=now)
            elif way == "disable":
                disable_account(engine, account_id, actor=None, now=now)
            else:
                erase_account(engine, account_id, now)
        except UserError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(remove, admins)) == ["account.last-admin", "done", "done", "done"]
    left = [account for account in list_accounts(engine, role="admin") if account.state == "active"]
    assert len(left) == 1


def test_a_change_to_what_already_is_leaves_no_trace(engine: Engine, person, now: datetime):
    account = person("reader")
    change_role(engine, account.id, "reader", actor=None, now=now)
    enable_account(engine, account.id, actor=None, now=now)
    assert kinds(engine) == []


def test_names_are_shown_for_those_still_there(engine: Engine, person, now: datetime):
    account = person(name="Ana B")
    found = display_names(engine, [f"person:{account.id}", "person:gone", "key:abc", "anonymous"])
    assert found == {f"person:{account.id}": "Ana B"}


# The first start


def test_the_first_start_makes_an_administrator_by_a_link(engine: Engine, now: datetime):
    token = first_link(engine, now)
    assert token is not None
    assert read_link(engine, token, now).purpose == "first"
    admin = create_first_admin(engine, token, "boss", "The Boss", GOOD, language="fr", now=now, origin=HERE)
    assert (admin.role, admin.state) == ("admin", "active")
    assert sign_in(engine, KEY, "boss", GOOD, origin=HERE, now=now).account.id == admin.id
    assert first_link(engine, now) is None
    assert code_of(create_first_admin, engine, token, "other", "O", GOOD, now=now) == "link.over"
    assert kinds(engine) == ["link-made", "account-created", "link-used", "signed-in"]


def test_the_first_link_is_renewed_at_each_start_and_ends_after_an_hour(engine: Engine, now: datetime):
    old, new = first_link(engine, now), first_link(engine, now)
    assert old
    assert new
    assert code_of(create_first_admin, engine, old, "boss", "B", GOOD, now=now) == "link.over"
    assert code_of(create_first_admin, engine, new, "boss", "B", GOOD, now=now + LASTS["first"]) == "link.over"
    assert create_first_admin(engine, new, "boss", "B", GOOD, now=now + LASTS["first"] - timedelta(seconds=1))


def test_a_mistake_does_not_use_the_first_link_up(engine: Engine, now: datetime):
    token = first_link(engine, now)
    assert token
    assert code_of(create_first_admin, engine, token, "boss", "B", "short", now=now) == "password.too-short"
    assert code_of(create_first_admin, engine, token, "bossy", "B", "Bossy2026", now=now) == "password.about-you"
    assert code_of(create_first_admin, engine, token, "b oss", "B", GOOD, now=now) == "account.bad-sign-in"
    assert code_of(create_first_admin, engine, token, "boss", "B", GOOD, language="x", now=now).startswith("account.")
    assert create_first_admin(engine, token, "boss", "B", GOOD, now=now)


def test_the_first_link_makes_one_administrator_whoever_else_tries(engine: Engine, now: datetime):
    token = first_link(engine, now)
    assert token

    def create(number: int) -> str:
        try:
            create_first_admin(engine, token, f"boss{number}", "B", GOOD, now=now)
        except UserError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(create, range(4))) == ["done"] + ["link.over"] * 3
    assert count_accounts(engine) == 1


def test_other_links_make_no_administrator(engine: Engine, person, now: datetime):
    _account, token = invite(engine, "learner", "L", "learner", actor=None, now=now)
    assert code_of(create_first_admin, engine, token, "boss", "B", GOOD, now=now) == "first.done"
    first = first_link(engine, now)
    assert first is None


def test_a_first_link_left_over_makes_no_second_administrator(engine: Engine, person, now: datetime):
    token = first_link(engine, now)
    assert token
    person("admin")
    assert code_of(create_first_admin, engine, token, "boss", "B", GOOD, now=now) == "first.done"
    assert code_of(use_link, engine, token, GOOD, now) == "link.over"


# Links


def test_an_invitation_is_taken_up_once(engine: Engine, now: datetime):
    account, token = invite(engine, "learner1", "L", "learner", actor="person:x", now=now)
    assert account.state == "invited"
    for _ in range(2):
        link = read_link(engine, token, now)
        assert (link.purpose, link.account) == ("invitation", account)
    assert code_of(use_link, engine, token, "learner1!", now) == "password.about-you"
    assert use_link(engine, token, GOOD, now, HERE).state == "active"
    assert code_of(use_link, engine, token, BETTER, now) == "link.over"
    assert sign_in(engine, KEY, "learner1", GOOD, origin=HERE, now=now)
    assert kinds(engine, account.id) == ["account-created", "link-made", "link-used", "signed-in"]


def test_a_reset_keeps_the_password_until_used_then_ends_every_session(engine: Engine, now: datetime):
    account, token = invite(engine, "learner1", "L", "learner", actor=None, now=now)
    use_link(engine, token, GOOD, now)
    sign_in(engine, KEY, "learner1", GOOD, origin=HERE, now=now)
    first, second = (make_link(engine, account.id, actor=None, now=now) for _ in range(2))
    assert code_of(read_link, engine, first, now) == "link.over"
    assert read_link(engine, second, now).purpose == "reset"
    assert sign_in(engine, KEY, "learner1", GOOD, origin=HERE, now=now)
    use_link(engine, second, BETTER, now)
    assert list_sessions(engine, account.id, now) == []
    assert code_of(sign_in, engine, KEY, "learner1", GOOD, origin=HERE, now=now) == "sign-in.refused"
    assert sign_in(engine, KEY, "learner1", BETTER, origin=HERE, now=now)


@pytest.mark.parametrize("purpose", ["invitation", "reset"])
def test_links_end(engine: Engine, person, now: datetime, purpose: str):
    account = person(password=None if purpose == "invitation" else "x")
    token = make_link(engine, account.id, actor=None, now=now)
    assert read_link(engine, token, now + LASTS[purpose] - timedelta(seconds=1)).purpose == purpose
    assert code_of(read_link, engine, token, now + LASTS[purpose]) == "link.over"
    assert code_of(use_link, engine, token, GOOD, now + LASTS[purpose]) == "link.over"


def test_a_disabled_account_has_no_link(engine: Engine, person, now: datetime):
    account = person()
    token = make_link(engine, account.id, actor=None, now=now)
    disable_account(engine, account.id, actor=None, now=now)
    assert code_of(use_link, engine, token, GOOD, now) == "link.over"
    assert code_of(make_link, engine, account.id, actor=None, now=now) == "link.disabled"


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "é" * 43, "' or 1=1 --"])
def test_made_up_links_are_over(engine: Engine, token: str, now: datetime):
    assert code_of(read_link, engine, token, now) == "link.over"
    assert code_of(use_link, engine, token, GOOD, now) == "link.over"
    assert code_of(create_first_admin, engine, token, "boss", "B", GOOD, now=now) == "link.over"


def test_links_are_kept_as_digests(engine: Engine, person, now: datetime):
    token = make_link(engine, person().id, actor=None, now=now)
    with engine.connect() as connection:
        assert token not in str(connection.execute(select(one_time_links)).all())


# Settings


def test_nothing_is_allowed_without_an_account_until_it_is(engine: Engine, now: datetime):
    assert anonymous_rights(engine) == frozenset()
    allow_anonymous(engine, ["model.try", "solution.read"], actor="person:x", now=now)
    assert anonymous_rights(engine) == {"model.try", "solution.read"}
    allow_anonymous(engine, ["model.try"], actor="person:x", now=now)
    assert anonymous_rights(engine) == {"model.try"}
    assert kinds(engine) == ["setting-changed"] * 2


@pytest.mark.parametrize("right", ["run.start", "audit.read", "account.manage", "quarantine.read", "nonsense"])
def test_some_things_always_need_an_account(engine: Engine, now: datetime, right: str):
    code = code_of(allow_anonymous, engine, ["model.try", right], actor=None, now=now)
    assert code == "setting.not-anonymous"
    assert anonymous_rights(engine) == frozenset()
    write_setting(engine, "anonymous-rights", [right], actor=None, now=now)
    assert anonymous_rights(engine) == frozenset()


def test_settings_are_kept_as_they_are(engine: Engine, now: datetime):
    value = {"a": [1, None, "é"], "b": {"c": True}}
    assert read_setting(engine, "anything", "default") == "default"
    write_setting(engine, "anything", value, actor=None, now=now)
    assert read_setting(engine, "anything", None) == value


# What is kept about a person


def test_a_person_gets_all_that_is_kept_and_no_hash(engine: Engine, person, now: datetime):
    account = person(name="Canary Person")
    author = account.identity.author
    with engine.begin() as connection:
        start_session(connection, account.id, origin=HERE, remember=True, now=now)
        connection.execute(insert(notes).values(at=now, author=author, text="my note"))
        connection.execute(
            insert(feedback).values(at=now, author=author, model="m", model_version="1", kind="wrong", comment="hm")
        )
    make_link(engine, account.id, actor=None, now=now)
    data = export_account(engine, account.id, now)
    text = json.dumps(data)
    assert data["account"]["name"] == "Canary Person"
    assert [len(data[name]) for name in ("sessions", "notes", "feedback", "one_time_links", "access_events")] == [1] * 5
    assert "no hash" not in text
    assert '"hash"' not in text
    assert data["sessions"][0]["created"] == now.isoformat()
    assert code_of(export_account, engine, "nobody", now) == "account.unknown"


def test_an_erased_person_leads_nowhere(engine: Engine, person, now: datetime):
    person("admin")
    account, other = person("admin", name="Canary Person"), person()
    author = account.identity.author
    with engine.begin() as connection:
        start_session(connection, account.id, origin=HERE, remember=True, now=now)
        record(connection, "signed-in", now, account.id, origin=HERE)
        connection.execute(insert(notes).values(at=now, author=author, text="a note"))
    make_link(engine, account.id, actor=None, now=now)
    change_role(engine, other.id, "teacher", actor=author, now=now)
    allow_anonymous(engine, [], actor=author, now=now)
    done = erase_account(engine, account.id, now, actor=author)
    assert (done["accounts"], done["sessions"], done["one_time_links"], done["notes_kept"]) == (1, 1, 1, 1)
    assert code_of(get_account, engine, account.id) == "account.unknown"
    with engine.connect() as connection:
        kept = {table.name: str(connection.execute(select(table)).all()) for table in metadata.sorted_tables}
    assert [name for name, text in kept.items() if account.id in text] == ["notes"]
    assert [name for name, text in kept.items() if "Canary" in text or account.sign_in in text] == []
    assert HERE.network not in kept["access_events"]
    assert "role-changed" in kept["access_events"]


# Upkeep


def test_what_has_ended_is_deleted_after_its_time(engine: Engine, person, now: datetime):
    account = person()
    with engine.begin() as connection:
        start_session(connection, account.id, origin=HERE, remember=True, now=now)
        record(connection, "signed-in", now, account.id)
        record(connection, "signed-in", now + timedelta(seconds=1), account.id)
    make_link(engine, account.id, actor=None, now=now + timedelta(days=2))
    code_of(sign_in, engine, KEY, account.sign_in, "wrong", origin=HERE, now=now)
    assert sum(purge(engine, now).values()) == 0
    done = purge(engine, now + KEEP + timedelta(microseconds=1))
    assert done == {"access_events": 2, "sessions": 1, "one_time_links": 1, "throttles": 3}
    assert len(list_events(engine)) == 2


def test_each_kind_of_trace_has_a_name_in_both_languages(engine: Engine, now: datetime):
    assert all(KINDS.values())
    with pytest.raises(KeyError), engine.begin() as connection:
        record(connection, "no-such-kind", now)
