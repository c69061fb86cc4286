"""Reading the knowledge base: what is right is read as written, what is wrong is named by file, subtopic and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from knowledge_base import SUBTOPIC, TOPIC, subtopic, topic, write

from compagnon.errors import UserError, UserErrors
from compagnon.services.tutor.knowledge.load import load, read
from compagnon.services.tutor.knowledge.model import json_schema
from compagnon.services.tutor.knowledge.place import locate


def problems(folder: Path) -> list[tuple[str, str]]:
    """Codes and words of the mistakes found in ``folder``."""
    with pytest.raises(UserErrors) as caught:
        load(folder)
    return [(p.code, p.what) for p in caught.value.problems]


def test_a_right_base_is_read_whole(tmp_path: Path) -> None:
    rnn = topic("rnn", subtopic("rnn.gru", prerequisites=["rnn.lstm", "cnn.convolution"]), subtopic("rnn.lstm"))
    base = load(write(tmp_path, TOPIC, rnn))
    assert [s.id for s in base] == ["cnn.convolution", "rnn.gru", "rnn.lstm"]
    found = base.subtopic("cnn.convolution")
    assert found.content == SUBTOPIC["content"]
    assert len(found.paragraphs) == 2
    assert found.reviewed is not None
    assert found.reviewed.date.isoformat() == "2026-11-21"
    around = base.neighbors("rnn.lstm")
    assert [s.id for s in around.leads_to] == ["rnn.gru"]
    assert around.previous is not None
    assert (around.previous.id, around.following) == ("rnn.gru", None)
    assert [s.id for s in base.neighbors("rnn.gru").needs] == ["rnn.lstm", "cnn.convolution"]


def test_the_glossary_is_in_alphabetical_order(tmp_path: Path) -> None:
    terms = [{"term": word, "definition": "un mot"} for word in ("zéro", "époque", "Élagage", "filtre")]
    base = load(write(tmp_path, topic("cnn", subtopic("cnn.words", glossary=terms))))
    assert [entry.term.term for entry in base.glossary] == ["Élagage", "époque", "filtre", "zéro"]


def test_unknown_names_are_answered_with_the_nearest(tmp_path: Path) -> None:
    base = load(write(tmp_path, TOPIC))
    with pytest.raises(UserError, match=r"cnn\.convolution"):
        base.subtopic("cnn.convolutions")
    with pytest.raises(UserError, match="cnn"):
        base.topic("cn")


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"title": None}, "spec.missing-key", "cnn.wrong: The key `title` is missing."),
        ({"difficulty": "hard"}, "spec.unknown-value", "cnn.wrong, difficulty: `hard` is not known here."),
        ({"colour": 1}, "spec.unknown-key", "cnn.wrong, colour: Unknown key `colour`."),
        ({"content": 3}, "spec.type", "cnn.wrong, content: Expected"),
        ({"examples": [{"title": "x"}]}, "spec.missing-key", "cnn.wrong, examples.0: The key `text` is missing."),
        ({"reviewed": {"date": "hier", "by": "x"}}, "spec.", "cnn.wrong, reviewed.date: "),
        ({"prerequisites": ["cnn"]}, "spec.", "cnn.wrong, prerequisites.0"),
    ],
)
def test_mistakes_of_shape_name_subtopic_and_field(
    tmp_path: Path, change: dict[str, Any], code: str, words: str
) -> None:
    found = problems(write(tmp_path, topic("cnn", SUBTOPIC, subtopic("cnn.wrong", **change))))
    assert len(found) == 1
    assert found[0][0].startswith(code)
    assert found[0][1].startswith(words)


def test_all_mistakes_come_at_once_with_their_lines(tmp_path: Path) -> None:
    write(tmp_path, topic("cnn", subtopic("cnn.a", title=None), subtopic("cnn.b", difficulty="x")))
    write(tmp_path, topic("rnn", subtopic("cnn.c"), subtopic("rnn.d"), subtopic("rnn.d")))
    (tmp_path / "llm.json").write_text('{"version": 1,\n "topic" "llm"}', encoding="utf-8")
    (tmp_path / "security.json").write_text('{"version": 1, "version": 1}', encoding="utf-8")
    write(tmp_path, topic("training", version=2))
    (tmp_path / "mlops.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UserErrors) as caught:
        load(tmp_path)
    found = {(p.code, p.where.file, p.where.line) for p in caught.value.problems if p.where}
    assert ("knowledge.not-json", "knowledge/llm.json", 2) in found
    assert {code for code, _file, _line in found} == {
        "knowledge.duplicate-key",
        "knowledge.id",
        "knowledge.id-twice",
        "knowledge.newer-version",
        "knowledge.not-an-object",
        "knowledge.not-json",
        "spec.missing-key",
        "spec.unknown-value",
    }
    for problem in caught.value.problems:
        if problem.code == "spec.unknown-value":
            assert problem.where is not None
            assert problem.where.text == '   "difficulty": "x",'


def test_what_is_right_in_a_wrong_file_is_kept(tmp_path: Path) -> None:
    (written,) = read(write(tmp_path, topic("cnn", subtopic("cnn.a", title=None), SUBTOPIC)))
    assert written.topic is not None
    assert [s.id for s in written.topic.subtopics] == ["cnn.convolution"]
    assert written.ids == {"cnn.a", "cnn.convolution"}


def test_a_file_is_named_after_its_topic(tmp_path: Path) -> None:
    write(tmp_path, TOPIC)
    (tmp_path / "rnn.json").write_text(json.dumps(TOPIC), encoding="utf-8")
    assert [code for code, _what in problems(tmp_path)] == ["knowledge.file-name", "knowledge.topic-twice"]


def test_a_folder_without_a_base_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="knowledge import") as caught:
        load(tmp_path / "nothing")
    assert caught.value.code == "knowledge.none"


@pytest.mark.parametrize("text", ["NaN", "[" * 100_000, '"\\ud800"', "", "{", '{"a": "\\x"}', '\x00{"version": 1}'])
def test_broken_documents_are_refused_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "cnn.json").write_text(text, encoding="utf-8")
    assert len(problems(tmp_path)) == 1


def test_a_lone_surrogate_is_refused(tmp_path: Path) -> None:
    text = json.dumps(topic("cnn", subtopic("cnn.a", title="\ud800")))
    (tmp_path / "cnn.json").write_text(text, encoding="utf-8")
    assert len(problems(tmp_path)) == 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(_JSON, st.sampled_from([None, 1, 4]))
def test_every_key_and_value_has_its_place(document: Any, indent: int | None) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    locator = locate(text, "x.json")

    def walk(value: Any, path: tuple[str | int, ...]) -> None:
        assert path in locator.values
        where = locator.value(path)
        line, _column = locator.values[path]
        if indent is not None and not isinstance(value, dict | list):
            assert where.line == line
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, child in inner:
            walk(child, (*path, key))

    walk(document, ())


@given(_JSON)
def test_any_document_is_answered_in_words(document: Any) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), {**TOPIC, "subtopics": [document, SUBTOPIC]})
        (written,) = read(folder)
        assert written.problems
        assert all(p.what and p.where for p in written.problems)


def test_the_schema_states_what_is_needed() -> None:
    schema = json_schema()
    assert schema["required"] == ["version", "topic", "title", "subtopics"]
    assert schema["$defs"]["Subtopic"]["additionalProperties"] is False
