"""What the tutor answers and refuses: learned from examples where there are any, else weighed by a rule."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from knowledge_base import subtopic, topic

from compagnon.errors import UserError, UserErrors
from compagnon.providers.embed_light import LightEmbedder, LightOptions
from compagnon.services.tutor.answer import scope
from compagnon.services.tutor.answer.learned import FEATURES, as_file, place_of, read_learned
from compagnon.services.tutor.answer.learning import LEAST, learn, read_examples
from compagnon.services.tutor.answer.scope import Boundary, Scope
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.knowledge.model import Topic
from compagnon.services.tutor.search.index import Index
from compagnon.services.tutor.search.language import language_of
from compagnon.services.tutor.search.meaning import Meaning

TEMPLATE = Path(__file__).parents[5] / "src" / "compagnon" / "templates" / "tutor"
SETS = Path(__file__).parents[4] / "data" / "tutor"


@pytest.fixture(scope="module")
def index() -> Index:
    embedder = LightEmbedder(LightOptions(kind="light"), TEMPLATE, None)

    def opened(base: Base) -> Index:
        store = base.folder / "vectors" / f"{embedder.identity}.npz"
        return Index(base, meaning=partial(Meaning, embedder=embedder, stores=[store]), other=opened)

    return opened(load(TEMPLATE / "knowledge"))


def decided(index: Index, text: str, *, learned: bool = True) -> Scope:
    known = read_learned(TEMPLATE / "scope.jsonl", index.embedder) if learned else None
    assert not learned or known is not None, "make what is shipped again: python scripts/vectors.py"
    return Boundary(index.base, known).decide(text, index.find(text))


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("text", ["c'est quoi une convolution ?", "comment éviter le surapprentissage"])
def test_a_question_of_the_course_is_answered(index: Index, text: str, learned: bool) -> None:
    assert decided(index, text, learned=learned).within


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("text", ["recette de la tarte aux pommes", "qui a gagné le match de foot hier soir"])
def test_what_is_of_another_world_is_refused(index: Index, text: str, learned: bool) -> None:
    found = decided(index, text, learned=learned)

    assert not found.within
    assert found.reason in ("elsewhere", "unknown", "private")


@pytest.mark.parametrize("text", ["bonjour !", "merci beaucoup", "et pour ça ?"])
def test_what_asks_nothing_is_said_to(index: Index, text: str) -> None:
    assert decided(index, text).reason == "nothing-asked"


def test_a_cue_that_is_a_word_of_the_course_is_no_cue(index: Index) -> None:
    pie = subtopic("cooking.pie", title="La recette de la tarte", content="La recette de la tarte. " * 30)
    base = Base(Path(), {"cooking": Topic.model_validate(topic("cooking", pie))})

    assert Boundary(base)._cue(scope._ELSEWHERE, "recette de tarte") is False
    assert Boundary(index.base)._cue(scope._ELSEWHERE, "recette de tarte") is True


def test_what_is_shipped_refuses_as_the_documents_say(index: Index) -> None:
    """The sets that measure: nothing was learned from them."""
    asked = [(json.loads(line)["question"], True) for line in _lines("questions.jsonl")[::4]]
    asked += [(json.loads(line)["question"], False) for line in _lines("refuse.jsonl")[::4]]
    known = read_learned(TEMPLATE / "scope.jsonl", index.embedder)
    refused = []
    for text, within in asked:
        spoken = index.spoken(language_of(text))
        refused.append((not Boundary(spoken.base, known).decide(text, spoken.find(text)).within, within))
    right = sum(no and not within for no, within in refused)
    f1 = 2 * right / (sum(no for no, _ in refused) + sum(not within for _, within in refused))

    assert f1 >= 0.85
    assert sum(no and within for no, within in refused) / sum(within for _, within in refused) <= 0.08


def test_examples_teach_and_are_read_again(index: Index, tmp_path: Path) -> None:
    lines = _lines_of(TEMPLATE / "scope.jsonl")
    some = [line for line in lines if json.loads(line)["answerable"]][:60]
    some += [line for line in lines if not json.loads(line)["answerable"]][:60]
    path = tmp_path / "scope.jsonl"
    path.write_text("\n".join(some), encoding="utf-8")
    told: list[tuple[int, int]] = []

    learned, measured = learn(
        read_examples(path, "scope.jsonl"), path, index, lambda done, whole: told.append((done, whole))
    )
    place_of(path).write_bytes(as_file(learned))
    again = read_learned(path, index.embedder)

    assert told[-1] == (120, 120)
    assert measured.examples == 120
    assert 0 <= measured.false_refusals <= 0.05
    assert measured.recall > 0.4
    assert again is not None
    found = index.find("c'est quoi une convolution ?")
    assert found.nearness is not None
    features = Boundary(index.base).features(found)
    assert set(features) == set(FEATURES)
    one, other = (each.score(each.row(features, found.nearness.vector)) for each in (learned, again))
    assert one == pytest.approx(other, abs=0.02)  # vectors are kept in half precision


def test_what_was_learned_is_not_used_once_examples_or_embedder_change(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "scope.jsonl"
    path.write_bytes((TEMPLATE / "scope.jsonl").read_bytes())
    place_of(path).write_bytes(place_of(TEMPLATE / "scope.jsonl").read_bytes())

    assert read_learned(path, index.embedder) is not None
    assert read_learned(path, "another") is None
    path.write_bytes(path.read_bytes() + b'{"question": "et le foot ?", "answerable": false}\n')
    assert read_learned(path, index.embedder) is None
    place_of(path).write_bytes(b"not a file of arrays")
    assert read_learned(path, index.embedder) is None
    place_of(path).unlink()
    assert read_learned(path, index.embedder) is None


def test_no_pickle_is_read(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "scope.jsonl"
    path.write_text("", encoding="utf-8")
    np.savez(place_of(path), version=np.array([object()], dtype=object))

    assert read_learned(path, index.embedder) is None


def test_each_wrong_line_of_the_examples_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scope.jsonl"
    path.write_text(
        '{"question": "a", "answerable": true}\n{"question": ""}\nno\n{"question": "A", "answerable": true}'
    )

    with pytest.raises(UserErrors) as refused:
        read_examples(path, "scope.jsonl")
    assert [problem.where and problem.where.line for problem in refused.value.problems] == [2, 3, 4]


def test_too_few_examples_teach_nothing(tmp_path: Path) -> None:
    path = tmp_path / "scope.jsonl"
    rows = [{"question": f"question {n}", "answerable": True} for n in range(LEAST)]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")

    with pytest.raises(UserError, match="answerable: false"):
        read_examples(path, "scope.jsonl")


def test_learning_needs_an_embedder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="embedder"):
        learn([], tmp_path / "scope.jsonl", Index(load(TEMPLATE / "knowledge")))


def _lines(name: str) -> list[str]:
    return _lines_of(SETS / name)


def _lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
