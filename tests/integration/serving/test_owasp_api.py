"""OWASP API Security Top 10 of 2023 and of 2019: one test for each item that applies, over the running application."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from serving import key_of, running, token_of
from visiting import PASSWORD, add_account, enter, post

from compagnon import Solution
from compagnon.access.account import get_account
from compagnon.access.keys import create_key, revoke_key
from compagnon.access.role import ACCOUNT_ROLES
from compagnon.services.model_api.service import make_service
from compagnon.web.app import create_app, routes_of
from compagnon.web.rights import NEEDED, PUBLIC

ROWS = {"rows": [{"text": "où est mon colis"}]}


class House(NamedTuple):
    """A solution with an account of each role, its address, the ids of the accounts, a key."""

    solution: Solution
    address: str
    ids: dict[str, str]
    key: str


@pytest.fixture(scope="module")
def house(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    solution = Solution(Path(shutil.copytree(trained, tmp_path_factory.mktemp("owasp") / "small")))
    ids = {role: add_account(solution, role) for role in ACCOUNT_ROLES}
    service = make_service(solution)
    key = key_of(solution)  # before serving: a new key is looked for at most ten times a second
    with running(create_app(solution, service=service), service) as address:
        yield House(solution, address, ids, key)
    solution.close()


def ask(address: str, key: str | None, **more: object) -> httpx.Response:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return httpx.post(f"{address}/api/models/theme/predict", json=more.pop("json", ROWS), headers=headers, timeout=60)


def test_api1_2023_object_level_authorization(house: House) -> None:
    """The id of somebody else's session, account or draft gives nothing away and changes nothing."""
    _solution, address, ids, _key = house
    with enter(address, "teacher") as mine, enter(address, "learner") as other:
        (session,) = re.findall(r'name="session" value="([0-9a-f]{32})"', mine.get("/account").text)[:1]
        answer = post(other, "/account/sessions", {"session": session})
        assert answer.status_code in (303, 404)
        assert mine.get("/account").status_code == 200  # still signed in
        for path in (f"/admin/accounts/{ids['teacher']}", "/admin/accounts"):
            assert other.get(path).status_code == 403
        assert "Nom teacher" not in post(other, "/account/export", {}).text
        assert other.get("/logbook", params={"draft": "0" * 32}).status_code == 200


def test_api2_2023_authentication(house: House) -> None:
    """Keys that are missing, malformed, altered, unsigned, over or revoked are refused, and so are cookies."""
    solution, address, _ids, key = house
    now, engine = solution.clock.now(), solution.engine
    good = key
    before = now - timedelta(days=2)
    _over, ended = create_key(engine, ("predict",), "over", before + timedelta(days=1), now=before)
    revoked, text = create_key(engine, ("predict",), "revoked", now=now)
    revoke_key(engine, revoked, now)
    unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."
    altered = good[:-1] + ("A" if good[-1] != "A" else "B")
    for bad in (None, "x", altered, unsigned, ended, text, good.upper()):
        assert ask(address, bad).status_code == 401, bad
    assert ask(address, good).status_code == 200
    with enter(address, "reader") as client:
        stolen = dict(client.cookies)
        post(client, "/sign-out", {})
    with httpx.Client(base_url=address, cookies=stolen) as thief:
        assert thief.get("/account").status_code == 303


def test_api3_2023_object_property_level_authorization(house: House) -> None:
    """Properties that a caller may not set are ignored or refused, and none is shown that is not theirs."""
    solution, address, ids, key = house
    with enter(address, "learner") as client:
        data = {"name": "Nom learner", "language": "", "role": "admin", "disabled": "", "id": ids["admin"]}
        assert post(client, "/account/details", data).status_code in (303, 422)
        shown = post(client, "/account/export", {}).text
    assert get_account(solution.engine, ids["learner"]).role == "learner"
    assert "argon2" not in shown
    assert "hash" not in shown
    extra = ask(address, key, json={**ROWS, "role": "admin"})
    assert extra.status_code == 422
    answer = ask(address, key).json()
    assert set(answer) == {"model", "version", "predictions"}
    assert set(answer["predictions"][0]) == {"label", "confidence", "decide"}


def test_api4_2023_resource_consumption(house: House) -> None:
    """A body, a batch or a field too large, nesting without end, and a request too many: each has its bound."""
    _solution, address, _ids, key = house
    assert ask(address, key, json={"rows": [{"text": "x" * 5000}]}).status_code == 413
    assert ask(address, key, json={"rows": [{"text": "x"}] * 6}).status_code == 422
    assert ask(address, key, json={"rows": [{"text": "x" * 201}]}).status_code == 422
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    url = f"{address}/api/models/theme/predict"
    assert httpx.post(url, content=b"[" * 3000, headers=headers).status_code == 400
    packed = {**headers, "Content-Encoding": "gzip"}
    assert httpx.post(url, content=b"\x1f\x8b" + b"0" * 20, headers=packed).status_code == 415


def test_api5_2023_function_level_authorization(house: House) -> None:
    """What takes a right is refused to a role without it. (Each route with each role: test_access_pages.)"""
    _solution, address, ids, _key = house
    with enter(address, "jury") as client:
        for path in ("/admin/accounts", "/admin/settings", "/admin/audit", "/keys"):
            assert client.get(path).status_code == 403, path
        for path, form in (
            ("/runs", {}),
            ("/admin/accounts", {"name": "x", "role": "admin"}),
            (f"/admin/accounts/{ids['jury']}", {"role": "admin"}),
        ):
            assert post(client, path, form).status_code == 403, path


def test_api6_2023_sensitive_flows_have_quotas(trained: Path, tmp_path: Path) -> None:
    """One key cannot take more predictions than declared, on both paths."""
    root = Path(shutil.copytree(trained, tmp_path / "small"))
    file = root / "solution.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("per_minute: 100000", "per_minute: 3"), encoding="utf-8")
    with contextlib.closing(Solution(root)) as solution:
        for is_fast in (False, True):
            service, key = make_service(solution), key_of(solution)
            with running(create_app(solution, service=service), service if is_fast else None) as address:
                answers = [ask(address, key) for _each in range(4)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
            assert int(answers[-1].headers["retry-after"]) >= 1


def test_api7_2023_no_request_is_made_for_a_caller(house: House) -> None:
    """No parameter of the API is an address, and an address to go back to never leaves this server."""
    _solution, address, _ids, key = house
    document = httpx.get(f"{address}/api/openapi.json", headers={"Authorization": f"Bearer {key}"}).json()
    assert '"format":"uri"' not in json.dumps(document, separators=(",", ":"))
    for place in ("http://169.254.169.254/latest", "//evil.example", "file:///etc/passwd", "https:evil.example"):
        with httpx.Client(base_url=address) as client:
            page = client.get("/sign-in", params={"next": place})
            form = {"csrf": token_of(page.text), "name": "reader", "password": PASSWORD, "next": place}
            assert client.post("/sign-in", data=form).headers["location"] == "/"


def test_api8_2023_configuration(house: House) -> None:
    """Every answer has its safe headers, no other site may read it, and faults show no internals."""
    _solution, address, _ids, key = house
    secure = {"X-Forwarded-Proto": "https", "Origin": "https://evil.example"}
    for method, path in (("GET", "/"), ("GET", "/sign-in"), ("POST", "/api/models/theme/predict"), ("GET", "/none")):
        answer = httpx.request(method, f"{address}{path}", headers=secure)
        assert answer.headers["strict-transport-security"] == "max-age=31536000", path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
        assert "Traceback" not in answer.text
    assert "strict-transport-security" not in httpx.get(f"{address}/sign-in").headers
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}) as client:
        for rows, status in ((ROWS, 200), ({}, 422)):
            for forwarded, expected in (("https", "max-age=31536000"), ("http", None), ("https", "max-age=31536000")):
                answer = client.post(
                    f"{address}/api/models/theme/predict", json=rows, headers={"X-Forwarded-Proto": forwarded}
                )
                assert answer.status_code == status
                assert answer.headers.get("strict-transport-security") == expected
    for method in ("TRACE", "CONNECT", "PROPFIND"):
        assert httpx.request(method, f"{address}/sign-in").status_code in (400, 405), method


def test_api9_2023_inventory(house: House) -> None:
    """What is served to programs is what the OpenAPI document says, each with its access rule."""
    solution, address, _ids, key = house
    document = httpx.get(f"{address}/api/openapi.json", headers={"Authorization": f"Bearer {key}"}).json()
    routes = {route.path for route in routes_of(solution) if route.path.startswith(("/api/", "/health", "/metrics"))}
    forms = {re.sub(r"/models/(?!\{)[^/]+", "/models/{name}", path) for path in document["paths"]}
    assert routes - {"/api/docs"} <= forms | set(document["paths"])
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post"):
                assert "security" in operation or "security" in document, path
    # The tutor's own route is there where the solution has a tutor (test_route_rights: every line has its route).
    assert set(NEEDED) - {route.name for route in routes_of(solution)} <= {"completions"}


def test_api10_2023_what_comes_from_elsewhere_is_checked(house: House) -> None:
    """A model package that was altered is refused; what is served goes on. (Sources: tests/contract/test_sources.)"""
    solution, address, _ids, key = house
    before = ask(address, key).json()
    for graph in solution.workspace.root.glob(".compagnon/packages/**/model.onnx"):
        content = graph.read_bytes()
        try:
            graph.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
            assert ask(address, key).json() == before
        finally:
            graph.write_bytes(content)


def test_api6_2019_mass_assignment(house: House) -> None:
    """An invitation form cannot set what only the application sets."""
    _solution, address, _ids, key = house
    with enter(address, "admin") as client:
        data = {"name": "mass@example.org", "label": "Mass", "role": "root", "password": "x", "password_hash": "y"}
        assert post(client, "/admin/accounts", data, of="/admin/accounts").status_code == 422
    assert ask(address, key, json={"rows": [{"text": "x", "label": "facture"}]}).status_code == 422


def test_api8_2019_injection(house: House) -> None:
    """What a caller sends is a value, never a part of a query, a page, a header or a path."""
    _solution, address, _ids, key = house
    attacks = (
        "' OR 1=1 --",
        '"; DROP TABLE access_accounts; --',
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "${7*7}",
    )
    with enter(address, "admin") as client:
        for attack in attacks:
            assert ask(address, key, json={"rows": [{"text": attack}]}).status_code == 200
            page = post(client, "/logbook", {"text": attack}, of="/logbook")
            assert page.status_code == 303
            for path in ("/runs/", "/sources/", "/tables/", "/models/", "/help/"):
                answer = client.get(path + httpx.URL(f"http://x/{attack}").raw_path.decode()[1:])
                assert answer.status_code in (404, 422), (path, attack)
        assert "<script>alert(1)</script>" not in client.get("/logbook").text
        assert "a" not in client.get("/sign-in", params={"next": "/\r\nSet-Cookie: a=b"}).cookies
        assert client.get("/admin/accounts").status_code == 200  # the table of accounts is still there


def test_api10_2019_refusals_are_logged_and_slowed_down(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Failed sign-ins leave a trace, unknown keys a line of the log; too many from one address have to wait."""
    root = Path(shutil.copytree(trained, tmp_path / "small"))
    with contextlib.closing(Solution(root)) as solution:
        add_account(solution, "admin")
        service = make_service(solution)
        with running(create_app(solution, service=service), service) as address:
            key = key_of(solution)
            answers = [ask(address, f"guess-{number}").status_code for number in range(100)]
            assert answers[:60] == [401] * 60
            assert 429 in answers[60:]
            assert ask(address, key).status_code == 200  # who has a key is not shut out
            with httpx.Client(base_url=address) as client:
                page = client.get("/sign-in")
                form = {"csrf": token_of(page.text), "name": "admin", "password": "wrong password"}
                assert client.post("/sign-in", data=form).status_code == 422
            with enter(address, "admin") as admin:
                audit = admin.get("/admin/audit", headers={"Accept-Language": "en"}).text
    assert "sign-in refused" in audit
    assert "unknown key" in caplog.text
    assert "guess-" not in caplog.text


def test_every_item_that_applies_has_its_test() -> None:
    """2023 whole; of 2019 what 2023 dropped. The others of 2019 are those of 2023 under an older name."""
    names = [name for name in globals() if name.startswith("test_api")]
    assert sorted(int(re.findall(r"\d+", name)[0]) for name in names if "_2023_" in name) == list(range(1, 11))
    assert {name.split("_")[1] for name in names if "_2019_" in name} == {"api6", "api8", "api10"}
    assert PUBLIC in NEEDED.values()
