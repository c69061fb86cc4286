"""The three documents from a real run: what they hold, what they must not hold, and that they come out the same."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import pytest

from compagnon import Solution
from compagnon.errors import UserError
from compagnon.evidence.documents import document_of
from compagnon.render import document_file
from compagnon.render.document import Code, Document, Gap, Heading, List, Note, Paragraph, Table

CANARIES = ("canari.secret@example.org", "06 12 34 56 78", "shop:7", "canari-valeur")
ASKED = [("quality", "messages"), ("card", "theme"), ("logbook", None)]


@pytest.fixture
def solution(small_solution_run: Path) -> Iterator[Solution]:
    found = Solution(small_solution_run)
    yield found
    found.close()


def written(solution: Solution, kind: Any, name: str | None, language: Any = "fr") -> Document:
    return document_of(kind, name, language, spec=solution.spec, ledger=solution.ledger, artifacts=solution.artifacts)


def text_of(content: bytes) -> str:
    """All that a reader of the .docx finds, tables too."""
    word = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    return "\n".join([p.text for p in word.paragraphs] + cells)


def tables(document: Document) -> dict[str, Table]:
    return {block.caption: block for block in document.blocks if isinstance(block, Table)}


def test_quality_says_what_the_run_found(solution: Solution) -> None:
    document = written(solution, "quality", "messages", "fr")
    facts = solution.facts("prepare/messages")
    by_source = tables(document)["Lignes par source"]
    assert by_source.rows[0][:3] == ("shop", facts["rows_read"].value, facts["rows_prepared"].value)
    columns = next(t for t in document.blocks if isinstance(t, Table) and t.caption == "Colonnes de la table")
    assert [row[0] for row in columns.rows] == list(solution.spec.tables["messages"].columns)
    run = solution.current("prepare/messages")
    assert run is not None
    assert document.at == run.ended
    assert any(cell == Code(run.id) for t in tables(document).values() for row in t.rows for cell in row)


def test_the_card_marks_gaps_and_invents_nothing(solution: Solution) -> None:
    document = written(solution, "card", "theme", "en")
    gaps = [gap.how for gap in document.gaps]
    assert "need.users" in gaps
    assert "tables.messages.meaning" in gaps
    assert "need.problem" not in gaps
    assert isinstance(document.blocks[0], Note)
    assert str(len(document.gaps)) in str(document.blocks[0].text)
    metrics = tables(document)["Metrics on the test part"]
    value = solution.facts("train/theme")["macro_f1"].value
    assert isinstance(value, float)
    assert metrics.rows[0][:2] == (Code("macro_f1"), f"{value:.3f}")
    assert "Messages reach the wrong service." in [b.text for b in document.blocks if isinstance(b, Paragraph)]
    assert tables(document)["Sources and their licences"].rows == (("shop", "CC0-1.0"),)
    assert [row[-1] for row in tables(document)["Indicators of the need"].rows] == ["met"]


def test_the_card_is_of_the_file_that_the_run_recorded(solution: Solution) -> None:
    before = written(solution, "card", "theme", "en")
    file = solution.root / "solution.yaml"
    text = file.read_text(encoding="utf-8").replace("Messages reach the wrong service.", "Something else.")
    file.write_text(text.replace("CC0-1.0", "MIT"), encoding="utf-8")
    again = Solution(solution.root)
    try:
        assert written(again, "card", "theme", "en") == before
    finally:
        again.close()


def test_the_logbook_goes_by_date(solution: Solution) -> None:
    solution.note("Seuil gardé à 0,4", by="prof", about="train/theme")
    document = written(solution, "logbook", None, "en")
    days = [block for block in document.blocks if isinstance(block, Heading) and block.level == 2]
    assert days
    stages = [row[1] for table in tables(document).values() for row in table.rows]
    assert stages == [Code(run.stage) for run in reversed(solution.ledger.runs())]
    found = str([block.items for block in document.blocks if isinstance(block, List)])
    assert "Seuil gardé à 0,4" in found
    assert "prof" in found


def test_a_failed_run_stands_in_the_logbook(small_solution: Path) -> None:
    solution = Solution(small_solution)
    assert [type(block) for block in written(solution, "logbook", None).blocks] == [List, Gap]
    shutil.rmtree(small_solution / "data")
    with pytest.raises(UserError):
        solution.run()
    document = written(solution, "logbook", None, "en")
    solution.close()
    states = [str(row[2]) for table in tables(document).values() for row in table.rows]
    assert any(state.startswith("failed: ") for state in states)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_personal_value_in_a_document(solution: Solution, language: str) -> None:
    mail, phone, row, value = CANARIES
    solution.note(f"Vu avec {mail}, {phone}", by=mail)
    at = solution.clock.now()
    solution.ledger.add_correction(at, "prof", "messages", row, "restore", because=f"demandé par {mail}")
    solution.ledger.add_correction(at, "prof", "messages", row, "correct", "text", value, because=phone)
    with next((solution.root / "data").glob("*.csv")).open(encoding="utf-8") as file:
        mails = {line["Courriel"] for line in csv.DictReader(file, delimiter=";")} - {""}
    assert len(mails) > 5
    for kind, name in ASKED:
        document = written(solution, kind, name, language)
        page = document_file.write(document, "html").decode()
        said = page + text_of(document_file.write(document, "docx"))
        assert not [canary for canary in (*CANARIES, *mails) if canary in said], kind
        # The document does hold what it should: the search above is not in an empty page.
        assert len(said) > 2000
    assert "[courriel]" in said
    assert "prof" in said


@pytest.mark.parametrize(("kind", "name"), ASKED)
@pytest.mark.parametrize("form", ["html", "docx"])
def test_the_same_ledger_gives_the_same_bytes(solution: Solution, kind: str, name: str | None, form: Any) -> None:
    first = document_file.write(written(solution, kind, name), form)
    again = Solution(solution.root)
    try:
        assert document_file.write(written(again, kind, name), form) == first
    finally:
        again.close()


@pytest.mark.parametrize(("kind", "name"), ASKED)
def test_the_docx_has_real_structure(solution: Solution, kind: str, name: str | None) -> None:
    document = written(solution, kind, name, "fr")
    word = docx.Document(io.BytesIO(document_file.write(document, "docx")))
    headings = [(p.style.name, p.text) for p in word.paragraphs if p.style and p.style.name.startswith("Heading")]
    assert headings[0] == ("Heading 1", document.title)
    assert [f"Heading {h.level}" for h in document.headings] == [name for name, _text in headings[1:]]
    assert word.core_properties.title == document.title
    assert word.core_properties.language == "fr-FR"
    assert word.tables
    for table in word.tables:
        assert table._tbl.tr_lst[0].xpath("./w:trPr/w:tblHeader")
        assert table._tbl.tblPr.xpath("./w:tblCaption/@w:val")


@pytest.mark.parametrize(
    ("kind", "name", "code"),
    [
        ("quality", "nothing", "document.unknown-table"),
        ("card", "nothing", "document.unknown-model"),
        ("quality", "messages", "document.no-quality"),
        ("card", "theme", "document.no-package"),
    ],
)
def test_what_is_not_there_is_refused(small_solution: Path, kind: str, name: str, code: str) -> None:
    solution = Solution(small_solution)
    with pytest.raises(UserError) as caught:
        written(solution, kind, name)
    solution.close()
    assert caught.value.code == code


def test_an_altered_report_is_refused(solution: Solution) -> None:
    artifact = solution.artifact("prepare/messages", "quality/messages")
    assert artifact is not None
    path = solution.artifacts.path(artifact, "quality.json")
    path.chmod(0o600)
    path.write_text(path.read_text(encoding="utf-8").replace("45", "46"), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        written(solution, "quality", "messages")
    assert caught.value.code == "artifact.altered"
