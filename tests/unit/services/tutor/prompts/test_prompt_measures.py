"""What is measured of an answer, and how two prompts are told apart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prompting import TEMPLATE

from compagnon.errors import UserError
from compagnon.services.tutor.answer.events import Citation, Line, Reply
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.passages import Passage, passages
from compagnon.services.tutor.prompts.compare import compare
from compagnon.services.tutor.prompts.measure import MEASURES, Heard, measure
from compagnon.services.tutor.prompts.questions import Asked, read_questions
from compagnon.services.tutor.prompts.scores import Answer, means
from compagnon.services.tutor.prompts.variant import digest_of, typed
from compagnon.solution import Solution

CONVOLUTION = Asked(question="C'est quoi une convolution ?", expected=("cnn.convolution",))
CRUMBS = Asked(question="une recette ?", refuse=True)
FRENCH = "La convolution fait glisser un petit filtre sur l'image."


@pytest.fixture(scope="module")
def base() -> Base:
    return load(TEMPLATE / "knowledge")


def passage_of(base: Base, subtopic: str, part: str = "content") -> Passage:
    return next(one for one in passages(base.by_id[subtopic]) if one.part == part)


def cited(number: int, passage: Passage, quote: str | None = None) -> Citation:
    quote = passage.text[:20] if quote is None else quote
    return Citation(number, passage.id, passage.title, quote, passage.start, passage.start + len(quote))


def heard(lines: tuple[Line, ...] = (), citations: tuple[Citation, ...] = (), raw: str = FRENCH, **more: Any) -> Heard:
    values: dict[str, Any] = {
        "answer": "", "citations": citations, "level": "beginner", "provider": "school", "sure": True,
        "refused": False, "tokens": 120, "cost": 0.001,
    }  # fmt: skip
    return Heard(raw, lines, Reply(**{**values, **more}), 0.5)


def test_a_good_answer(base: Base) -> None:
    citations = (
        cited(1, passage_of(base, "cnn.convolution")),
        cited(2, passage_of(base, "cnn.convolution", "example")),
    )
    lines = (Line("text", FRENCH, (1,)), *(Line("point", "Un filtre de neuf poids.", (2,)) for _ in range(3)))
    values = measure(CONVOLUTION, heard(lines, citations), base, desk=False)
    shares = {name for name, one in MEASURES.items() if one.gated}
    assert {name: values[name] for name in shares} == dict.fromkeys(shares, 1.0)
    assert (values["words"], values["tokens"], values["cost"], values["seconds"]) == (24, 120, 0.001, 0.5)


def test_what_is_missing_is_measured(base: Base) -> None:
    citations = (cited(1, passage_of(base, "cnn.pooling"), "pas dans la base"),)
    lines = (Line("text", "On calcule y = wx + b.", (1,)),)
    english = "The filter slides over the image, and it is the same for the whole of it."
    values = measure(CONVOLUTION, heard(lines, citations, english, provider="extract", dropped=3), base, desk=False)
    assert values["kept"] == 0.25
    named = ("written", "cited", "resolved", "example", "points", "language", "plain")
    assert {name: values[name] for name in named} == dict.fromkeys(named, 0.0)


def test_only_what_the_model_wrote_counts(base: Base) -> None:
    """Citations of passages that were put in order after it are not its own."""
    values = measure(CONVOLUTION, heard((), (cited(1, passage_of(base, "cnn.convolution")),)), base, desk=False)
    assert (values["cited"], values["resolved"], values["kept"]) == (0.0, None, 0.0)


@pytest.mark.parametrize(("asked", "right"), [(CONVOLUTION, 0.0), (CRUMBS, 1.0)], ids=["wrongly", "rightly"])
def test_a_refusal_says_nothing_of_the_prompt(base: Base, asked: Asked, right: float) -> None:
    values = measure(asked, heard(refused=True, mode="refusal"), base, desk=False)
    assert {name: value for name, value in values.items() if value is not None} == {"decided": right}


def test_hints_and_a_desk_have_another_form(base: Base) -> None:
    hints = measure(CONVOLUTION, heard(mode="hints"), base, desk=False)
    desk = measure(CONVOLUTION, heard(), base, desk=True)
    assert [hints["example"], hints["points"], desk["example"], desk["points"], desk["plain"]] == [None] * 5


def answers(*values: float, name: str = "kept") -> list[Answer]:
    at = datetime(2026, 11, 28, tzinfo=UTC)
    return [Answer(number, "?", at, "", "m", {name: value}) for number, value in enumerate(values, 1)]


def test_differences_are_paired_and_say_when_they_cannot_be_told_apart() -> None:
    same = compare(answers(1, 0.5, 0), answers(1, 0.5, 0))
    unclear = compare(answers(1, 0, 1, 0), answers(0, 1, 1, 1))
    better = compare(answers(0, 0, 0, 0, 0, 0), answers(1, 1, 1, 1, 1, 0))
    dearer = compare(answers(*[1] * 6, name="cost"), answers(*[2, 3] * 3, name="cost"))
    longer = compare(answers(*[1] * 6, name="words"), answers(*[2, 3] * 3, name="words"))
    few = compare(answers(0, 0, 0, 0, 0), answers(1, 1, 1, 1, 1))
    verdicts = [one.verdict for (one,) in (same, unclear, better, dearer, longer, few)]
    assert verdicts == ["same", "unclear", "better", "worse", "more", "unclear"]
    (one,) = unclear
    assert (one.questions, one.before, one.after, one.change) == (4, 0.5, 0.75, 0.25)
    assert one.low <= 0 <= one.high
    assert compare(answers(1, 0), answers(0, 0)) == compare(answers(1, 0), answers(0, 0))


def test_only_shared_questions_are_compared() -> None:
    (one,) = compare(answers(1, 1, 0), answers(1))
    assert one.questions == 1
    assert compare(answers(1), answers(1, name="cited")) == []
    assert means([{"kept": 1.0}, {"kept": 0.0}, {}])["kept"] == 0.5


def test_a_prompt_is_known_by_its_text() -> None:
    assert digest_of("Bonjour\r\n") == digest_of("\nBonjour\n\n")
    assert typed("a", " Bonjour ").digest == digest_of("Bonjour")
    for text, code in ((" \n", "prompt.empty"), ("x" * 20_001, "prompt.too-long")):
        with pytest.raises(UserError) as error:
            typed("a", text)
        assert error.value.code == code


def test_the_set_of_the_template(base: Base) -> None:
    found = read_questions(Solution(TEMPLATE), None, base)
    topics = {name.partition(".")[0] for one in found.asked for name in one.expected}
    assert len(found) == 24
    assert {one.language for one in found.asked} == {"fr", "en"}
    assert sum(one.refuse for one in found.asked) == 4
    assert len(topics) >= 10


def test_mistakes_of_a_set_are_told_with_their_lines(base: Base, tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    lines = ("{", '{"question": "a"}', '{"question": "b", "expected": ["x.y"]}', '{"question": "c", "refuse": true}')
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_questions(Solution(TEMPLATE), str(file), base)
    assert [problem.where.line for problem in error.value.problems if problem.where] == [1, 2, 3]
    with pytest.raises(UserError) as missing:
        read_questions(Solution(tmp_path), None, base)
    assert missing.value.code in ("prompt.no-questions", "spec.not-found")
