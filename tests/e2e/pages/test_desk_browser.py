"""The desk and its customer in two browsers: what is said arrives, once, and what is being written stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from browsing import assert_no_violation, tab_to
from desk_house import ANSWER, author, handed, help_desk
from playwright.sync_api import Browser, Page
from serving import running
from visiting import PASSWORD

from compagnon import Solution
from compagnon.services.tutor.handover import desk
from compagnon.web.app import create_app

pytestmark = pytest.mark.browser

WATCH = """addEventListener("DOMContentLoaded", () => {
  window.heard = [];
  const place = document.querySelector("[data-heard]");
  if (place) new MutationObserver(() => window.heard.push(place.textContent)).observe(place, {childList: true});
});"""
"""Notes what is told to screen readers."""


@dataclass(frozen=True)
class Door:
    """A server, and windows in which somebody has signed in."""

    solution: Solution
    address: str
    browser: Browser

    def enter(self, name: str, *, script: bool = True) -> Page:
        page = self.browser.new_context(locale="en-US", java_script_enabled=script).new_page()
        page.add_init_script(WATCH)
        page.goto(f"{self.address}/sign-in")
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.click("form.access button")
        page.wait_for_selector(".who form")
        return page

    def waiting(self) -> tuple[str, str]:
        """The pages of the desk and of the customer of a conversation that waits."""
        found = handed(self.solution, author(self.solution, "learner"))
        return f"{self.address}/tutor/handovers/{found.id}", f"{self.address}/tutor/{found.conversation}"


@pytest.fixture(scope="module")
def door(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    solution = help_desk(tmp_path_factory.mktemp("desk") / "aide")
    with running(create_app(solution)) as address:
        yield Door(solution, address, browser)
    solution.close()


def heard(page: Page) -> list[str]:
    said: list[str] = page.evaluate("window.heard")
    return [" ".join(text.split()) for text in said]


def test_a_person_takes_over_answers_and_ends_without_a_reload(door: Door) -> None:
    place, own = door.waiting()
    lea, customer = door.enter("lea"), door.enter("learner")
    customer.goto(own)
    customer.fill("#question", "Et pour un écran ?")
    customer.locator("#question").press("End")
    lea.goto(place)
    lea.click("form[action$=take] button")
    lea.wait_for_selector("#text")
    # The form turns into one for the person, with what was being written, and the focus.
    customer.wait_for_selector("[name=to]", state="attached")
    assert customer.input_value("#question") == "Et pour un écran ?"
    assert customer.evaluate("document.activeElement.id") == "question"
    assert "A person answers you." in customer.inner_text("#notice")
    lea.fill("#text", ANSWER)
    lea.click("form[action$=answer] button >> nth=0")
    lea.wait_for_selector("[role=status].done")
    customer.wait_for_selector(f".said:has-text('{ANSWER.splitlines()[1]}')")
    assert customer.input_value("#question") == "Et pour un écran ?"
    assert_no_violation(customer)
    customer.click(".composer button")
    customer.wait_for_selector(".own-said")
    # On the desk's side, while the next answer is being written.
    lea.fill("#text", "Je regarde")
    lea.wait_for_selector(".said:has-text('Et pour un écran ?')")
    assert lea.input_value("#text") == "Je regarde"
    assert heard(lea) == ["The customer has written: Et pour un écran ?"]
    assert_no_violation(lea)
    lea.click("button[name=then]")
    lea.wait_for_url("**/tutor/handovers?noted=closed")
    customer.wait_for_selector("#talk-state .panel:not(.person)")
    customer.wait_for_selector("[name=level]")
    assert heard(customer) == [
        "A person has answered: Je regarde The person has ended their part. The assistant answers your next questions."
    ]
    assert customer.locator("#talk[data-talk]").count() == 0
    lea.context.close()
    customer.context.close()


def test_an_answer_is_told_once(door: Door) -> None:
    place, own = door.waiting()
    number = int(place.rpartition("/")[2])
    customer = door.enter("learner")
    customer.goto(own)
    desk.answer(door.solution.engine, number, author(door.solution, "lea"), "Oui.", door.solution.clock.now())
    customer.wait_for_selector(".said")
    customer.wait_for_timeout(6000)  # another look, which finds nothing new
    (said,) = heard(customer)
    assert said.startswith("A person has answered: Oui. A person answers you")
    assert customer.locator(".said").count() == 1
    customer.context.close()


def test_somebody_quicker_takes_nothing_of_what_is_written(door: Door) -> None:
    place, _own = door.waiting()
    number = int(place.rpartition("/")[2])
    lea = door.enter("lea")
    lea.goto(place)
    lea.click("form[action$=take] button")
    lea.wait_for_selector("#text")
    lea.fill("#text", ANSWER)
    lea_, max_ = author(door.solution, "lea"), author(door.solution, "max")
    desk.take(door.solution.engine, number, max_, door.solution.clock.now(), over=lea_)
    lea.wait_for_selector("#talk-state:has-text('Nom operator answers')")
    assert lea.input_value("#text") == ANSWER
    lea.click("form[action$=answer] button >> nth=0")
    lea.wait_for_selector(".error")
    assert lea.input_value("#text") == ANSWER
    assert_no_violation(lea)
    lea.click("form[action$=take] button")
    lea.wait_for_selector("form[action$=answer]")
    assert lea.input_value("#text") == ANSWER
    lea.context.close()


def test_by_keyboard_alone_from_the_menu_to_the_answer(door: Door) -> None:
    place, _own = door.waiting()
    number = int(place.rpartition("/")[2])
    lea = door.enter("lea")
    tab_to(lea, "header nav a[href='/tutor/handovers']")
    lea.keyboard.press("Enter")
    lea.wait_for_url("**/tutor/handovers")
    tab_to(lea, f".entries a[href='/tutor/handovers/{number}']")
    lea.keyboard.press("Enter")
    lea.wait_for_url(f"**/tutor/handovers/{number}")
    tab_to(lea, "form[action$=take] button")
    lea.keyboard.press("Enter")
    lea.wait_for_selector("#text")
    tab_to(lea, "#text")
    lea.keyboard.type("Oui, sous trois jours.")
    tab_to(lea, "form[action$=answer] button")
    lea.keyboard.press("Enter")
    lea.wait_for_selector("[role=status].done")
    assert [one.text for one in desk.messages_of(door.solution.engine, number)] == ["Oui, sous trois jours."]
    lea.context.close()


def test_without_a_script_everything_works(door: Door) -> None:
    place, own = door.waiting()
    lea, customer = door.enter("lea", script=False), door.enter("learner", script=False)
    lea.goto(place)
    lea.click("form[action$=take] button")
    lea.fill("#text", ANSWER)
    lea.click("form[action$=answer] button >> nth=0")
    customer.goto(own)
    assert ANSWER.splitlines()[0] in customer.inner_text(".said")
    customer.fill("#question", "Merci")
    customer.click(".composer button")
    assert customer.locator(".own-said").count() == 1
    lea.click("a.reload")
    assert "Merci" in lea.inner_text("#thread")
    lea.click("details summary:has-text('Without an answer')")
    lea.click("form[action$=close] button")
    customer.click("a.reload")
    assert "The person has ended their part" in customer.inner_text("#talk-state")
    customer.click("form[action$=person] button")
    assert customer.locator(".panel.person").count() == 1
    lea.context.close()
    customer.context.close()


def test_an_answer_that_is_handed_over_says_so_at_once(door: Door) -> None:
    """By the script that follows the answer; a person is then followed without a reload."""
    customer = door.enter("learner")
    customer.goto(f"{door.address}/tutor")
    customer.fill("#question", "Vendez-vous des imprimantes 3D ?")
    customer.click(".send button")
    customer.wait_for_selector(".panel.person")
    customer.wait_for_selector("#talk[data-talk]", state="attached")
    conversation = customer.url.partition("?")[0].rpartition("/")[2]
    found = desk.of_owner(door.solution.engine, author(door.solution, "learner"), conversation)
    assert found
    desk.answer(door.solution.engine, found.id, author(door.solution, "lea"), "Non.", door.solution.clock.now())
    customer.wait_for_selector(".said:has-text('Non.')")
    customer.context.close()
