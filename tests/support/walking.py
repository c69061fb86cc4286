"""Every page of the application in every state worth looking at, and three servers that have them all.

``full``: accounts, full pages (20 rows and more), jobs in every state. ``new``: before the first run and the first
account. ``desk``: a help desk with its queue. Tests of accessibility, of weight and the pictures (``pictures.py``) walk
the same list.
"""

from __future__ import annotations

import contextlib
import csv
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from desk_house import furnish_desk, help_desk
from playwright.sync_api import Browser, BrowserContext, Page
from serving import running
from visiting import PASSWORD, add_account

from compagnon import Solution
from compagnon.access.first import first_link
from compagnon.access.keys import create_key
from compagnon.access.link import invite, make_link
from compagnon.chain.run import Run
from compagnon.operate.feedback import Feedback, add_feedback
from compagnon.web.app import create_app

PAGES_OF_20 = 24
"""Lines of each list: more than a page holds."""
ANSWERS = {"facture": "Ma facture est fausse", "livraison": "Où est mon colis ?"}
STRANGE = "http://strange.example"
"""A name by which no server here is known; Chromium is told that it is this machine."""

Act = Callable[[Page], None]


@dataclass(frozen=True)
class Place:
    """A page in one state: whose server, who looks, its address, what is done there first."""

    name: str
    path: str
    house: Literal["full", "new", "desk"] = "full"
    who: str | None = "admin"
    act: Act | None = None
    status: int = 200
    shown: str = "h1"
    """What is on the page when it is in this state."""


@dataclass
class Walk:
    """The servers and their visitors, each signed in once."""

    browser: Browser
    addresses: dict[str, str]
    paths: dict[str, str]
    _pages: dict[tuple[str, str | None], Page] = field(default_factory=dict)

    def open(self, place: Place, language: str = "fr") -> Page:
        """The page of ``place`` in its state."""
        page = self.page(place.house, place.who)
        page.set_extra_http_headers({"Accept-Language": language})
        page.goto(self.address(place))
        if place.act:
            place.act(page)
        assert page.locator(place.shown).count(), f"{place.name}: {page.url} {page.inner_text('main')[:300]}"
        return page

    def address(self, place: Place) -> str:
        path = self.paths.get(place.path, place.path)
        if place.path.startswith("strange:"):
            port = self.addresses[place.house].rpartition(":")[2]
            return f"{STRANGE}:{port}/"
        return self.addresses[place.house] + path

    def page(self, house: str, who: str | None) -> Page:
        """The window of ``who``, signed in the first time."""
        if (house, who) not in self._pages:
            context: BrowserContext = self.browser.new_context(reduced_motion="reduce")
            page = context.new_page()
            if who:
                page.goto(f"{self.addresses[house]}/sign-in")
                page.fill("#name", who)
                page.fill("#password", PASSWORD)
                page.click("form.access button")
                page.wait_for_selector(".who form")
            self._pages[house, who] = page
        return self._pages[house, who]


@contextlib.contextmanager
def walk(browser: Browser, trained: Path, small: Path, folder: Path) -> Iterator[Walk]:
    """``trained``: a solution whose chain was run; ``small``: the same before; ``folder``: where to copy them."""
    full = Solution(Path(shutil.copytree(trained, folder / "full")))
    new = Solution(Path(shutil.copytree(small, folder / "new")))
    helping = help_desk(folder / "desk")
    paths = furnish(full) | furnish_desk(helping)
    # The token of the first start comes last: making it ends the one before.
    first = first_link(new.engine, new.clock.now())
    with contextlib.ExitStack() as stack:
        houses = {"full": full, "new": new, "desk": helping}
        addresses = {name: stack.enter_context(running(create_app(house))) for name, house in houses.items()}
        yield Walk(browser, addresses, {**paths, "first": f"/first/{first}"})
    for house in houses.values():
        house.close()


def furnish(solution: Solution) -> dict[str, str]:
    """Fill every list of a solution that was run; returns the addresses that only it knows."""
    now = solution.clock.now()
    _more_rows(solution)
    solution.run()
    for number in range(PAGES_OF_20):
        solution.note(f"Note {number + 1} : nous gardons le seuil, les lignes en double restent écartées.", by="test")
    first = solution.ledger.runs(limit=100)[0]
    _fail(solution, first, now)
    solution.ledger.add_correction(now, "test", "messages", "shop:1", "restore", because="vu avec le client")
    for kind, expected in (("wrong", "facture"), ("decided", "compte")):
        said: Any = kind
        add_feedback(
            solution.engine,
            solution.spec,
            Feedback(now, "person:local", "theme", "1", "r:0", said, {"text": "Bonjour"}, "livraison", 0.5, expected),
        )
    for role in ("admin", "learner", "teacher"):
        add_account(solution, role)
    invited = ""
    for number in range(PAGES_OF_20):
        name = f"eleve-{number:02}@lycee.example"
        _account, invited = invite(solution.engine, name, f"Élève {number:02}", "learner", actor=None, now=now)
        create_key(solution.engine, ("predict",), f"programme {number:02}", now=now)
    reset = make_link(solution.engine, add_account(solution, "reader", "lectrice"), actor=None, now=now)
    jobs = {name: f"/jobs/{number}" for name, number in _ask(solution, now).items()}
    failed = next(run for run in solution.ledger.runs(limit=5) if run.status == "failed")
    return {
        **jobs,
        "run": f"/runs/{first.id}",
        "run-failed": f"/runs/{failed.id}",
        "invitation": f"/link/{invited}",
        "reset": f"/link/{reset}",
    }


def _more_rows(solution: Solution) -> None:
    """Rows enough for several pages of the table and of the quarantine."""
    with next((solution.root / "data").glob("*.csv")).open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        for number in range(200, 230):
            text = f"Ma commande {number} n'est pas arrivée, que puis-je faire ?"
            writer.writerow([number, text, "livraison", "05/03/2026", f"client{number}@example.org"])
            writer.writerow([number + 100, "", "facture" if number % 2 else "inconnu", "31/02/2026", "x@example.org"])


def _fail(solution: Solution, like: Run, now: datetime) -> None:
    error = {"code": "source.missing", "what": "No file matches data/messages*.csv.", "problems": []}
    failed = replace(
        like, id="0000failed00000", status="failed", started=now, ended=now + timedelta(seconds=2), outputs=(),
        facts=(), error=error, reason="the source has changed", warnings=("2 rows could not be read",),
    )  # fmt: skip
    solution.ledger.append(failed)


def _ask(solution: Solution, now: datetime) -> dict[str, int]:
    """Jobs of every state: their numbers."""
    jobs, asked = solution.jobs, {}
    later = now + timedelta(days=1)  # a lease that does not end while one looks
    for state in ("done", "failed", "cancelled", "running", "queued"):
        job = jobs.add("run", {"to": None, "refresh": ["collect"]}, "test", now)
        asked[f"job-{state}"] = job.id
        if state == "cancelled":
            jobs.cancel(job.id, now)
        elif state != "queued":
            assert jobs.claim("a worker", later, job_id=job.id)
            doing = {"kind": "doing", "stage": "train/theme", "position": 4, "count": 5}
            jobs.beat(job.id, "a worker", later, {**doing, "message": "naive_bayes", "done": 1, "total": 2})
            if state != "running":
                error = {"what": "No file matches data/messages*.csv."} if state == "failed" else None
                jobs.finish(job.id, "a worker", now + timedelta(seconds=7), state, error)
    return asked


def _sent(button: str, **fields: str) -> Act:
    """Fill fields by their id, whatever the browser would ask for, and send."""

    def act(page: Page) -> None:
        page.evaluate("for (const form of document.forms) form.noValidate = true")
        for name, value in fields.items():
            page.locator(f"#{name}").fill(value)
        page.locator(button).first.click()
        page.wait_for_load_state()

    return act


def _answered(page: Page) -> None:
    page.locator("button.example").first.click()
    page.wait_for_selector("#answer")


def _wrong(page: Page) -> None:
    _answered(page)
    page.locator("details.wrong summary").click()


def _wrong_error(page: Page) -> None:
    _wrong(page)
    _sent("details.wrong button")(page)


def _person(page: Page) -> None:
    _sent("form.ask button", **{"in-text": "zzz"})(page)


def _person_error(page: Page) -> None:
    _person(page)
    _sent(".person button")(page)


def _opened(page: Page) -> None:
    for summary in page.locator("main summary").all()[:3]:
        summary.click()


def _restored_without_reason(page: Page) -> None:
    page.locator(".entries details:has(form) summary").first.click()
    _sent(".restore button")(page)


def _one(page: Page) -> None:
    page.locator("tbody a").nth(2).click()
    page.wait_for_selector(".actions")


def _one_link(page: Page) -> None:
    _one(page)
    page.locator("button[value=link]").click()
    page.wait_for_selector(".secret")


def _first_entry(page: Page) -> None:
    page.locator(".entries a").first.click()
    page.wait_for_selector("#answer")


def _difference(page: Page) -> None:
    _first_entry(page)
    _sent("form[action$=draft] button", answer="Non, nous n'en avons pas.")(page)


def _no_answer(page: Page) -> None:
    _first_entry(page)
    _sent("form[action$=draft] button")(page)


PLACES = (
    Place("home", "/"),
    Place("home-new", "/", "new", None),
    Place("sources", "/sources"),
    Place("source", "/sources/shop"),
    Place("source-new", "/sources/shop", "new", None, shown=".empty"),
    Place("queries", "/queries"),
    Place("providers", "/providers"),
    Place("tables", "/tables"),
    Place("table", "/tables/messages?page=2", shown="table.data"),
    Place("table-new", "/tables/messages", "new", None, shown=".empty"),
    Place("quality", "/tables/messages/quality"),
    Place("quarantine", "/quarantine/messages", act=_opened),
    Place("quarantine-error", "/quarantine/messages", act=_restored_without_reason, shown=".error"),
    Place("quarantine-one-reason", "/quarantine/messages?reason=duplicate"),
    Place("row", "/quarantine/messages/row?id=shop:43"),
    Place("row-error", "/quarantine/messages/row?id=shop:43", act=_sent("form.access button"), shown=".error"),
    Place("model", "/models/theme"),
    Place("model-new", "/models/theme", "new", None, shown=".empty"),
    Place("card", "/models/theme/card"),
    Place("try", "/models/theme/try"),
    Place("try-new", "/models/theme/try", "new", None, status=503, shown=".alert"),
    Place("try-error", "/models/theme/try", act=_sent("form.ask button"), shown=".error"),
    Place("answer", "/models/theme/try", act=_answered, shown="#answer"),
    Place("wrong", "/models/theme/try", act=_wrong, shown="#expected"),
    Place("wrong-error", "/models/theme/try", act=_wrong_error, shown="#said-error"),
    Place("person", "/models/theme/try", act=_person, shown=".person"),
    Place("person-error", "/models/theme/try", act=_person_error, shown="#said-error"),
    Place("noted", "/models/theme/try?noted=wrong", shown="[role=status]"),
    Place("runs", "/runs"),
    Place("runs-new", "/runs", "new", None, shown=".empty"),
    Place("run", "run", shown="caption"),
    Place("run-failed", "run-failed", shown=".alert"),
    Place("job-queued", "job-queued", shown=".state.queued"),
    Place("job-running", "job-running", shown=".state.running"),
    Place("job-done", "job-done", shown=".state.done"),
    Place("job-failed", "job-failed", shown=".alert"),
    Place("job-cancelled", "job-cancelled", shown=".state.cancelled"),
    Place("logbook", "/logbook"),
    Place("logbook-new", "/logbook", "new", None, shown=".empty"),
    Place("logbook-error", "/logbook", act=_sent(".note-form button"), shown=".error"),
    Place("api", "/api/docs", act=_opened),
    Place("help", "/help"),
    Place("help-found", "/help?q=quarantine", shown="[role=status]"),
    Place("help-nothing", "/help?q=zzz", shown="[role=status]"),
    Place("guide", "/help/serve"),
    Place("guide-first-solution", "/help/first-solution"),
    Place("site-map", "/site-map"),
    Place("contact", "/contact"),
    Place("legal", "/legal"),
    Place("accessibility", "/accessibility"),
    Place("components", "/components"),
    Place("sign-in", "/sign-in", who=None),
    Place("sign-in-error", "/sign-in", who=None, act=_sent("form.access button", name="x", password="y"),
          shown=".error"),
    Place("sign-in-ended", "/sign-in?next=/runs&ended=1", who=None, shown="[role=status]"),
    Place("sign-in-no-account", "/sign-in", "new", None),
    Place("first", "first", "new", None),
    Place("first-error", "first", "new", None, act=_sent("form.access button", sign_in="a b"), shown=".error"),
    Place("invitation", "invitation", who=None),
    Place("reset-error", "reset", who=None, act=_sent("form.access button", password="court", again="court"),
          shown=".error"),
    Place("account", "/account"),
    Place("account-error", "/account", act=_sent("section:nth-of-type(2) button", current="x", new="y", again="y"),
          shown=".error"),
    Place("accounts", "/admin/accounts"),
    Place("accounts-error", "/admin/accounts", act=_sent("form.access button", sign_in="admin", name="Encore"),
          shown=".error"),
    Place("account-one", "/admin/accounts", act=_one, shown=".actions"),
    Place("account-one-link", "/admin/accounts", act=_one_link, shown=".secret"),
    Place("settings", "/admin/settings"),
    Place("audit", "/admin/audit"),
    Place("keys", "/keys"),
    Place("keys-error", "/keys", act=_sent("form.access button"), shown=".error"),
    Place("key-made", "/keys", act=_sent("form.access button", label="essai"), shown=".secret"),
    Place("forbidden", "/admin/audit", who="learner", status=403),
    Place("not-found", "/nothing", status=404),
    Place("unknown-name", "strange:", who=None, status=421),
    Place("handovers", "/tutor/handovers", "desk", "lea", shown=".entries"),
    Place("handovers-closed", "/tutor/handovers?state=closed", "desk", "lea", shown=".entries"),
    Place("handover-waiting", "desk-waiting", "desk", "lea", shown="form[action$=take]"),
    Place("handover-mine", "desk-mine", "desk", "lea", act=_opened, shown="form[action$=answer]"),
    Place("handover-error", "desk-mine", "desk", "lea", act=_sent("form[action$=answer] button"), shown=".error"),
    Place("handover-other", "desk-other", "desk", "lea", shown="[name=over]"),
    Place("handover-over", "desk-over", "desk", "lea"),
    Place("own-waiting", "own-waiting", "desk", "learner", shown=".panel.person"),
    Place("own-taken", "own-taken", "desk", "learner", shown="[name=to]"),
    Place("own-over", "own-over", "desk", "learner", shown="form[action$=person]"),
    Place("own-list", "/tutor", "desk", "learner", shown=".state.running"),
    Place("faq", "/tutor/faq", "desk", "lea", shown=".entries"),
    Place("faq-decided", "/tutor/faq?state=decided", "desk", "lea", shown=".entries"),
    Place("proposal", "/tutor/faq", "desk", "lea", act=_first_entry, shown="#entry, #answer"),
    Place("proposal-error", "/tutor/faq", "desk", "lea", act=_no_answer, shown=".error"),
    Place("proposal-difference", "/tutor/faq", "desk", "lea", act=_difference, shown="pre"),
)  # fmt: skip
