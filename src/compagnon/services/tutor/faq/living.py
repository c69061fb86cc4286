"""A FAQ that grows: real questions without an answer, grouped, proposed as drafts of entries, decided by a person.

Nothing of a question is shown before enough people asked alike (``tutor.faq.people``): what one person wrote stays
theirs. An accepted draft enters the base as a patch of its file, which is kept with who decided.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sqlalchemy import ColumnElement, Engine, desc, func, insert, or_, select

from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import conversations, faq_decisions, handovers, turns
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.privacy.patterns import mask_text
from compagnon.services.tutor.answer.person import asks_for_person
from compagnon.services.tutor.answer.scope import Boundary
from compagnon.services.tutor.faq.take import LONGEST_ANSWER, LONGEST_QUESTION, TOPIC, bare
from compagnon.services.tutor.faq.write import Entry, Written, added, also_asked
from compagnon.services.tutor.place import knowledge_folder, tutor_of
from compagnon.services.tutor.search.index import Index
from compagnon.services.tutor.search.stopwords import STOP_WORDS
from compagnon.services.tutor.search.words import words

if TYPE_CHECKING:
    from compagnon.providers.embedder import Embedder
    from compagnon.solution import Solution

MOST = 2000
"""Questions that are grouped, the latest ones."""
SHOWN = 10
"""Wordings of a proposal."""
GRAMS = 3
"""Letters of a fragment of a word."""


@dataclass(frozen=True)
class Unanswered:
    """One real question without a sure answer; ``answer`` is what a person said when they took it over."""

    owner: str
    question: str
    at: datetime
    answer: str | None = None


@dataclass(frozen=True)
class Near:
    """The entry of the base that is nearest to a proposal."""

    id: str
    title: str


@dataclass(frozen=True)
class Proposal:
    """Questions that people ask alike, as the draft of an entry."""

    id: str
    question: str
    """The wording in the middle of the group."""
    people: int
    count: int
    first: datetime
    last: datetime
    wordings: tuple[str, ...]
    answer: str
    """As a person answered one of them; empty where nobody did yet."""
    near: Near | None
    topic: str

    def as_dict(self) -> dict[str, Any]:
        """What scripts read."""
        return asdict(self)


@dataclass(frozen=True)
class Decision:
    """What a person decided of a proposal."""

    id: int
    at: datetime
    by: str
    state: Literal["accepted", "refused"]
    proposal: str
    question: str
    people: int
    entry: str | None
    patch: str | None
    why: str | None

    def as_dict(self) -> dict[str, Any]:
        """What scripts read."""
        return asdict(self)


def unanswered(engine: Engine) -> list[Unanswered]:
    """The latest real questions that were refused, unsure, rated bad, or handed over; the oldest of them first."""
    query = (
        select(conversations.c.owner, turns.c.question, turns.c.at, turns.c.conversation_id)
        .select_from(turns.join(conversations, conversations.c.id == turns.c.conversation_id))
        .where(_without())
        .order_by(desc(turns.c.id))
        .limit(MOST)
    )
    said = select(handovers.c.conversation_id, handovers.c.answer).where(handovers.c.answer.is_not(None))
    with reading(engine) as connection:
        answers = {row[0]: row[1] for row in connection.execute(said.order_by(handovers.c.id))}
        rows = connection.execute(query).all()
    found = [Unanswered(row[0], row[1], utc(row[2]), answers.get(row[3])) for row in reversed(rows)]
    return [each for each in found if not asks_for_person(each.question) and _terms(each.question)]


def _without() -> ColumnElement[bool]:
    return or_(turns.c.refused.is_(True), turns.c.sure.is_(False), turns.c.rating == "bad")


def proposals(
    solution: Solution, index: Index, embedder: Embedder | None = None, known: dict[str, bool] | None = None
) -> list[Proposal]:
    """What deserves an entry, asked by most people first; groups of fewer people than declared are not shown.

    Questions that the base answers by now, and groups that were refused, are left out. ``known``: what an earlier call
    with the same index found answered, which this one adds to.
    """
    settings, boundary = tutor_of(solution.spec).faq, Boundary(index.base)
    rows = unanswered(solution.engine)
    near = _near([each.question for each in rows], settings.alike, embedder)
    known = {} if known is None else known
    free = np.zeros(len(rows), dtype=bool)
    # To look a question up takes longest: only where enough people asked alike, and once for each wording.
    for place in _shared(near, [each.owner for each in rows], settings.people):
        question = rows[place].question
        if question not in known:
            known[question] = _answered(question, index, boundary)
        free[place] = not known[question]
    refused = {bare(each.question) for each in history(solution.engine) if each.state == "refused"}
    made: list[Proposal] = []
    for group in _groups(near, free):
        members = [rows[place] for place in group]
        people = {each.owner for each in members}
        if len(people) >= settings.people and not refused & {bare(each.question) for each in members}:
            made.append(_proposal(members, len(people), index))
    return sorted(made, key=lambda each: (-each.people, -each.count, each.id))


def find(found: Sequence[Proposal], name: str) -> Proposal:
    """The proposal ``name``; raises UserError ``faq.unknown-proposal``."""
    for proposal in found:
        if proposal.id == name:
            return proposal
    raise UserError(
        "faq.unknown-proposal",
        _("There is no proposal {name}.").format(name=name),
        next=_("See them: compagnon faq proposals"),
    )


def draft(
    solution: Solution,
    proposal: Proposal,
    *,
    question: str = "",
    answer: str = "",
    topic: str = "",
    entry: str = "",
    by: str,
    now: datetime,
) -> Written:
    """The file of the base with the entry that ``proposal`` becomes; nothing is written yet.

    ``entry``: no new one; its wordings go to this entry of the base, which is found by them from then on. Raises
    UserError ``faq.no-answer``.
    """
    folder = knowledge_folder(solution.root, solution.spec)
    if entry:
        return also_asked(folder, entry, proposal.wordings)
    said = (answer or proposal.answer).strip()
    asked = " ".join((question or proposal.question).split())
    if not said:
        raise UserError(
            "faq.no-answer",
            _("Nobody has answered this question yet."),
            next=_("Write the answer: compagnon faq accept {name} --answer TEXT").format(name=proposal.id),
        )
    if len(said) > LONGEST_ANSWER or len(asked) > LONGEST_QUESTION:
        raise UserError(
            "faq.too-long",
            _("The question has {most} characters at most, the answer {more}.").format(
                most=LONGEST_QUESTION, more=LONGEST_ANSWER
            ),
        )
    others = tuple(each for each in proposal.wordings if bare(each) != bare(asked))
    made = Entry(asked, said, others, reviewed=(now.date().isoformat(), by))
    return added(folder, topic or proposal.topic, _("Frequent questions"), [made])


def accept(
    solution: Solution, proposal: Proposal, written: Written, *, by: str, now: datetime, why: str = "",
    after: int | None = None,
) -> Decision:  # fmt: skip
    """Put ``written`` into the base and keep the decision with its patch; both or none.

    ``after``: the last decision that was known; raises UserError ``faq.decided`` where this proposal has a later one.
    """
    patch = written.patch(tutor_of(solution.spec).knowledge)
    return _decide(solution.engine, proposal, "accepted", by, now, why, written, patch, after)


def refuse(
    solution: Solution, proposal: Proposal, *, by: str, now: datetime, why: str = "", after: int | None = None
) -> Decision:
    """Leave a group out from now on; ``after`` as in ``accept``."""
    return _decide(solution.engine, proposal, "refused", by, now, why, None, None, after)


def last_decision(engine: Engine) -> int:
    """The number of the latest decision; 0 before the first."""
    with reading(engine) as connection:
        return int(connection.execute(select(func.max(faq_decisions.c.id))).scalar() or 0)


def mark(engine: Engine) -> tuple[Any, ...]:
    """Changes whenever proposals may have changed, the knowledge base apart."""
    asked = select(func.count(), func.max(turns.c.id), func.max(turns.c.rated)).where(_without())
    said = select(func.count(), func.max(handovers.c.closed)).where(handovers.c.answer.is_not(None))
    with reading(engine) as connection:
        seen = (*connection.execute(asked).one(), *connection.execute(said).one())
    return (*seen, last_decision(engine))


def history(engine: Engine) -> list[Decision]:
    """Every decision, the latest first."""
    with reading(engine) as connection:
        rows = connection.execute(select(faq_decisions).order_by(desc(faq_decisions.c.id))).mappings()
        return [Decision(**{**row, "at": utc(row["at"])}) for row in rows]


def _near(questions: Sequence[str], alike: float, embedder: Embedder | None) -> np.ndarray:
    """Which pairs are asked alike."""
    return likeness(questions, embedder) >= alike if questions else np.zeros((0, 0), dtype=bool)


def _shared(near: np.ndarray, owners: Sequence[str], people: int) -> list[int]:
    """Places that may be in a group of enough people: those near to a question to which as many are near."""
    found: set[int] = set()
    for row in near:
        places = np.flatnonzero(row).tolist()
        if len({owners[place] for place in places}) >= people:
            found.update(places)
    return sorted(found)


def _groups(near: np.ndarray, free: np.ndarray) -> list[list[int]]:
    """The ``free`` places by groups that are asked alike, the largest first; each is in one group.

    The question with the most neighbors and those near to it are the first group, and so on with the rest: each member
    is near to one question that was really asked, so that a group does not drift. It stands first.
    """
    found: list[list[int]] = []
    while free.any():
        counts = np.where(free, (near & free).sum(axis=1), -1)
        middle = int(counts.argmax())
        members = np.flatnonzero(near[middle] & free)
        found.append([middle, *(int(place) for place in members if place != middle)])
        free[members] = False
        free[middle] = False
    return found


def likeness(questions: Sequence[str], embedder: Embedder | None = None) -> np.ndarray:
    """How alike each pair is, from 0 to 1: by rare words and their fragments, and by meaning where there is an
    embedder; the higher of the two counts."""
    by_words = (_cosines([_terms(text) for text in questions]) + _cosines([_grams(text) for text in questions])) / 2
    if embedder is None or embedder.outside:  # people's questions do not leave for this
        return np.asarray(by_words, dtype=np.float64)
    vectors = np.asarray(embedder.questions(list(questions)), dtype=np.float64)
    return np.asarray(np.maximum(by_words, vectors @ vectors.T), dtype=np.float64)


def _cosines(documents: Sequence[Sequence[str]]) -> np.ndarray:
    """Cosines of documents by the terms that they hold, rare ones counting more."""
    numbers = {term: place for place, term in enumerate(sorted({term for row in documents for term in row}))}
    seen = Counter(term for row in documents for term in set(row))
    matrix = np.zeros((len(documents), max(1, len(numbers))), dtype=np.float32)
    for place, row in enumerate(documents):
        for term, times in Counter(row).items():
            matrix[place, numbers[term]] = (1 + math.log(times)) * math.log(1 + len(documents) / seen[term])
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    matrix /= np.where(lengths > 0, lengths, 1)
    return np.asarray(matrix @ matrix.T, dtype=np.float64)


def _terms(text: str) -> list[str]:
    return [word.term for word in words(text) if word.surface not in STOP_WORDS]


def _grams(text: str) -> list[str]:
    marked = [f" {word.surface} " for word in words(text) if word.surface not in STOP_WORDS]
    return [each[i : i + GRAMS] for each in marked for i in range(max(1, len(each) - GRAMS + 1))]


def _answered(question: str, index: Index, boundary: Boundary) -> bool:
    scope = boundary.decide(question, index.find(question, count=1))
    return (scope.within and scope.sure) or scope.reason == "nothing-asked"


def _proposal(members: Sequence[Unanswered], people: int, index: Index) -> Proposal:
    """``members``: the question in the middle first."""
    question = members[0].question
    wordings = {bare(each.question): each.question for each in members}
    hits = index.find(question, count=1).hits
    near = Near(hits[0].subtopic.id, hits[0].subtopic.title) if hits else None
    answers = [each.answer for each in members if each.answer]
    times = [each.at for each in members]
    topic = near.id.partition(".")[0] if near else TOPIC
    if topic in index.base.topics and index.base.topics[topic].kind != "faq":
        topic = TOPIC
    return Proposal(
        hashlib.sha256(bare(question).encode()).hexdigest()[:8], question, people, len(members), min(times), max(times),
        tuple(wordings.values())[:SHOWN], answers[-1] if answers else "", near, topic,
    )  # fmt: skip


def _decide(
    engine: Engine, proposal: Proposal, state: Literal["accepted", "refused"], by: str, now: datetime, why: str,
    written: Written | None, patch: str | None, after: int | None,
) -> Decision:  # fmt: skip
    entry = written.ids[0] if written else None
    values = {
        "at": now, "by": by, "state": state, "proposal": proposal.id, "question": mask_text(proposal.question),
        "people": proposal.people, "entry": entry, "patch": patch, "why": mask_text(why) or None,
    }  # fmt: skip
    with writing(engine) as connection:
        if after is not None:
            since = (faq_decisions.c.proposal == proposal.id) & (faq_decisions.c.id > after)
            if connection.execute(select(faq_decisions.c.id).where(since)).first() is not None:
                raise UserError("faq.decided", _("Somebody else has decided of this proposal meanwhile."))
        adding = insert(faq_decisions).values(**values).returning(faq_decisions.c.id)
        number = int(connection.execute(adding).scalar_one())
        if written is not None:
            written.save()
    return Decision(number, **values)  # type: ignore[arg-type]
