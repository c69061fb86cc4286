"""Every route with every role; forms, sessions, links and drafts as a browser meets them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from serving import running, token_of
from visiting import PASSWORD, add_account, enter, post, visit

from compagnon import Solution
from compagnon.access.audit import Event, list_events
from compagnon.access.first import first_link
from compagnon.access.link import make_link
from compagnon.access.role import ACCOUNT_ROLES, ANONYMOUS_MAY, allows
from compagnon.access.setting import allow_anonymous
from compagnon.i18n import use
from compagnon.operate.monitor import segments
from compagnon.web.admin import detail_words
from compagnon.web.app import create_app, routes_of
from compagnon.web.door import safe_place
from compagnon.web.rights import KEY, LOCAL_OR_KEY, NEEDED, PUBLIC
from compagnon.web.visitor import LOCAL

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NO_ID = "0" * 32


@pytest.fixture(scope="module")
def open_house(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Solution, str]]:
    """A solution without accounts, and its address."""
    root = Path(shutil.copytree(trained, tmp_path_factory.mktemp("open") / "small"))
    solution = Solution(root)
    with running(create_app(solution)) as address:
        yield solution, address
    solution.close()


@pytest.fixture(scope="module")
def house(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Solution, str]]:
    """A solution with an account of each role, and its address."""
    root = Path(shutil.copytree(trained, tmp_path_factory.mktemp("house") / "small"))
    solution = Solution(root)
    for role in ACCOUNT_ROLES:
        add_account(solution, role)
    with running(create_app(solution, names=["Solution.example.org"])) as address:
        yield solution, address
    solution.close()


def filled(path: str) -> str:
    return re.sub(r"\{\w+(:\w+)?\}", NO_ID, path)


def refused(client: httpx.Client, solution: Solution, may: frozenset[str] | None) -> list[str]:
    """Routes that answered ``client`` otherwise than the table says; ``may`` None: nobody signed in."""
    wrong = []
    for route in routes_of(solution):
        needed = NEEDED[route.name]
        for method in (route.methods or set()) - {"HEAD"}:
            if route.path.endswith("events"):
                continue  # a stream; its page has the same line
            answer = client.request(method, filled(route.path), headers=FORM if method == "POST" else {})
            status, place = answer.status_code, answer.headers.get("location", "")
            allowed = needed in (PUBLIC, LOCAL_OR_KEY) or (needed in may if may is not None else False)
            if needed == KEY:
                good = status == 401
            elif allowed:
                # A form without its token: the page is theirs, the form is not.
                stale = "form.stale" in answer.text or "open for too long" in answer.text
                good = status not in (401, 403, 421, 500) or (status == 403 and stale)
                good = good and not place.startswith("/sign-in?next")
            elif client.headers.get("x-test") == "anonymous":
                good = (status == 303 and place.startswith("/sign-in?next=")) if method == "GET" else status == 401
            else:
                good = status == 403 and "page.not-allowed" in answer.text
            if not good:
                wrong.append(f"{method} {route.name} {status} {place}")
    return wrong


@pytest.mark.parametrize("role", ACCOUNT_ROLES)
def test_each_route_answers_each_role_as_the_table_says(house: tuple[Solution, str], role: str) -> None:
    solution, address = house
    rights = frozenset(right for right in NEEDED.values() if right not in (PUBLIC, KEY, LOCAL_OR_KEY))
    with enter(address, role) as client:
        assert refused(client, solution, frozenset(right for right in rights if allows(role, right))) == []


@pytest.mark.parametrize("rights", [frozenset(), ANONYMOUS_MAY], ids=["nothing", "most"])
def test_each_route_answers_somebody_unknown_as_the_administrator_allows(
    house: tuple[Solution, str], rights: frozenset[str]
) -> None:
    solution, address = house
    allow_anonymous(solution.engine, rights, actor=None, now=solution.clock.now())
    try:
        with visit(address) as client:
            client.headers["x-test"] = "anonymous"
            assert refused(client, solution, rights) == []
    finally:
        allow_anonymous(solution.engine, [], actor=None, now=solution.clock.now())


def test_without_accounts_this_machine_may_all_but_administer_accounts(open_house: tuple[Solution, str]) -> None:
    solution, address = open_house
    with visit(address) as client:
        assert refused(client, solution, LOCAL.rights) == []
        assert client.get("/", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 421
        assert "There is no account yet" in client.get("/sign-in").text
    assert not LOCAL.may("account.manage")


def test_with_accounts_pages_answer_declared_names_but_not_forms_of_other_sites(house: tuple[Solution, str]) -> None:
    _solution, address = house
    with enter(address, "reader") as client:
        for known in ("solution.example.org", "SOLUTION.example.org:8443", "192.168.1.7:8000", "[::1]:80", "localhost"):
            assert client.get("/sign-in", headers={"Host": known}).status_code in (200, 303), known
        for unknown in ("evil.example", "solution.example.org.evil.example", "", "127.0.0.1.evil.example"):
            answer = client.get("/", headers={"Host": unknown})
            assert (answer.status_code, "page.unknown-name" in answer.text) == (421, True), unknown
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = post(client, "/account/details", {"name": "x", "language": ""}, headers=headers)
            assert answer.status_code == 403
            assert "page.foreign-form" in answer.text


def test_every_form_needs_the_token_of_this_very_session(house: tuple[Solution, str]) -> None:
    solution, address = house
    with enter(address, "admin") as client, enter(address, "admin") as other:
        foreign = token_of(other.get("/account").text)
        forms = [r for r in routes_of(solution) if "POST" in (r.methods or ()) and NEEDED[r.name] != KEY]
        assert len(forms) >= 15
        for token in ("", "x", foreign):
            for route in forms:
                if route.name == "sign-out":
                    continue
                answer = client.post(filled(route.path), data={"csrf": token, "text": "forged"})
                assert answer.status_code in (303, 403, 404), route.name
                if answer.status_code == 303:
                    assert "?draft=" in answer.headers["location"], route.name
        assert all("forged" not in note.text for note in solution.ledger.notes())
        assert client.post("/sign-out", data={"csrf": foreign}).status_code == 403
        assert client.get("/account").status_code == 200


def test_signing_in_gives_new_tokens_and_ends_the_session_there_was(house: tuple[Solution, str]) -> None:
    _solution, address = house
    with visit(address) as client:
        client.cookies.set("compagnon_access", "a" * 43)
        token = token_of(client.get("/sign-in").text)
        answer = client.post("/sign-in", data={"csrf": token, "name": "jury", "password": PASSWORD})
        first = dict(answer.cookies)
        assert any(name.endswith("_access") and len(value) == 43 and value != "a" * 43 for name, value in first.items())
        for header in answer.headers.get_list("set-cookie"):
            assert "HttpOnly" in header
            assert "SameSite=Lax" in header
        again = post(client, "/sign-in", {"name": "teacher", "password": PASSWORD})
        assert again.status_code == 303
        with visit(address) as old:
            for name, value in first.items():
                old.cookies.set(name, value)
            assert old.get("/account").status_code == 303


@pytest.mark.parametrize(
    "place",
    [
        "//evil.example",
        "///evil.example",
        "https://evil.example",
        "http:evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/x\r\nSet-Cookie:x",
        "",
        " /",
        "/sign-in?next=/",
        "/link/abc",
        "/" + "x" * 600,
    ],
)
def test_only_addresses_of_this_server_are_gone_back_to(place: str) -> None:
    assert safe_place(place) == "/"


def test_addresses_of_this_server_are_kept() -> None:
    assert safe_place("/logbook?page=2") == "/logbook?page=2"
    assert safe_place("/tables/équipe/quality") == "/tables/%C3%A9quipe/quality"


def test_one_goes_back_to_where_one_came_from(house: tuple[Solution, str]) -> None:
    _solution, address = house
    with visit(address) as client:
        asked = client.get("/logbook?page=2")
        assert asked.headers["location"] == "/sign-in?next=/logbook%3Fpage%3D2"
        page = client.get(asked.headers["location"])
        place = re.search(r'name="next" value="([^"]*)"', page.text)
        assert place
        form = {"csrf": token_of(page.text), "name": "reader", "password": PASSWORD}
        assert client.post("/sign-in", data={**form, "next": place[1]}).headers["location"] == "/logbook?page=2"


def test_a_used_refresh_token_ends_the_session_and_silent_renewal_does_not(house: tuple[Solution, str]) -> None:
    solution, address = house
    with enter(address, "operator") as client:
        cookies = dict(client.cookies)
        access = next(name for name in cookies if name.endswith("_access"))
        for _renewals in range(2):
            client.cookies.delete(access)
            answer = client.get("/account")
            assert answer.status_code == 200
            assert answer.cookies.get(access)
        with visit(address) as thief:
            for name, value in cookies.items():
                if name != access:
                    thief.cookies.set(name, value)
            assert thief.get("/account").status_code == 303
        assert client.get("/account").status_code == 303
    assert "token-reused" in [event.kind for event in list_events(solution.engine)]


def test_signing_out_everywhere_else_leaves_this_session(house: tuple[Solution, str]) -> None:
    _solution, address = house
    with enter(address, "jury") as here, enter(address, "jury") as there:
        assert post(here, "/account/sessions", {"session": "others"}).status_code == 303
        assert here.get("/account").status_code == 200
        assert there.get("/account").status_code == 303
        assert post(here, "/sign-out", {}).status_code == 303
        assert here.get("/account").status_code == 303


def test_what_was_written_is_found_again_after_signing_in(house: tuple[Solution, str]) -> None:
    solution, address = house
    for path, field, page in (("/logbook", "text", "/logbook"), ("/models/theme/try", "in-text", "/models/theme/try")):
        with enter(address, "teacher") as client:
            token = token_of(client.get("/account").text)
            client.cookies.clear()
            asked = client.post(path, data={"csrf": token, field: "Écrit <b>avant</b>."})
            assert asked.status_code == 401
            assert "What you wrote is kept" in asked.text
            sealed = re.search(r'name="draft" value="([^"]+)"', asked.text)
            assert sealed
            form = {"csrf": token_of(asked.text), "name": "teacher", "draft": sealed[1], "next": page}
            wrong = client.post("/sign-in", data={**form, "password": "not this one"})
            assert wrong.status_code == 422
            assert sealed[1] in wrong.text
            entered = client.post("/sign-in", data={**form, "password": PASSWORD})
            assert entered.headers["location"].startswith(f"{page}?draft=")
            for _reload in range(2):
                assert "Écrit &lt;b&gt;avant&lt;/b&gt;." in client.get(entered.headers["location"]).text
            with enter(address, "operator") as other:
                assert "Écrit" not in other.get(entered.headers["location"]).text
    assert all("Écrit" not in note.text for note in solution.ledger.notes())


def test_what_one_account_wrote_is_given_to_no_other(house: tuple[Solution, str]) -> None:
    _solution, address = house
    text = "Écrit par l'enseignant."
    with enter(address, "teacher") as client:
        token = token_of(client.get("/account").text)
        client.cookies.clear()
        asked = client.post("/logbook", data={"csrf": token, "text": text})
        sealed = re.search(r'name="draft" value="([^"]+)"', asked.text)
        assert sealed
        # Somebody else signs in where the session has ended.
        form = {"csrf": token_of(asked.text), "name": "operator", "draft": sealed[1], "next": "/logbook"}
        entered = client.post("/sign-in", data={**form, "password": PASSWORD})
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        # And sends the form that the first one left open in another tab.
        answer = client.post("/logbook", data={"csrf": token, "text": text})
        assert answer.status_code == 403
        assert text not in answer.text


def test_what_was_written_is_found_in_every_session_of_the_account(house: tuple[Solution, str]) -> None:
    _solution, address = house
    with enter(address, "teacher") as client, enter(address, "teacher") as other:
        kept = client.post("/logbook", data={"csrf": "", "text": "Gardé."}).headers["location"]
        assert "Gardé." in client.get(kept).text
        assert "Gardé." in other.get(kept).text


@pytest.mark.parametrize("role", ["learner", "admin"])
def test_a_prediction_of_a_page_is_kept_with_the_role_and_no_account(trained: Path, tmp_path: Path, role: str) -> None:
    solution = Solution(Path(shutil.copytree(trained, tmp_path / "small")))
    mine = add_account(solution, role, "someone")
    with running(create_app(solution)) as address, enter(address, "someone") as client:
        assert post(client, "/models/theme/try", {"in-text": "Où est mon colis ?"}).status_code == 200
    paths = segments.paths(solution.workspace.predictions, solution.engine)
    (row,) = [row for path in paths for row in pq.read_table(path).to_pylist()]
    assert row["by"] == f"page:{role}"
    assert mine not in str(row)
    solution.close()


def test_accounts_and_traces_are_paged_back_and_forth(fresh: Solution) -> None:
    for number in range(70):
        add_account(fresh, "admin" if number == 0 else "learner", f"user{number:02}")
    with running(create_app(fresh)) as address, enter(address, "user00") as client:
        for place, pattern in (("/admin/accounts", r">(user\d\d)</td>"), ("/admin/audit", r"<tr><td.*")):
            pages = [client.get(place).text]
            while found := re.search(r'rel="next" href="([^"]+)"', pages[-1]):
                pages.append(client.get(found[1]).text)
            assert len(pages) == 3
            shown = [re.findall(pattern, page) for page in pages]
            assert [len(rows) for rows in shown][:2] == [30, 30]
            assert 'rel="prev"' not in pages[0]
            back = pages[-1]
            for expected in reversed(shown[:-1]):
                found = re.search(r'rel="prev" href="([^"]+)"', back)
                assert found
                back = client.get(found[1]).text
                assert re.findall(pattern, back) == expected
            assert 'rel="prev"' not in back
        page = client.get("/admin/audit").text
        assert '<span class="hint">learner</span>' in page
        assert client.get("/admin/audit?after=x&before=9").status_code == 200


def test_details_of_traces_are_words() -> None:
    def words(kind: str, detail: str) -> str:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        return detail_words(Event(1, moment, kind, None, None, detail, None, None))

    with use("fr"):
        assert words("role-changed", "learner → admin") == "apprenant → administrateur"
        assert words("account-created", "gone") == "gone"
    with use("en"):
        assert words("sessions-ended", "1") == "1 session"
        assert words("sessions-ended", "3") == "3 sessions"
        assert words("account-changed", "language, name") == "language, name"
        assert words("link-made", "reset") == "a new password"
        assert words("setting-changed", "anonymous-rights") == "what is allowed without an account"


def test_notes_show_names_and_keep_ids(house: tuple[Solution, str]) -> None:
    solution, address = house
    with enter(address, "teacher") as client:
        assert post(client, "/logbook", {"text": "On garde le seuil."}).status_code == 303
        note = next(note for note in solution.ledger.notes() if note.text == "On garde le seuil.")
        assert re.fullmatch(r"person:[0-9a-f]{32}", note.author)
        page = client.get("/logbook").text
        assert "Nom teacher" in page
        assert note.author not in page


def test_a_link_works_once_and_tells_no_other_address(house: tuple[Solution, str]) -> None:
    solution, address = house
    mine = add_account(solution, "reader", "linked")
    path = f"/link/{make_link(solution.engine, mine, actor=None, now=solution.clock.now())}"
    with visit(address) as client:
        for _look in range(2):
            page = client.get(path)
            assert page.status_code == 200
            assert page.headers["referrer-policy"] == "no-referrer"
            assert page.headers["cache-control"] == "no-store"
        new = "une autre phrase bien longue"
        form = {"csrf": token_of(page.text), "password": new}
        assert client.post(path, data={**form, "again": "another"}).status_code == 422
        assert client.post(path, data={**form, "password": "12345678", "again": "12345678"}).status_code == 422
        # Browsers say so from pages that send no referrer.
        headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
        used = client.post(path, data={**form, "again": new}, headers=headers)
        assert used.status_code == 303
        assert client.get("/account").status_code == 200
        assert client.get(path).status_code == 404


def test_the_first_administrator_is_created_once_and_closes_the_door(fresh: Solution) -> None:
    token = first_link(fresh.engine, fresh.clock.now())
    with running(create_app(fresh)) as address, visit(address) as client, visit(address) as other:
        assert client.get("/").status_code == 200
        assert client.get("/first/" + "x" * 43).status_code == 404
        page = client.get(f"/first/{token}")
        assert page.headers["referrer-policy"] == "no-referrer"
        form = {"csrf": token_of(page.text), "sign_in": "chef", "name": "La cheffe", "password": PASSWORD}
        assert client.post(f"/first/{token}", data={**form, "again": "no"}).status_code == 422
        assert client.post(f"/first/{token}", data={**form, "again": PASSWORD}).status_code == 303
        assert client.get("/admin/accounts").status_code == 200
        assert other.get("/").status_code == 303
        assert other.get(f"/first/{token}").status_code == 404


def test_an_administrator_invites_changes_and_shuts_out(house: tuple[Solution, str]) -> None:
    _solution, address = house
    with enter(address, "admin") as admin:
        made = post(admin, "/admin/accounts", {"sign_in": "nouveau", "name": "Nouveau", "role": "learner"})
        link = re.search(r"<code class=\"secret\">http://[^/]+(/link/[\w-]{43})</code>", made.text)
        one = re.search(r'action="(/admin/accounts/[0-9a-f]{32})"', made.text)
        assert link
        assert one
        assert link[1] not in admin.get(one[1]).text
        with visit(address) as client:
            form = {"csrf": token_of(client.get(link[1]).text), "password": PASSWORD, "again": PASSWORD}
            assert client.post(link[1], data=form).status_code == 303
            assert client.get("/admin/audit").status_code == 403
            assert post(admin, one[1], {"do": "role", "role": "admin"}).status_code == 303
            assert client.get("/admin/audit").status_code == 200
            assert post(admin, one[1], {"do": "disable"}).status_code == 303
            assert client.get("/account").status_code == 303


def test_guessing_is_slowed_down_and_says_for_how_long(house: tuple[Solution, str]) -> None:
    solution, address = house
    add_account(solution, "reader", "guessed")
    with visit(address) as client:
        form = {"csrf": token_of(client.get("/sign-in").text), "name": "guessed", "password": "wrong"}
        answers = [client.post("/sign-in", data=form) for _ in range(7)]
    assert answers[0].status_code == 422
    late = next(answer for answer in answers if answer.status_code == 429)
    assert int(late.headers["retry-after"]) >= 1
    assert "Try again in" in late.text


def test_a_session_ends_with_time(fresh: Solution) -> None:
    add_account(fresh, "admin")
    with running(create_app(fresh)) as address, enter(address, "admin") as client:
        assert client.get("/account").status_code == 200
        real = fresh.clock.now
        object.__setattr__(fresh.clock, "now", lambda: real() + timedelta(hours=3))
        answer = client.get("/account")
    assert answer.headers["location"] == "/sign-in?next=/account&ended=1"
    assert any("_access=;" in header for header in answer.headers.get_list("set-cookie"))


def test_keys_are_shown_once_and_revoked(house: tuple[Solution, str]) -> None:
    _solution, address = house
    with enter(address, "operator") as client:
        made = post(client, "/keys", {"label": "essai", "days": "30"})
        key = re.search(r"cpg_([0-9a-f]{12})_[\w-]{43}", made.text)
        assert key
        assert key[0] not in client.get("/keys").text
        headers = {"Authorization": f"Bearer {key[0]}", "Host": "solution.example.org"}
        assert client.get("/api/models", headers=headers).status_code == 200
        assert post(client, "/keys/revoke", {"key": key[1]}).status_code == 303


def test_an_erasure_that_is_refused_leaves_no_session_behind(house: tuple[Solution, str]) -> None:
    _solution, address = house
    with enter(address, "admin") as client:
        before = client.get("/account").text.count('name="session" value="')
        refused = post(client, "/account/erase", {"password": PASSWORD})
        assert refused.status_code == 422, "the last administrator stays"
        assert client.get("/account").text.count('name="session" value="') == before


def test_ones_own_data_are_handed_over_and_erased(house: tuple[Solution, str]) -> None:
    solution, address = house
    mine = add_account(solution, "reader", "leaving")
    with enter(address, "leaving") as client:
        found = post(client, "/account/export", {})
        assert found.json()["account"]["sign_in"] == "leaving"
        assert "argon2" not in found.text
        assert post(client, "/account/erase", {"password": "not this one"}).status_code == 422
        assert post(client, "/account/erase", {"password": PASSWORD}).status_code == 303
        assert client.get("/account").status_code == 303
    assert list_events(solution.engine, account=mine) == []
