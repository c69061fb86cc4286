"""Pages of data over HTTP: what is never served, what needs a right, bad names and pages, files to take away."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import docx
import httpx
import pyarrow.parquet as pq
import pytest
from serving import Served, key_of, running

from compagnon import Solution
from compagnon.render.document_file import MEDIA_TYPES
from compagnon.web.app import create_app


@pytest.fixture
def own(fresh: Solution) -> Iterator[tuple[Served, httpx.Client]]:
    with running(create_app(fresh)) as address, httpx.Client(base_url=address) as client:
        client.headers.update({"accept-language": "en", "origin": address})
        yield Served(fresh, address, key_of(fresh)), client


def token(client: httpx.Client, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def raw_values(solution: Solution) -> set[str]:
    """What only the raw zone and the quarantine hold: cells of rows set aside, and e-mail addresses."""
    artifact = solution.artifact("collect/shop", "rows/shop")
    assert artifact is not None
    return {
        address
        for path in solution.artifacts.paths(artifact)
        for address in pq.read_table(path).column("Courriel").to_pylist()
        if address and "@" in address
    }


def test_the_raw_zone_is_on_no_page_and_in_no_file(own: tuple[Served, httpx.Client]) -> None:
    served, client = own
    raw = raw_values(served.solution)
    assert len(raw) > 3
    paths = [
        "/",
        "/sources",
        "/sources/shop",
        "/queries",
        "/tables",
        "/tables/messages",
        "/quarantine/messages",
        "/models/theme",
    ]
    paths += ["/models/theme/card", "/runs", "/logbook", "/jobs/1", "/site-map", "/contact", "/legal"]
    paths += [f"/tables/messages/export/{form}" for form in ("csv", "json")]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert not [value for value in raw if value in answer.text], path
    zones = [client.get(path).status_code for path in ("/.compagnon/raw", "/static/../.compagnon/raw", "/static/x")]
    assert set(zones) == {404}


@pytest.mark.parametrize(
    ("page", "file", "title"),
    [
        ("/tables/messages/quality", "small-quality-messages-en", "messages"),
        ("/models/theme/card", "small-card-theme-en", "theme"),
        ("/logbook", "small-logbook-en", "Logbook"),
    ],
)
def test_documents_are_taken_away_from_the_page_that_shows_the_same(
    served: Served, page: str, file: str, title: str
) -> None:
    with httpx.Client(base_url=served.address, headers={"accept-language": "en"}) as client:
        shown = client.get(page).text
        for form, media in MEDIA_TYPES.items():
            assert f'href="{page}.{form}" download' in shown
            answer = client.get(f"{page}.{form}")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == media
            assert answer.headers["content-disposition"] == f'attachment; filename="{file}.{form}"'
            assert answer.headers["content-language"] == "en"
        word = docx.Document(io.BytesIO(client.get(f"{page}.docx").content))
        assert title in word.paragraphs[0].text
        assert 'lang="en' in client.get(f"{page}.html").text
        assert 'lang="fr' in client.get(f"{page}.html", headers={"accept-language": "fr"}).text
        assert not [address for address in raw_values(served.solution) if address in client.get(f"{page}.html").text]


@pytest.mark.parametrize(
    "path",
    [
        "/tables/none/quality.docx",
        "/tables/messages/quality.pdf",
        "/models/none/card.html",
        "/models/theme/card.pdf",
        "/logbook.pdf",
        "/sources/none",
        "/sources/..%2f..",
        "/tables/none",
        "/tables/messages%22",
        "/tables/none/export/csv",
        "/tables/messages/export/xlsx",
        "/quarantine/none",
        "/quarantine/messages/row?id=..%2f",
        "/models/none",
        "/models/none/card",
        "/models/theme/charts/model.svg",
        "/models/theme/charts/..%2fmodel.svg",
        "/jobs/0",
        "/jobs/x",
        "/jobs/999999999999999999999",
        "/jobs/none/events",
        "/help/none",
        "/help/..%2findex",
    ],
)
def test_names_that_are_none_are_not_found(served: Served, path: str) -> None:
    assert httpx.get(served.address + path, headers={"accept-language": "en"}).status_code == 404


def test_pages_of_a_table_hold_every_row_once(own: tuple[Served, httpx.Client]) -> None:
    _served, client = own
    seen: list[str] = []
    for page in (1, 2, 3):
        html = client.get(f"/tables/messages?page={page}").text
        seen += re.findall(r"<tr><td>(shop:\d+)</td>", html)
    assert len(seen) == len(set(seen)) > 40
    beyond = client.get("/tables/messages?page=99").text
    assert re.findall(r"<tr><td>(shop:\d+)</td>", beyond) == seen[40:]


def test_tables_are_taken_away_whole_in_three_forms(own: tuple[Served, httpx.Client]) -> None:
    served, client = own
    csv = client.get("/tables/messages/export/csv")
    assert csv.headers["content-disposition"] == 'attachment; filename="messages.csv"'
    lines = [json.loads(line) for line in client.get("/tables/messages/export/json").text.splitlines()]
    table = pq.read_table(io.BytesIO(client.get("/tables/messages/export/parquet").content))
    assert len(csv.text.splitlines()) - 1 == len(lines) == table.num_rows > 40
    assert not list(served.solution.workspace.scratch.glob("download-*")), "nothing stays behind"


def test_raw_cells_stay_hidden_without_the_right_and_a_row_is_put_back_once(own: tuple[Served, httpx.Client]) -> None:
    served, client = own
    html = client.get("/quarantine/messages").text
    assert "What the source wrote is hidden" in html
    rows = re.findall(r'name="row_id" value="([^"]+)"', html)
    assert rows
    form = {"csrf": token(client, "/quarantine/messages"), "row_id": rows[0], "because": "fine"}
    for _twice in range(2):
        answer = client.post("/quarantine/messages", data=form)
        assert answer.status_code == 303
    assert [(c.row_id, c.because) for c in served.solution.ledger.corrections("messages")] == [(rows[0], "fine")]
    assert rows[0] in client.get(answer.headers["location"]).text
    assert client.post("/quarantine/messages", data={**form, "because": " "}).status_code == 422
    assert client.post("/quarantine/messages", data={**form, "because": "x" * 1001}).status_code == 422
    assert client.post("/quarantine/messages", data={**form, "row_id": "shop:none"}).status_code == 404
    # Without the token of the page nothing is done, and what was written is found again.
    answer = client.post("/quarantine/messages", data={"row_id": rows[1], "because": "not yet"})
    assert answer.headers["location"].startswith("/quarantine/messages?draft=")
    assert 'value="not yet"' in client.get(answer.headers["location"]).text
    assert len(served.solution.ledger.corrections("messages")) == 1
    shown = client.get("/quarantine/messages?restored=%3Cscript%3E").text
    assert "<script>" not in shown
    assert 'role="status"' not in shown


def test_a_cell_is_corrected_once_and_only_where_the_table_lets_it_out(own: tuple[Served, httpx.Client]) -> None:
    served, client = own
    row = re.findall(r'name="row_id" value="([^"]+)"', client.get("/quarantine/messages").text)[0]
    place = f"/quarantine/messages/row?id={row}"
    html = client.get(place).text
    assert "What the source wrote is hidden" in html
    offered = set(re.findall(r'<option value="(\w+)"', html))
    assert "text" in offered
    assert "email" not in offered, "what the table hides is not corrected here"
    form = {"csrf": token(client, place), "column": "text", "value": "Où est mon colis ?", "because": "vu"}
    for _twice in range(2):
        answer = client.post(place, data=form)
        assert answer.status_code == 303
    (entry,) = served.solution.ledger.corrections("messages")
    assert (entry.kind, entry.column, entry.value, entry.because) == ("correct", "text", "Où est mon colis ?", "vu")
    shown = client.get(answer.headers["location"]).text
    assert "will be corrected at the next run" in shown
    assert "To be corrected at the next run (text): vu" in shown
    for change in (
        {"because": " "},
        {"column": "email"},
        {"column": ""},
        {"because": "x" * 1001},
        {"value": "x" * 10_001},
    ):
        refused = client.post(place, data={**form, **change})
        assert refused.status_code == 422
        assert refused.text.count('class="error"') == 1
    assert client.post("/quarantine/messages/row?id=shop:none", data=form).status_code == 404
    assert client.get("/quarantine/messages/row").status_code == 404
    assert client.get("/quarantine/none/row?id=x").status_code == 404
    assert len(served.solution.ledger.corrections("messages")) == 1
    # An empty value is no value.
    client.post(place, data={**form, "value": "", "because": "rien"})
    assert served.solution.ledger.corrections("messages")[-1].value is None


def test_an_error_about_a_row_stays_on_its_page_of_the_list(own: tuple[Served, httpx.Client]) -> None:
    _served, client = own
    place = "/quarantine/messages?reason=duplicate"
    html = client.get(place).text
    (action,) = set(re.findall(r'<form method="post" action="([^"]+)" class="restore"', html))
    assert action.startswith("/quarantine/messages?reason=duplicate&amp;page=1")
    row = re.findall(r'name="row_id" value="([^"]+)"', html)[0]
    answer = client.post(
        action.replace("&amp;", "&"), data={"csrf": token(client, place), "row_id": row, "because": ""}
    )
    assert answer.status_code == 422
    assert "Say why this row is put back." in answer.text
    assert "all rows again" in answer.text, "the list is still that of this reason"


def test_a_double_click_starts_one_run(own: tuple[Served, httpx.Client]) -> None:
    served, client = own
    form = {"csrf": token(client, "/runs"), "to": "prepare/messages", "refresh": ""}
    places = {client.post("/runs", data=form).headers["location"] for _click in range(2)}
    assert len(places) == 1
    assert client.post("/runs", data={**form, "to": "no/stage"}).status_code == 422
    assert client.post("/runs", data={**form, "refresh": "no"}).status_code == 422
    place = places.pop()
    assert client.post(f"{place}/cancel", data={"csrf": form["csrf"]}).headers["location"] == place
    job = served.solution.jobs.get(int(place.rpartition("/")[2]))
    assert job is not None
    assert job.state == "cancelled"
    events = client.get(f"{place}/events").text
    last = json.loads(events.rpartition("data: ")[2])
    assert (last["state"], last["ended"]) == ("cancelled", True)


def test_only_the_page_of_a_job_may_run_our_script(served: Served) -> None:
    policies = {
        path: httpx.get(served.address + path).headers["content-security-policy"]
        for path in ("/jobs/1", "/runs", "/models/theme/charts/roc.svg")
    }
    assert "script-src 'self'" in policies["/jobs/1"]
    assert not [path for path, policy in policies.items() if "unsafe" in policy]
    assert "script-src" not in policies["/runs"]
    assert "<script>" not in httpx.get(served.address + "/jobs/1").text
