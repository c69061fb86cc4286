"""Sentences from pieces: the same drafts however a text is cut, and spans that lose nothing."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compagnon.providers.extract import lines as arranged
from compagnon.providers.port import Passage
from compagnon.services.tutor.answer.sentences import LONGEST, Draft, Splitter, plain, sentences, whole_lines
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.passages import passages

MARKS = [
    "Le dropout", " coupe ", "0.5", "model.fit", "e.g. ", ".", ". ", "!", "? ", "…", "[1]", " [12]", "[passage 3]",
    "[1, 2]", "[", "]", "\n", "\n\n", "\r\n", "- ", "-", "* ", "1. ", "2)", "12", "# ", "## Points", "**Gras**", "**",
    "*", "_", "`", "```", "```\n", "x = 1\n", "« ", " »", '"', ")", "p", "etc", " ", "\t", "\u00a0", "A" * 700,
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(MARKS), max_size=12).map("".join) | st.text(max_size=60)


def drafts(*pieces: str) -> list[Draft]:
    splitter = Splitter()
    return [draft for piece in pieces for draft in splitter.feed(piece)] + splitter.end()


@given(TEXTS, st.data())
@example('Dit "Foo." Bar', None)
@example("Foo bar. - baz\n", None)
@example("Foo. **Bar**\n", None)
@example("Vrai.! Bon\n", None)
@example("A" * 1300 + ". B", None)
def test_drafts_do_not_depend_on_how_the_text_is_cut(text: str, data: st.DataObject | None) -> None:
    places = range(len(text) + 1)
    if data is not None:
        places = data.draw(st.lists(st.integers(0, len(text)), max_size=6).map(sorted))
    cut = [text[start:end] for start, end in itertools.pairwise([0, *places, len(text)])]

    assert "".join(cut) == text
    assert drafts(*cut) == drafts(text)


WORDS = st.lists(st.sampled_from(["mot", "et", "12", "0.5", ". ", "? ", "\n", "- ", " ", "[1] "]), max_size=15)


@given(WORDS.map("".join))
def test_drafts_keep_every_letter_in_order(text: str) -> None:
    kept = "".join(draft.text for draft in drafts(text))

    assert [c for c in kept if c.isalpha()] == [c for c in text if c.isalpha()]


def test_a_sentence_is_given_as_soon_as_the_next_one_begins() -> None:
    splitter = Splitter()

    assert splitter.feed("Le dropout coupe des neurones. [1]") == []
    assert splitter.feed(" P") == [Draft("text", "Le dropout coupe des neurones.", (1,))]
    assert splitter.feed("uis il") == []
    assert splitter.end() == [Draft("text", "Puis il")]


@pytest.mark.parametrize(
    "sentence",
    [
        "Le taux vaut 0.001 au début.",
        "Call model.fit(x, y) with torch.nn.Linear.",
        "Use a metric, e.g. accuracy, i.e. the share of right answers.",
        "Voir p. 12 et fig. 3, cf. le cours.",
        "Il coûte 1.5 euro [hors taxe] par jour.",
    ],
)
def test_points_inside_a_sentence_do_not_end_it(sentence: str) -> None:
    assert [draft.text for draft in drafts(f"{sentence} [1] Bien. [2]")] == [sentence, "Bien."]


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("Oui. [1]", (1,)),
        ("Oui [1].", (1,)),
        ("Oui. [1][2]", (1, 2)),
        ("Oui. [1, 2]", (1, 2)),
        ("Oui. [1 ; 2]", (1, 2)),
        ("Oui. [passage 3]", (3,)),
        ("Oui [2], non [1], oui [2].", (2, 1)),
        ("Oui. [1234]", ()),
        ("Oui. [note]", ()),
    ],
)
def test_citations_are_read_in_the_forms_that_models_write(text: str, cited: tuple[int, ...]) -> None:
    (draft,) = drafts(text)

    assert draft.cited == cited


def test_headings_points_and_code_are_told_apart() -> None:
    text = "## Points clés\n- Un. [1] Deux. [2]\n3) Trois.\n**Exemple :**\n```python\nx = 0.5\n\n# bord\n```\nFin\n"

    assert drafts(text) == [
        Draft("heading", "Points clés"),
        Draft("point", "Un.", (1,)),
        Draft("point", "Deux.", (2,)),
        Draft("point", "Trois."),
        Draft("heading", "Exemple"),
        Draft("code", "x = 0.5\n\n# bord"),
        Draft("text", "Fin"),
    ]


@pytest.mark.parametrize("text", ["```\nx = 1", "```\nx = 1\n", "```\nx = 1\n```", "```\nx = 1\n```\n"])
def test_code_that_is_cut_short_is_still_code(text: str) -> None:
    assert drafts(text) == [Draft("code", "x = 1")]


@pytest.mark.parametrize("text", ["```", "```\n", "```\n\n```", "- ", "…", "[1]", "***", "\n\n"])
def test_what_says_nothing_gives_nothing(text: str) -> None:
    assert drafts(text) == []


def test_a_sentence_without_end_is_cut() -> None:
    assert [len(draft.text) for draft in drafts("a" * (2 * LONGEST + 10))] == [LONGEST, LONGEST, 10]


@given(st.text(max_size=80) | TEXTS)
def test_spans_are_in_order_and_cover_what_is_not_blank(text: str) -> None:
    spans = sentences(text)

    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))
    covered = {place for start, end in spans for place in range(start, end)}
    assert all(character.isspace() for place, character in enumerate(text) if place not in covered)
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)


def test_a_passage_is_cut_where_a_reader_would() -> None:
    text = "Le pas vaut 0.5. Puis 2. « Vrai ? » demande-t-on. « Oui. » Fin (ou non.) Autre\nLigne"

    assert [text[start:end] for start, end in sentences(text)] == [
        "Le pas vaut 0.5.", "Puis 2.", "« Vrai ? » demande-t-on.", "« Oui. »", "Fin (ou non.)", "Autre", "Ligne",
    ]  # fmt: skip


def test_passages_of_the_base_are_cut_at_their_sentences(base: Base) -> None:
    """No sentence is longer than one of a model may be, and none begins where another should end."""
    for each in (base, base.spoken("en")):
        found = [p.text[start:end] for s in each for p in passages(s) for start, end in sentences(p.text)]
        assert len(max(found, key=len)) <= LONGEST
        assert [text for text in found if text[0] in "»”),.;"] == []


def test_every_shownof_the_base_comes_through_whole_lines(base: Base) -> None:
    codes = [e for each in (base, base.spoken("en")) for s in each for e in s.examples if e.code]
    assert codes
    for shown in codes:
        passage = Passage("7", "Titre", shown.text, "example", shown.code or "")
        heading, text, code = whole_lines(arranged((passage,)))
        assert (heading.kind, text.kind, text.cited) == ("heading", "text", (7,))
        assert text.text.split() == shown.text.split()
        assert code == Draft("code", "\n".join((shown.code or "").splitlines()))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("**Le** dropout", "Le dropout"),
        ("__Le__ *dropout*", "Le dropout"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("max_pool_2d et x_1", "max_pool_2d et x_1"),
        ("  deux \t blancs ", "deux blancs"),
    ],
)
def test_marks_of_emphasis_go_and_names_stay(text: str, clean: str) -> None:
    assert plain(text) == clean
