"""PDF files become courses: headings by bookmark or size, words made whole, headers dropped; the rest is said."""

from __future__ import annotations

import re
import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import CHROMIUM
from printing import Put, column, pdf

from compagnon.errors import UserError
from compagnon.services.tutor.knowledge import pdf as reading_pdf
from compagnon.services.tutor.knowledge.course import import_course, read_course
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.knowledge.pdf import compounds, from_pdf, joined
from compagnon.services.tutor.knowledge.reading import Reading

LONG = "Une ligne assez longue pour aller presque au bord de la page, comme dans un cours"


def texts(reading: Reading) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.text) for block in reading.blocks]


def test_headings_are_larger_lines(tmp_path: Path) -> None:
    page = [
        Put("Les tris", 60, 60, 24),
        Put("Le tri par insertion", 60, 100, 16),
        *column([f"{LONG} qui par-", "le de tri, et dit-", "il, de peut-", "être. Fin."], down=130),
        Put("• Il est simple.", 70, 200),
        Put("• Il est lent.", 70, 214),
        Put("def f():", 60, 250, 10, "F2"),
        Put("return 1", 84, 262, 10, "F2"),
        Put("Un titre si long", 60, 310, 16),
        Put("qu'il tient sur deux lignes", 60, 330, 16),
        *column(["On choisit un pivot."], down=360),
    ]
    (tmp_path / "cours.pdf").write_bytes(pdf([page]))
    done = import_course(tmp_path / "cours.pdf", tmp_path / "base", "sorting")
    base = load(tmp_path / "base")
    assert base.topic("sorting").title == "Les tris"
    assert [each.title for each in base] == ["Le tri par insertion", "Un titre si long qu'il tient sur deux lignes"]
    first, second = base
    assert first.paragraphs == (
        f"{LONG} qui parle de tri, et dit-il, de peut-être. Fin.",
        "Il est simple.",
        "Il est lent.",
    )
    assert first.examples[0].code == "def f():\n    return 1"
    assert second.content == "On choisit un pivot."
    assert {each.reviewed for each in base} == {None}
    assert len(done.notes) == 1


def test_bookmarks_are_the_headings_and_those_not_found_are_said() -> None:
    page = [Put("1 Les tris", 60, 60), *column(["Du texte.", "GROS"], down=90), Put("GROS", 60, 200, 30)]
    other = [Put("Le tri rapide", 60, 60), *column(["La suite."], down=90)]
    marks = [("Les tris", 0), ("Le tri rapide", 1), ("Absent", 1)]
    found = from_pdf(pdf([page, other], outline=marks), "c.pdf")
    assert [text for kind, _level, text in texts(found) if kind == "heading"] == ["1 Les tris", "Le tri rapide"]
    assert any("Absent" in note for note in found.notes)


def test_headers_footers_and_numbers_of_pages_are_dropped() -> None:
    said = ("insertion", "fusion", "pivot", "tas", "bulles", "comptage")
    pages = [
        [
            Put(f"Chapitre {number // 3} : les tris", 60, 30, 9),
            Put(f"Le tri par {word}", 60, 60, 18),
            *column([f"{LONG} sur {word},", f"puis la suite {word}."], down=90),
            Put(f"Page {number + 1} sur 6", 300, 820, 9),
        ]
        for number, word in enumerate(said)
    ]
    found = from_pdf(pdf(pages), "c.pdf")
    text = " ".join(text for _kind, _level, text in texts(found))
    assert "Chapitre" not in text
    assert "sur 6" not in text
    assert all(f"suite {word}." in text for word in said)
    assert found.notes[0].startswith("12 lines")


def test_a_sentence_goes_on_over_the_page() -> None:
    found = from_pdf(
        pdf([[Put("Titre", 60, 60, 20), *column(["Elle commence ici"])], column(["et finit là.", "Bien."])]), "c.pdf"
    )
    assert texts(found)[1][2].startswith("Elle commence ici et finit là.")


def test_two_columns_are_read_one_after_the_other_and_said() -> None:
    left = [f"gauche {place} du texte assez long" for place in range(9)]
    right = [f"droite {place} du texte assez long" for place in range(9)]
    page = [Put("Un titre au-dessus des deux colonnes", 60, 50, 20), *column(left), *column(right, across=320)]
    found = from_pdf(pdf([page]), "c.pdf")
    said = " ".join(text for _kind, _level, text in texts(found))
    assert re.findall(r"(gauche|droite) (\d)", said) == [
        *(("gauche", str(place)) for place in range(9)),
        *(("droite", str(place)) for place in range(9)),
    ]
    assert any("two columns" in note and "1" in note for note in found.notes)


def test_what_is_drawn_outside_the_page_is_left_out() -> None:
    page = [*column(["Vu."]), Put("Caché.", 60, 2_000), Put("Minuscule.", 60, 300, 0.5)]
    assert [text for _kind, _level, text in texts(from_pdf(pdf([page]), "c.pdf"))] == ["Vu."]


def test_a_page_without_text_is_said() -> None:
    found = from_pdf(pdf([column(["Du texte."]), []]), "c.pdf")
    assert any("No text on pages 2" in note for note in found.notes)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (pdf([[], []]), "knowledge.pdf-scanned"),
        (pdf([column(["Secret."])], protected=True), "knowledge.pdf-encrypted"),
        (b"%PDF-1.7\nrien", "knowledge.course-damaged"),
        (b"Du texte.", "knowledge.course-format"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "c.pdf").write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_course(tmp_path / "c.pdf")
    assert caught.value.code == code
    assert caught.value.problems[0].next


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pdf([column(["Du texte."])] * 3)
    for bound in ("MOST_PAGES", "MOST_TEXT"):
        with monkeypatch.context() as patched:
            patched.setattr(reading_pdf, bound, 2)
            with pytest.raises(UserError) as caught:
                from_pdf(data, "c.pdf")
        assert caught.value.code == "knowledge.course-too-large"
    bomb = zlib.compress(b" " * 100_000_000)
    whole = pdf([column(["Vu."])])
    start, end = whole.index(b"stream\n") + 7, whole.index(b"\nendstream")
    swapped = whole[:start] + bomb + whole[end:]
    swapped = re.sub(rb"/Length \d+", b"/Length %d" % len(bomb), swapped, count=1)
    with pytest.raises(UserError) as caught:
        from_pdf(swapped, "c.pdf")
    assert caught.value.code in ("knowledge.course-damaged", "knowledge.pdf-scanned")


def test_without_pypdf_what_to_install_is_said() -> None:
    code = (
        "import sys; sys.modules['pypdf'] = None\n"
        "from compagnon.errors import UserError\n"
        "from compagnon.services.tutor.knowledge.pdf import from_pdf\n"
        "try: from_pdf(b'%PDF-', 'c.pdf')\n"
        "except UserError as error: print(error.code, error.problems[0].next)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("extra.missing")
    assert 'pip install "compagnon[pdf]"' in done.stdout


@pytest.mark.browser
def test_a_page_printed_by_a_browser(tmp_path: Path) -> None:
    (tmp_path / "c.html").write_text(
        "<html lang=fr><h1>Les tris</h1><h2>Le tri par insertion</h2><p>On prend <b>chaque</b> carte, efficacement."
        "<ul><li>Il est simple.<li>Il est lent.</ul><pre>def f(x):\n    return x</pre></html>",
        encoding="utf-8",
    )
    subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
         f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'c.pdf'}", str(tmp_path / "c.html")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert texts(read_course(tmp_path / "c.pdf")) == [
        ("heading", 1, "Les tris"),
        ("heading", 2, "Le tri par insertion"),
        ("paragraph", 0, "On prend chaque carte, efficacement."),
        ("paragraph", 0, "Il est simple."),
        ("paragraph", 0, "Il est lent."),
        ("code", 0, "def f(x):\n    return x"),
    ]


WORDS = st.lists(st.text("abcé", min_size=1, max_size=8), min_size=1, max_size=12)


@given(WORDS, st.data())
def test_words_cut_at_line_ends_are_whole_again(words: list[str], data: st.DataObject) -> None:
    lines, here = [], ""
    for word in words:
        cut = data.draw(st.integers(0, len(word)))
        if 0 < cut < len(word) and word[cut:] not in reading_pdf._AFTER_HYPHEN:
            lines.append(f"{here} {word[:cut]}-")
            here = word[cut:]
        else:
            here = f"{here} {word}"
            if data.draw(st.booleans()):
                lines.append(here)
                here = ""
    assert joined([*lines, here]) == " ".join(words)


@given(st.lists(st.text(max_size=30), max_size=6))
def test_no_letter_is_lost(lines: list[str]) -> None:
    said = joined(lines, compounds(lines))
    assert [c for c in said if c.isalnum()] == [c for line in lines for c in line if c.isalnum()]
    assert joined([said]) == said


def test_a_hyphen_is_kept_where_the_text_writes_one() -> None:
    lines = [
        "Le sous-apprentissage existe, le sous-",
        "apprentissage aussi ; Jean-",
        "Paul et 2024-",
        "2025, soft\u00ad",
        "ware.",
    ]
    said = "Le sous-apprentissage existe, le sous-apprentissage aussi ; Jean-Paul et 2024-2025, software."
    assert joined(lines, compounds(lines)) == said


WHOLE = pdf([[Put("Titre", 60, 60, 20), *column(["Du texte."])]], outline=[("Titre", 0)])


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_read_or_refused(place: int, data: bytes) -> None:
    with suppress(UserError):  # and nothing else
        from_pdf(WHOLE[:place] + data + WHOLE[place + len(data) :], "c.pdf")
