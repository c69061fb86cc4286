"""The tutor's pages over HTTP: conversations are kept, one's own, and nothing in an answer is markup."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import running, token_of
from sqlalchemy import select
from visiting import add_account, enter, visit

from compagnon import Solution
from compagnon.access.setting import allow_anonymous
from compagnon.database.ledger import reading
from compagnon.database.tables import conversations
from compagnon.scaffold.template import copy
from compagnon.web.app import create_app
from compagnon.web.editions import EDITION

QUESTION = "c'est quoi le dropout ?"


@pytest.fixture(scope="module")
def tutor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Solution, str]]:
    """A tutor with accounts and its address."""
    root = tmp_path_factory.mktemp("tutor-pages") / "tutor"
    copy("tutor", root)
    solution = Solution(root)
    for name in ("learner", "teacher"):
        add_account(solution, name)
    add_account(solution, "learner", "other")
    with running(create_app(solution)) as address:
        yield solution, address
    solution.close()


def ask(client: httpx.Client, question: str = QUESTION, place: str = "/tutor", **more: str) -> httpx.Response:
    """Ask without JavaScript; gives the page that shows the whole answer."""
    token = token_of(client.get(place).text)
    answer = client.post(place, data={"csrf": token, "question": question, **more})
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["location"])


def place_of(page: httpx.Response) -> str:
    return page.url.path


def turn_of(page: httpx.Response) -> str:
    found = re.search(r'id="turn-(\d+)"', page.text)
    assert found
    return found[1]


def test_without_a_script_the_form_waits_for_the_whole_answer(tutor: tuple[Solution, str]) -> None:
    with enter(tutor[1], "learner") as client:
        page = ask(client)
        assert "data-stream" not in page.text
        assert "Aucun modèle de langage" in page.text
        assert "<mark>" in page.text
        assert "Level: beginner (inferred from the question)" in page.text
        assert QUESTION.replace("'", "&#39;") in client.get("/tutor").text


@pytest.mark.parametrize("question", [QUESTION, "what is dropout?"])
def test_each_citation_leads_to_its_words_in_the_knowledge_base(tutor: tuple[Solution, str], question: str) -> None:
    """In the language of the answer, whatever that of the pages."""
    with enter(tutor[1], "learner") as client:
        page = ask(client, question)
        links = re.findall(r'<a href="(/knowledge/[^"]+\?at=[^"]+)"', page.text)
        quotes = re.findall(r"<mark>(.*?)</mark>", page.text, re.DOTALL)
        assert len(links) == len(quotes) > 3
        for address, quote in zip(links, quotes, strict=True):
            read = client.get(address.replace("&amp;", "&"))
            assert f"<mark>{quote}</mark>" in read.text


def test_conversations_are_of_one_owner_alone(tutor: tuple[Solution, str]) -> None:
    _solution, address = tutor
    with enter(address, "learner") as client, enter(address, "other") as other, enter(address, "teacher") as teacher:
        page = ask(client)
        place, turn = place_of(page), turn_of(page)
        for stranger in (other, teacher):
            assert stranger.get(place).status_code == 404
            assert stranger.get(f"{place}/export/json").status_code == 404
            assert stranger.get(f"{place}/turns/{turn}/events").status_code == 404
            token = token_of(stranger.get("/tutor").text)
            for what in ("/rename", "/delete", f"/turns/{turn}/stop", f"/turns/{turn}/rate", f"/turns/{turn}/correct"):
                answer = stranger.post(place + what, data={"csrf": token, "title": "x", "text": "x", "rating": "bad"})
                assert answer.status_code == 404, what
        assert client.get(place).status_code == 200


def test_renamed_exported_and_deleted(tutor: tuple[Solution, str]) -> None:
    with enter(tutor[1], "learner") as client:
        place = place_of(ask(client))
        token = token_of(client.get(place).text)
        client.post(f"{place}/rename", data={"csrf": token, "title": "Mon <b>titre</b>"})
        assert "Mon &lt;b&gt;titre&lt;/b&gt;" in client.get(place).text
        taken = client.get(f"{place}/export/json")
        assert taken.headers["content-disposition"].startswith("attachment")
        values = json.loads(taken.text)
        assert values["title"] == "Mon <b>titre</b>"
        assert [turn["question"] for turn in values["turns"]] == [QUESTION]
        assert values["turns"][0]["citations"]
        text = client.get(f"{place}/export/txt").text
        assert QUESTION in text
        assert "[1]" in text
        assert client.get(f"{place}/export/exe").status_code == 404
        gone = client.post(f"{place}/delete", data={"csrf": token})
        assert gone.headers["location"] == "/tutor?noted=deleted"
        assert client.get(place).status_code == 404


def test_rating_is_kept_and_taken_back_and_a_correction_waits(tutor: tuple[Solution, str]) -> None:
    with enter(tutor[1], "learner") as client:
        page = ask(client)
        place, token = f"{place_of(page)}/turns/{turn_of(page)}", token_of(page.text)
        for pressed in ("true", "false"):
            answer = client.post(f"{place}/rate", data={"csrf": token, "rating": "good"})
            shown = client.get(answer.headers["location"]).text
            assert re.search(rf'value="good" aria-pressed="{pressed}"', shown)
        assert client.post(f"{place}/rate", data={"csrf": token, "rating": "?"}).status_code == 422
        assert client.post(f"{place}/correct", data={"csrf": token, "text": " "}).status_code == 422
        answer = client.post(f"{place}/correct", data={"csrf": token, "text": "Plutôt 20 %."})
        assert "waits for a teacher" in client.get(answer.headers["location"]).text


def test_level_is_chosen_and_remembered(tutor: tuple[Solution, str]) -> None:
    with enter(tutor[1], "learner") as client:
        page = ask(client, level="advanced")
        assert "Level: advanced (chosen by you)" in page.text
        assert '<option value="advanced" selected>' in page.text
        assert '<option value="advanced" selected>' in client.get("/tutor").text
        page = ask(client, "et à l'inférence ?", place_of(page), level="beginner")
        assert '<option value="beginner" selected>' in page.text


def test_without_an_account_as_the_administrator_allows(tutor: tuple[Solution, str]) -> None:
    solution, address = tutor
    with visit(address) as client:
        assert client.get("/tutor").headers["location"].startswith("/sign-in")
    allow_anonymous(solution.engine, ["tutor.ask"], actor=None, now=solution.clock.now())
    try:
        with visit(address) as client, visit(address) as stranger:
            assert not [name for name in client.get("/tutor").cookies if name.endswith("_tutor")]
            page = ask(client)
            assert "Aucun modèle de langage" in page.text
            assert stranger.get(place_of(page)).status_code == 404
            cookie = next(name for name in client.cookies if name.endswith("_tutor"))
            with reading(solution.engine) as connection:
                owners = [row.owner for row in connection.execute(select(conversations))]
            assert any(owner.startswith("anonymous:") for owner in owners)
            assert client.cookies[cookie] not in " ".join(owners), "the cookie itself is not kept"
    finally:
        allow_anonymous(solution.engine, [], actor=None, now=solution.clock.now())


def test_out_of_scope_is_said_plainly(tutor: tuple[Solution, str]) -> None:
    with enter(tutor[1], "learner") as client:
        page = ask(client, "Donne-moi une recette de quiche lorraine")
        assert "not answered" in page.text
        assert "Je peux vous parler de" in page.text
        page = ask(client, "Give me a recipe for an apple pie")
        assert "not answered" in page.text
        assert "I can speak of" in page.text


def test_a_question_is_never_markup(tutor: tuple[Solution, str]) -> None:
    with enter(tutor[1], "learner") as client:
        page = ask(client, "<script>alert(1)</script><img src=x onerror=alert(1)> dropout ?")
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


def test_a_solution_without_a_tutor_has_no_such_pages(trained: Path, tmp_path: Path) -> None:
    solution = Solution(shutil.copytree(trained, tmp_path / "small"))
    with running(create_app(solution)) as address, visit(address) as client:
        assert 'href="/tutor"' not in client.get("/").text
        for path in ("/tutor", "/tutor/x", "/knowledge", "/knowledge/glossary", "/knowledge/cnn/convolution"):
            answer = client.get(path)
            assert answer.status_code == 404, path
            assert "no tutor" in answer.text
    solution.close()


def test_a_correction_goes_from_a_learner_through_a_teacher_into_the_base(tutor: tuple[Solution, str]) -> None:
    solution, address = tutor
    file = solution.root / "knowledge" / "training.json"
    with enter(address, "learner") as client:
        page = ask(client)
        place, token = f"{place_of(page)}/turns/{turn_of(page)}", token_of(page.text)
        client.post(f"{place}/correct", data={"csrf": token, "text": "Précisez <b>quand</b> il est coupé."})
        assert client.get("/corrections").status_code == 403
    with enter(address, "teacher") as teacher:
        listed = teacher.get("/corrections").text
        assert "Précisez &lt;b&gt;quand&lt;/b&gt;" in listed
        here = re.findall(r'href="(/corrections/\d+)"', listed)[-1]
        passage = "training.regularization/glossary/1"
        shown = teacher.get(here, params={"passage": passage}).text
        assert "Annulation au hasard" in shown
        form = {"csrf": token_of(shown), "passage": passage, "text": "Annulation au hasard, coupée à l'inférence."}
        assert teacher.post(f"{here}/propose", data=form).status_code == 422, "a reason is needed"
        before = file.read_bytes()
        preview = teacher.post(f"{here}/propose", data={**form, "why": "Plus juste."})
        assert preview.status_code == 200
        assert file.read_bytes() == before, "nothing is written by looking"
        sealed = re.search(r'name="proposal" value="([^"]+)"', preview.text)
        assert sealed
        altered = teacher.post(f"{here}/decide", data={"csrf": form["csrf"], "proposal": "x" + sealed[1]})
        assert altered.status_code == 400
        done = teacher.post(f"{here}/decide", data={"csrf": form["csrf"], "proposal": sealed[1]})
        assert done.headers["location"] == "/corrections?noted=accepted"
        decided = teacher.get("/corrections?state=decided").text
        assert "Nom teacher" in decided
        assert "Plus juste." in decided
        again = teacher.post(f"{here}/decide", data={"csrf": form["csrf"], "proposal": sealed[1]})
        assert again.status_code == 422
    with enter(address, "learner") as client:
        place = "/knowledge/training/regularization"
        assert "coupée à l&#39;inférence" in client.get(place, params={EDITION: "fr"}).text
        assert "coupée à l&#39;inférence" not in client.get(place, params={EDITION: "en"}).text
        assert "coupée à l&#39;inférence" in ask(client).text, "the tutor answers from it at once"


def test_what_learners_ask_is_told_of_five_or_more(tutor: tuple[Solution, str]) -> None:
    solution, address = tutor
    with enter(address, "teacher") as teacher:
        assert "Fewer than 5 learners" in teacher.get("/asked").text
        for number in range(5):
            add_account(solution, "learner", f"learner{number}")
            with enter(address, f"learner{number}") as client:
                ask(client)
        page = teacher.get("/asked").text
        assert "La régularisation" in page
        assert QUESTION.replace("'", "&#39;") not in page


def test_providers_and_costs_show_no_key(tutor: tuple[Solution, str]) -> None:
    with enter(tutor[1], "teacher") as teacher:
        page = teacher.get("/providers").text
        assert "extract" in page
        assert "needs no key" in page
    with enter(tutor[1], "learner") as client:
        assert client.get("/providers").status_code == 403
