"""The desk and the living FAQ over HTTP: what a person answers reaches the customer, one answers, nothing is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from desk_house import ANSWER, author, handed, help_desk
from serving import running, token_of
from visiting import enter, visit

from compagnon import Solution
from compagnon.scaffold.template import copy
from compagnon.services.tutor.faq import living
from compagnon.services.tutor.handover import desk
from compagnon.services.tutor.knowledge.load import load
from compagnon.web.app import create_app
from compagnon.web.live import PER_MINUTE

House = tuple[Solution, str]
MAIL = "zoe.lefevre@exemple.fr"
CONTACT = "aide@example.org"
STRANGE = "Vendez-vous des imprimantes 3D ?"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    solution = help_desk(tmp_path_factory.mktemp("desk") / "aide")
    with running(create_app(solution)) as address:
        yield solution, address
    solution.close()


def send(client: httpx.Client, page: str, place: str, **fields: str) -> httpx.Response:
    """Send a form of ``page`` to ``place``; the answer itself."""
    return client.post(place, data={"csrf": token_of(client.get(page).text), **fields})


def given(client: httpx.Client, answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["location"])


def ask(client: httpx.Client, question: str) -> httpx.Response:
    return given(client, send(client, "/tutor", "/tutor", question=question))


def waiting(solution: Solution, **more: str) -> tuple[str, str]:
    """The pages of the desk and of the customer of a conversation that waits."""
    found = handed(solution, author(solution, "learner"), **more)
    return f"/tutor/handovers/{found.id}", f"/tutor/{found.conversation}"


def test_from_a_question_to_a_person_and_back(house: House) -> None:
    solution, address = house
    with enter(address, "learner") as customer, enter(address, "lea") as lea:
        page = ask(customer, f"{STRANGE} Mon adresse : {MAIL}")
        own = page.url.path
        assert "A person takes this over" in page.text
        assert CONTACT in page.text
        assert MAIL not in page.text
        assert "waits for a person" in customer.get("/tutor").text
        queue = lea.get("/tutor/handovers?state=waiting").text
        found = desk.of_owner(solution.engine, author(solution, "learner"), own.rpartition("/")[2])
        assert found
        place = f"/tutor/handovers/{found.id}"
        assert place in queue
        assert MAIL not in queue
        shown = given(lea, send(lea, place, f"{place}/take")).text
        assert "You answer this conversation." in shown
        assert "A person answers you." in customer.get(own).text
        before = customer.get(f"{own}/news").json()["mark"]
        answer = send(lea, place, f"{place}/answer", text=f"Non. Écrivez à {CONTACT}, pas à {MAIL}.")
        assert answer.headers["location"].startswith(f"{place}?noted=sent#m-")
        assert "Sent: the customer reads it" in given(lea, answer).text
        assert customer.get(f"{own}/news").json()["mark"] != before
        page = customer.get(own)
        assert f"Non. Écrivez à {CONTACT}, pas à [courriel]." in page.text
        assert "Nom operator" not in page.text  # a person, not who
        # What the customer writes goes to the person now, also from a page that was open before.
        for to in ("person", ""):
            sent = send(customer, own, own, question=f"Merci {to} !", **({"to": to} if to else {"level": ""}))
            assert f"Merci {to} !" in given(customer, sent).text
        told = lea.get(place).text
        assert "Merci person !" in told
        assert "Merci  !" in told
        given(lea, send(lea, place, f"{place}/answer", text="Au revoir.", then="close"))
        page = customer.get(own)
        assert "The person has ended their part" in page.text
        assert "Au revoir." in page.text
        exported = json.loads(customer.get(f"{own}/export/json").text)["messages"]
        assert [each["side"] for each in exported] == ["person", "owner", "owner", "person"]
        assert "Au revoir." in customer.get(f"{own}/export/txt").text
        assert "person:" not in json.dumps(exported)


def test_what_is_written_too_late_is_not_lost(house: House) -> None:
    solution, address = house
    with enter(address, "learner") as customer, enter(address, "lea") as lea, enter(address, "max") as max_:
        place, own = waiting(solution)
        given(lea, send(lea, place, f"{place}/take"))
        # Somebody else: taken already, and said kindly.
        late = send(max_, place, f"{place}/take")
        assert (late.status_code, "has taken this conversation meanwhile" in late.text) == (409, True)
        # Taken over while the first one writes: their text is shown again.
        taken = send(max_, place, f"{place}/take", over=author(solution, "lea"))
        assert "You answer this conversation." in given(max_, taken).text
        late = send(lea, place, f"{place}/answer", text=ANSWER)
        assert late.status_code == 409
        assert "nothing was sent" in late.text
        assert ANSWER in late.text
        assert ANSWER not in customer.get(own).text
        back = send(lea, place, f"{place}/take", over=author(solution, "max"), text=ANSWER)
        assert back.status_code == 200
        assert ANSWER in back.text
        assert 'action="' + place + '/answer"' in back.text
        assert send(max_, place, f"{place}/release").status_code == 409
        assert send(max_, place, f"{place}/close").status_code == 409
        given(lea, send(lea, place, f"{place}/close"))
        late = send(lea, "/tutor", f"{place}/answer", text=ANSWER)
        assert (late.status_code, ANSWER in late.text) == (409, True)
        # The customer wrote to a person who has ended.
        late = send(customer, own, own, question="Et demain ?", to="person")
        assert late.status_code == 422
        assert "your message was not sent" in late.text
        assert "Et demain ?" in late.text
        assert send(lea, "/tutor", f"{place}/answer", text=" ").status_code == 422


def test_given_back_it_keeps_its_place(house: House) -> None:
    solution, address = house
    with enter(address, "lea") as lea:
        place, _own = waiting(solution)
        given(lea, send(lea, place, f"{place}/take"))
        assert "back in the queue" in given(lea, send(lea, place, f"{place}/release")).text
        assert "Nobody has taken it" in lea.get(place).text


def test_a_person_can_be_asked_for(house: House) -> None:
    solution, address = house
    with enter(address, "learner") as customer:
        page = ask(customer, "combien coûte la livraison ?")
        assert "A person takes this over" not in page.text
        assert ">Ask for a person</button>" in page.text
        asked = given(customer, send(customer, page.url.path, f"{page.url.path}/person"))
        assert "A person takes this over" in asked.text
        assert ">Ask for a person</button>" not in asked.text
        found = desk.of_owner(solution.engine, author(solution, "learner"), page.url.path.rpartition("/")[2])
        assert found
        assert found.reason == "asked"


def test_conversations_are_for_their_owner_and_for_who_answers(house: House) -> None:
    solution, address = house
    place, own = waiting(solution)
    with enter(address, "learner") as customer, enter(address, "lea") as lea:
        assert customer.get(place).status_code == 403
        assert "/tutor/handovers" not in customer.get("/tutor").text
        assert lea.get(own).status_code == 404
        assert lea.get(f"{own}/news").status_code == 404
        assert 'href="/tutor/handovers"' in lea.get("/").text
        assert "/tutor/handovers" in lea.get("/site-map").text
    for number in ("0", "999999", "x", "9" * 40):
        with enter(address, "lea") as lea:
            assert lea.get(f"/tutor/handovers/{number}").status_code == 404


def test_the_queue_by_state_and_by_pages(house: House) -> None:
    solution, address = house
    for number in range(22):
        handed(solution, f"anonymous:{number}", f"Question {number} ?", minutes=10_000 - number)
    with enter(address, "lea") as lea:
        first = lea.get("/tutor/handovers").text
        assert first.index("Question 0 ?") < first.index("Question 1 ?")
        assert first.count('class="entry-head"') == 20
        assert "6 d 22 h" in first
        assert "Question 21 ?" in lea.get("/tutor/handovers?page=2").text
        assert "page=2" in first
        assert "Question 0 ?" not in lea.get("/tutor/handovers?state=closed").text
        assert lea.get("/tutor/handovers?state=x&page=-3").status_code == 200


def test_nothing_written_is_markup(house: House) -> None:
    solution, address = house
    place, own = waiting(solution)
    with enter(address, "learner") as customer, enter(address, "lea") as lea:
        given(lea, send(lea, place, f"{place}/take"))
        for client, page, fields in (
            (lea, f"{place}/answer", {"text": "<script>a</script>"}),
            (customer, own, {"question": "<img src=x>", "to": "person"}),
        ):
            given(client, send(client, page.removesuffix("/answer"), page, **fields))
        for text in (lea.get(place).text, customer.get(own).text):
            assert "<script>a" not in text
            assert "<img" not in text
            assert "&lt;script&gt;a" in text


def test_what_was_written_when_the_session_ended_is_found_again(house: House) -> None:
    solution, address = house
    place, _own = waiting(solution)
    with enter(address, "lea") as lea:
        given(lea, send(lea, place, f"{place}/take"))
        answer = lea.post(f"{place}/answer", data={"csrf": "old", "text": ANSWER})
        assert answer.status_code == 303
        again = lea.get(answer.headers["location"]).text
        assert ANSWER in again
        assert "It has not been sent." in again


def test_a_proposal_enters_the_faq_by_a_difference_that_is_shown(house: House) -> None:
    solution, address = house
    question = "Donnez-vous des cours de couture ?"
    with visit(address) as nobody:
        assert nobody.get("/tutor/faq").status_code == 303
    with enter(address, "lea") as lea:
        handed(solution, "anonymous:a", question)
        assert question not in lea.get("/tutor/faq").text  # one person is fewer than two
        handed(solution, "anonymous:b", "donnez vous des cours de couture")
        page = lea.get("/tutor/faq").text
        found = re.search(r'href="(/tutor/faq/\w+)">Donnez-vous des cours de couture', page, re.IGNORECASE)
        assert found
        place, text = found[1], lea.get(found[1]).text
        about = hidden(text, "about")
        form = {"about": about, "question": question, "topic": "boutique", "why": "souvent demandé"}
        empty = send(lea, place, f"{place}/draft", **form, answer=" ")
        assert (empty.status_code, "Write the answer first." in empty.text) == (422, True)
        draft = send(lea, place, f"{place}/draft", **form, answer="Non, pas de couture.")
        assert draft.status_code == 200
        assert "+      &#34;content&#34;: &#34;Non, pas de couture.&#34;," in draft.text
        folder = solution.root / "knowledge"
        before = (folder / "boutique.json").read_text(encoding="utf-8")
        assert "couture" not in before
        shown = hidden(draft.text, "shown")
        # Changed: everything is there again.
        change = send(lea, place, f"{place}/draft", **form, answer="Non, pas de couture.", change="1")
        assert "Non, pas de couture." in change.text
        assert "souvent demandé" in change.text
        # The file has changed meanwhile: nothing is written.
        (folder / "boutique.json").write_text(before + "\n", encoding="utf-8")
        late = send(lea, place, f"{place}/decide", about=about, shown=shown)
        assert "The file has changed meanwhile" in late.text
        assert "Non, pas de couture." in late.text
        (folder / "boutique.json").write_text(before, encoding="utf-8")
        altered = send(lea, place, f"{place}/decide", about=about, shown=shown[:-4] + "0000")
        assert altered.status_code == 400
        done = given(lea, send(lea, place, f"{place}/decide", about=about, shown=shown))
        assert "Written into the FAQ" in done.text
        entry = load(folder).subtopic("boutique.donnez_vous_des_cours_de_couture")
        assert entry.reviewed is not None
        assert entry.reviewed.by == author(solution, "lea")
        assert question not in lea.get("/tutor/faq").text
        past = lea.get("/tutor/faq?state=decided").text
        assert "souvent demandé" in past
        assert "Non, pas de couture." in past
        # Somebody else, from a page that was open before: decided already, and nothing typed is lost.
        late = send(lea, "/tutor", f"{place}/decide", about=about, decision="refuse", why_not="hors sujet")
        assert (late.status_code, "decided of this proposal meanwhile" in late.text) == (422, True)
        assert "hors sujet" in late.text
        assert lea.get("/tutor/faq/00000000").status_code == 404


def test_a_proposal_is_added_to_an_entry_or_refused(house: House) -> None:
    solution, address = house
    for person in ("a", "b"):
        handed(solution, f"anonymous:{person}", "Peut-on venir avec un lama ?")
        handed(solution, f"anonymous:{person}", "Vendez-vous des graines de tournesol ?")
    with enter(address, "lea") as lea:
        page = lea.get("/tutor/faq").text
        lama, seeds = (
            found[1]
            for word in ("lama", "tournesol")
            if (found := re.search(rf'href="(/tutor/faq/\w+)">[^<]*{word}', page))
        )
        about = hidden(lea.get(lama).text, "about")
        form = {"about": about, "as": "wordings"}
        assert send(lea, lama, f"{lama}/draft", **form).status_code == 422
        draft = send(lea, lama, f"{lama}/draft", **form, entry="boutique.horaires")
        assert "+        &#34;Peut-on venir avec un lama ?&#34;" in draft.text
        given(lea, send(lea, lama, f"{lama}/decide", about=about, shown=hidden(draft.text, "shown")))
        entry = load(solution.root / "knowledge").subtopic("boutique.horaires")
        assert "Peut-on venir avec un lama ?" in entry.asked
        about = hidden(lea.get(seeds).text, "about")
        silent = send(lea, seeds, f"{seeds}/decide", about=about, decision="refuse", why_not=" ")
        assert (silent.status_code, "Say why." in silent.text) == (422, True)
        refused = send(lea, seeds, f"{seeds}/decide", about=about, decision="refuse", why_not="hors sujet")
        assert "left out from now on" in given(lea, refused).text
        assert "tournesol" not in lea.get("/tutor/faq").text
        assert living.history(solution.engine)[0].why == "hors sujet"


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', text)
    assert found, text
    return found[1]


def test_too_many_messages_wait_and_nothing_of_them_reaches_a_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    solution, address = house
    place, own = waiting(solution)
    with caplog.at_level(0), enter(address, "learner") as customer, enter(address, "lea") as lea:
        given(lea, send(lea, place, f"{place}/take"))
        given(lea, send(lea, place, f"{place}/answer", text=f"Bonjour {MAIL}"))
        token = token_of(customer.get(own).text)
        for number in range(PER_MINUTE + 1):
            form = {"csrf": token, "question": f"Message {number} de {MAIL}", "to": "person"}
            answer = customer.post(own, data=form)
            if answer.status_code != 303:
                break
        assert (answer.status_code, number > 5) == (422, True)
        assert "a lot of questions in one minute" in answer.text
        assert f"Message {number} de" in answer.text
    assert "handover" in caplog.text
    assert MAIL not in caplog.text
    assert "Message" not in caplog.text


def test_a_solution_without_a_desk_has_no_such_pages(tmp_path: Path) -> None:
    copy("tutor", tmp_path / "tutor")
    solution = Solution(tmp_path / "tutor")
    with running(create_app(solution)) as address, visit(address) as client:
        for page in ("/tutor/handovers", "/tutor/handovers/1", "/tutor/faq", "/tutor/faq/abc"):
            assert client.get(page).status_code == 404
        assert "/tutor/handovers" not in client.get("/tutor").text
        assert "handover.none" in send(client, "/tutor", "/tutor/handovers/1/take").text
    solution.close()
