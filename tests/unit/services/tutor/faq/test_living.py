"""Groups of questions asked alike, and decisions of two people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_house import handed, help_desk

from compagnon import Solution
from compagnon.errors import UserError
from compagnon.services.tutor.faq import living
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.place import knowledge_folder
from compagnon.services.tutor.search.index import Index

ASKED = {
    "ana": ("Vendez-vous des imprimantes 3D ?", "Louez-vous des barques ?"),
    "bob": ("vendez vous des imprimantes 3d", "Combien coûte la livraison ?"),
    "cam": ("Vendez-vous une imprimante 3D ?", "Combien coûte la livraison ?"),
    "dan": ("Louez-vous des barques ?", "Louez-vous des barques ?"),
}


@pytest.fixture(scope="module")
def aide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Solution, Index]]:
    """A help desk that groups by words alone, and its index."""
    solution = help_desk(tmp_path_factory.mktemp("living") / "aide")
    for owner, questions in ASKED.items():
        for question in questions:
            handed(solution, f"anonymous:{owner}", question)
    yield solution, Index(load(knowledge_folder(solution.root, solution.spec)))
    solution.close()


def test_only_what_enough_people_asked_is_looked_up(aide: tuple[Solution, Index]) -> None:
    known: dict[str, bool] = {}
    found = living.proposals(*aide, known=known)
    assert [(each.people, each.count) for each in found] == [(3, 3), (2, 3)]
    # The base answers it, and it was looked up once for its two askers.
    assert known["Combien coûte la livraison ?"] is True
    again = living.proposals(*aide, known=dict.fromkeys(known, True))
    assert again == []


def test_one_person_who_insists_is_one_person(tmp_path: Path) -> None:
    solution = help_desk(tmp_path / "aide")
    for _again in range(6):
        handed(solution, "anonymous:ana", "Louez-vous des barques ?")
    known: dict[str, bool] = {}
    assert living.proposals(solution, Index(load(knowledge_folder(solution.root, solution.spec))), known=known) == []
    assert known == {}
    solution.close()


def test_of_two_who_decide_the_first_counts(aide: tuple[Solution, Index]) -> None:
    solution, index = aide
    now, before = solution.clock.now(), living.last_decision(solution.engine)
    mark = living.mark(solution.engine)
    one = next(each for each in living.proposals(solution, index) if "barques" in each.question)
    living.refuse(solution, one, by="lea", now=now, why="hors sujet", after=before)
    assert living.mark(solution.engine) != mark
    written = living.draft(solution, one, answer="Non.", by="max", now=now)
    with pytest.raises(UserError) as caught:
        living.accept(solution, one, written, by="max", now=now, after=before)
    assert caught.value.code == "faq.decided"
    assert not written.path.exists() or "barques" not in written.path.read_text(encoding="utf-8")
    assert all("barques" not in each.question for each in living.proposals(solution, index))
