"""Events and lines: what is written can be read back, and programs get a stable form."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from compagnon.services.tutor.answer.events import (
    Began,
    Citation,
    Cited,
    Done,
    Kind,
    Line,
    Reply,
    between,
    dressed,
    event_dict,
    write,
)
from compagnon.services.tutor.answer.sentences import Draft, Splitter

SENTENCES = st.lists(st.sampled_from(["Le", "dropout", "0.5", "model.fit", "coupe", "(un)", "3 × 3"]), min_size=1).map(
    lambda words: " ".join(["A", *words]) + "."
)
KINDS: st.SearchStrategy[Kind] = st.sampled_from(["heading", "text", "point", "code"])
LINES = st.builds(
    lambda kind, text, cited: Line(kind, text, () if kind in ("heading", "code") else tuple(cited)),
    KINDS,
    SENTENCES,
    st.lists(st.integers(1, 20), max_size=2, unique=True),
)
CITATION = Citation(1, "cnn.convolution/content/0", "La convolution", "Une convolution", 0, 15)
REPLY = Reply("Oui. [1]", (CITATION,), "beginner", "extract", True, False, 0, 0.0, lines=(Line("text", "Oui.", (1,)),))


@given(st.lists(LINES, max_size=8))
def test_what_is_written_is_read_back(lines: list[Line]) -> None:
    splitter = Splitter()
    found = [*splitter.feed(write(lines)), *splitter.end()]

    assert found == [Draft(line.kind, line.text, line.citations) for line in lines if line.kind != "note"]


@given(st.lists(LINES | st.builds(Line, st.just("note"), SENTENCES), max_size=8))
def test_lines_one_by_one_make_the_same_text(lines: list[Line]) -> None:
    """As a stream sends them."""
    kinds = [None, *(line.kind for line in lines)]
    text = "".join(between(before, line.kind) + dressed(line) for before, line in zip(kinds, lines, strict=False))

    assert text == write(lines)


def test_each_kind_has_its_form() -> None:
    lines = [
        Line("note", "Indices."),
        Line("heading", "Points"),
        Line("point", "Un.", (1,)),
        Line("point", "Deux.", (1, 2)),
        Line("text", "Trois.", (3,)),
        Line("text", "Quatre."),
        Line("code", "x = 1", (4,)),
    ]

    assert write(lines) == (
        "Indices.\n\n## Points\n- Un. [1]\n- Deux. [1] [2]\n\nTrois. [3] Quatre.\n\n```\nx = 1\n```"
    )
    assert write([]) == ""


def test_scripts_read_a_stable_form() -> None:
    assert list(REPLY.as_dict()) == [
        "answer", "citations", "level", "provider", "sure", "refused", "tokens", "cost",
    ]  # fmt: skip
    assert REPLY.as_dict()["citations"] == [
        {"id": "cnn.convolution/content/0", "title": "La convolution", "quote": "Une convolution"}
    ]


def test_every_event_is_named_and_goes_over_the_wire() -> None:
    events = [
        Began("beginner", "inferred", "extract", "answer"),
        Cited(CITATION),
        Line("text", "Oui.", (1,)),
        Done(REPLY),
    ]
    sent = [json.loads(json.dumps(event_dict(event))) for event in events]

    assert [each["event"] for each in sent] == ["began", "citation", "sentence", "done"]
    assert sent[1]["quote"] == "Une convolution"
    assert sent[2] == {"event": "sentence", "kind": "text", "text": "Oui.", "citations": [1]}
    assert (sent[3]["answer"], sent[3]["mode"], sent[3]["subtopics"]) == ("Oui. [1]", "answer", [])
