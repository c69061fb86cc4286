"""The playground of prompts over HTTP: tried, played by a worker, refused or shipped in two acts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prompting import KEY, prompting, variant
from serving import running, token_of

from compagnon import Solution
from compagnon.services.tutor.prompts.job import work_once
from compagnon.services.tutor.prompts.variant import shipped
from compagnon.web.app import create_app

QUESTION = "C'est quoi une convolution sur une image ?"


def body(text: str) -> str:
    return variant(text).partition("---\n")[2].partition("---\n")[2]


@pytest.fixture
def tutor(tmp_path: Path) -> Iterator[tuple[Solution, httpx.Client]]:
    with (
        prompting(tmp_path) as (solution, _service),
        running(create_app(solution)) as address,
        httpx.Client(base_url=address, headers={"Accept-Language": "en"}, timeout=60) as client,
    ):
        yield solution, client


def post(client: httpx.Client, place: str, text: str = "", **more: str) -> httpx.Response:
    token = token_of(client.get("/prompts").text)
    return client.post(f"/prompts/{place}", data={"csrf": token, "text": text, **more}, follow_redirects=True)


def test_two_answers_then_scores_then_two_acts(tutor: tuple[Solution, httpx.Client]) -> None:
    solution, client = tutor
    page = client.get("/prompts")
    assert page.status_code == 200
    assert "No prompt was scored yet" in page.text
    tried = post(client, "answers", body("6. Inventez."), question=QUESTION, level="beginner")
    assert tried.text.count("written by the model") == 1
    assert "put in order without the model" in tried.text
    assert post(client, "answers", body("6. Inventez.")).status_code == 422

    unplayed = post(client, "ship", body("6. Restez bref."))
    assert unplayed.status_code == 422
    assert "questions were played" in unplayed.text
    asked = post(client, "play", body("6. Restez bref."))
    assert "is to be played" in asked.text
    post(client, "play", body("6. Inventez."))
    while work_once(solution):
        pass
    assert "4 / 4" in client.get("/prompts").text

    worse = post(client, "ship", body("6. Inventez."))
    assert worse.status_code == 422
    assert "does worse" in worse.text
    file = solution.root / "prompts" / "answer.md"
    before = file.read_text(encoding="utf-8")
    shown = post(client, "ship", body("6. Restez bref."))
    assert "+6. Restez bref." in shown.text
    assert file.read_text(encoding="utf-8") == before
    sealed = re.search(r'name="proposal" value="([^"]+)"', shown.text)
    assert sealed
    assert post(client, "write", proposal=sealed[1][:-2] + "00").status_code == 400
    assert file.read_text(encoding="utf-8") == before
    done = post(client, "write", proposal=sealed[1])
    assert "uses this prompt from now on" in done.text
    assert "prompts/versions/answer-1.md" in done.text
    assert shipped(solution).version == "2"
    # The same form a second time: the file is another one.
    assert post(client, "write", proposal=sealed[1]).status_code == 422


def test_a_play_can_be_stopped(tutor: tuple[Solution, httpx.Client]) -> None:
    solution, client = tutor
    post(client, "play", body("6. Restez bref."))
    assert "asked to stop" in post(client, "stop").text
    assert all(job.state == "cancelled" or job.cancel for job in solution.jobs.latest(5))


def test_without_a_service_it_says_so(tmp_path: Path) -> None:
    with prompting(tmp_path) as (solution, _service):
        file = solution.root / "solution.yaml"
        file.write_text(file.read_text(encoding="utf-8").partition("\nproviders:")[0], encoding="utf-8")
        with running(create_app(Solution(solution.root, environ=KEY))) as address:
            page = httpx.get(f"{address}/prompts", headers={"Accept-Language": "en"})
    assert "a prompt changes nothing" in page.text
    assert "/prompts/answers" not in page.text
