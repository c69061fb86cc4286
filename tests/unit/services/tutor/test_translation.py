"""A knowledge base in two languages: the same ids, each passage in its own language, differences reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from knowledge_base import subtopic, topic, write

from compagnon.errors import UserError, UserErrors
from compagnon.services.tutor import review
from compagnon.services.tutor.knowledge.check import check
from compagnon.services.tutor.knowledge.load import load, stamp
from compagnon.services.tutor.passages import edition_of, passages, resolve, source_of
from compagnon.services.tutor.search.index import Index

ENGLISH = (
    "A convolution slides a small grid of weights over an image. At each step, pixels are multiplied by the weights, "
    "then added. The result is a new image, which shows where a pattern is. The same weights serve everywhere. "
)


def translated(**changes: Any) -> dict[str, Any]:
    wanted = {
        "title": "Convolution",
        "content": (ENGLISH * 2).strip() + "\n\n" + (ENGLISH * 2).strip(),
        "examples": [{"title": "A photo", "text": "Edges are looked for.", "code": "x = 1", "language": "python"}],
        "misconceptions": [{"belief": "The filter is written by hand", "answer": "No: the network learns it."}],
        "glossary": [{"term": "convolutional network (CNN)", "definition": "network made of convolutions"}],
    }
    return subtopic("cnn.convolution", **wanted | changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, topic("cnn", subtopic("cnn.convolution"), subtopic("cnn.pooling", title="Le pooling")))
    write(tmp_path / "en", topic("cnn", translated(), language="en", title="Convolutional networks"))
    return tmp_path


def test_a_base_is_read_with_its_translation(folder: Path) -> None:
    base = load(folder)

    assert (base.language, base.spoken("en").language, base.spoken("de")) == ("fr", "en", base)
    assert base.spoken("en").subtopic("cnn.convolution").title == "Convolution"
    assert base.spoken("fr") is base
    assert len(base) == 2


def test_a_passage_of_a_translation_is_found_again_in_it(folder: Path) -> None:
    base = load(folder)
    english = base.spoken("en")

    for passage in (p for s in english for p in passages(s)):
        assert passage.id.endswith("/en")
        assert edition_of(passage.id) == "en"
        assert resolve(passage.id, base) == passage
        assert source_of(passage, base)[passage.start : passage.end] == passage.text
    french = resolve("cnn.convolution/content/0", base)
    assert "glisser" in french.text
    with pytest.raises(UserError):
        resolve("cnn.convolution/content/0/de", base)


def test_the_index_of_a_translation_is_made_once_when_it_is_asked_for(folder: Path) -> None:
    made = []

    def other(base: Any) -> Index:
        made.append(base.language)
        return Index(base)

    index = Index(load(folder), other=other)
    assert made == []
    assert index.spoken("en") is index.spoken("en")
    assert made == ["en"]
    assert index.spoken("fr") is index
    assert index.spoken("en").search("grid of weights")[0].quote.startswith("A convolution slides")


def test_what_is_missing_or_differs_is_reported(folder: Path) -> None:
    codes = {problem.code: str(problem) for problem in check(folder).warnings}

    assert "cnn.pooling" in codes["knowledge.translation-missing"]
    write(folder / "en", topic("cnn", translated(glossary=[], difficulty="advanced"), language="en"))
    differing = [str(p) for p in check(folder).warnings if p.code == "knowledge.translation-differs"]
    assert len(differing) == 2
    assert "en/cnn.json" in differing[0]


def test_a_stranger_in_a_translation_is_a_mistake(folder: Path) -> None:
    write(folder / "en", topic("cnn", subtopic("cnn.convolutions", content=ENGLISH * 3), language="fr"))

    codes = {problem.code: problem for problem in check(folder).problems}
    assert "cnn.convolution" in (codes["knowledge.not-translated"].next or "")
    assert "knowledge.language" in codes


def test_a_broken_translation_stops_the_base_with_its_file(folder: Path) -> None:
    (folder / "en" / "cnn.json").write_text("{", encoding="utf-8")

    with pytest.raises(UserErrors) as refused:
        load(folder, shown="knowledge")
    assert refused.value.problems[0].where is not None
    assert refused.value.problems[0].where.file == "knowledge/en/cnn.json"


def test_a_change_of_a_translation_is_seen(folder: Path) -> None:
    before = stamp(folder)
    write(folder / "en", topic("cnn", translated(title="Convolutions"), language="en"))

    assert stamp(folder) != before


def test_a_correction_of_a_translation_changes_its_file_alone(folder: Path) -> None:
    proposal = review.propose(load(folder), "cnn.convolution/misconception/0/en", "No: training learns it.")

    assert proposal.file == "en/cnn.json"
    assert "+++ b/en/cnn.json" in proposal.patch
    assert "training learns it" in proposal.content
