"""A help desk with its queue, conversations with a person and proposals for the FAQ, for tests of pages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from handing_over import reply
from visiting import add_account

from compagnon import Solution
from compagnon.access.account import find_account
from compagnon.scaffold.template import copy
from compagnon.services.tutor.answer.events import Citation, Line
from compagnon.services.tutor.conversations import store
from compagnon.services.tutor.faq import living
from compagnon.services.tutor.handover import desk
from compagnon.services.tutor.handover.desk import Handover
from compagnon.services.tutor.knowledge.load import load

QUESTION = "Puis-je faire réparer un ordinateur que je n'ai pas acheté chez vous ?"
ANSWER = "Bonjour, oui : apportez-le en boutique avec son chargeur, le devis est gratuit.\nComptez trois jours."
PEOPLE = 2
"""Who must ask alike, so that few questions are enough."""
STRANGE = (
    "Vendez-vous des imprimantes 3D ?", "Donnez-vous des cours de piano ?", "Louez-vous des vélos ?",
    "Faut-il un passeport pour la Suède ?", "Comment planter des tomates ?", "Quel temps fera-t-il dimanche ?",
    "Qui a peint la Joconde ?", "Comment nourrir un hérisson ?", "Où voir des baleines ?",
    "Quelle farine pour des crêpes ?", "Comment accorder un violon ?", "Combien de joueurs au rugby ?",
    "Quand tailler les rosiers ?", "Recrutez-vous des stagiaires ?", "Imprimez-vous des cartes de visite ?",
    "Peut-on fumer en terrasse ?", "Quel bois pour une étagère ?", "Comment enlever une tache de vin ?",
    "Y a-t-il une piscine à côté ?", "Quelle est la distance de la Terre à la Lune ?", "Qui arrose les bonsaïs ?",
    "Prenez-vous les chiens en pension ?",
)  # fmt: skip
"""More proposals than a page holds: questions of which the FAQ does not speak."""


def help_desk(root: Path) -> Solution:
    """A solution of the template ``support`` at ``root``, with accounts: an administrator, two operators, a learner."""
    copy("support", root)
    file = root / "solution.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("faq: {people: 5", f"faq: {{people: {PEOPLE}"), encoding="utf-8")
    solution = Solution(root)
    add_account(solution, "admin")
    add_account(solution, "operator", "lea")
    add_account(solution, "operator", "max")
    add_account(solution, "learner")
    return solution


def handed(
    solution: Solution, owner: str, question: str = QUESTION, *, reason: desk.Reason = "unsure", minutes: int = 0
) -> Handover:
    """A conversation of ``owner`` handed over ``minutes`` ago, after an answer that cites the FAQ."""
    now = solution.clock.now() - timedelta(minutes=minutes)
    entry = load(solution.root / "knowledge").subtopic("reparation.prix")
    quote = entry.paragraphs[0]
    cited = Citation(1, f"{entry.id}/content/0", entry.title, quote, 0, len(quote))
    made = store.create(solution.engine, owner, now)
    said = reply(
        question=question, answer=f"{quote} [1]", citations=(cited,), refused=False,
        lines=(Line("text", quote, (1,)),),
    )  # fmt: skip
    store.answer(solution.engine, owner, store.ask(solution.engine, owner, made.id, question, now), said)
    return desk.hand_over(solution.engine, owner, made.id, reason, now)


def author(solution: Solution, name: str) -> str:
    """What is kept beside what the account ``name`` writes."""
    account = find_account(solution.engine, name)
    assert account
    return f"person:{account.id}"


def furnish_desk(solution: Solution) -> dict[str, str]:
    """Fill the queue and the FAQ; returns the addresses that only they know."""
    engine, now = solution.engine, solution.clock.now()
    customer, lea, colleague = (author(solution, name) for name in ("learner", "lea", "max"))
    reasons: tuple[desk.Reason, ...] = ("asked", "refused", "unsure")
    for number in range(22):
        handed(solution, f"anonymous:{number}", f"Question {number + 1} : où en est ma commande passée la semaine "
               "dernière ?", reason=reasons[number % 3], minutes=37 * (number + 2))  # fmt: skip
    waiting = handed(solution, customer, minutes=12)
    mine, other, over = (handed(solution, customer, minutes=200 + number) for number in range(3))
    for found, by in ((mine, lea), (other, colleague), (over, lea)):
        desk.answer(engine, found.id, by, ANSWER, now)
        desk.write(engine, customer, found.conversation, "Merci ! Et sans le chargeur ?", now)
    desk.close(engine, over.id, lea, now, answer="Nous en avons un en boutique.")
    for place, question in enumerate(STRANGE):
        for person in range(PEOPLE + place % 3):
            owner = f"anonymous:{place}-{person}"
            made = store.create(engine, owner, now)
            turn = store.ask(engine, owner, made.id, question, now)
            store.answer(engine, owner, turn, reply(question=question, answer="Je ne trouve pas."))
    from compagnon.services.tutor.search.opening import open_index

    refused = living.proposals(solution, open_index(solution))[-1]
    living.refuse(solution, refused, by=lea, now=now, why="Ce n'est pas notre métier.")
    return {
        "desk-waiting": f"/tutor/handovers/{waiting.id}",
        "desk-mine": f"/tutor/handovers/{mine.id}",
        "desk-other": f"/tutor/handovers/{other.id}",
        "desk-over": f"/tutor/handovers/{over.id}",
        "own-waiting": f"/tutor/{waiting.conversation}",
        "own-taken": f"/tutor/{mine.conversation}",
        "own-over": f"/tutor/{over.conversation}",
    }
