"""The accessibility statement: its grid, its arithmetic, and the proofs that read templates and scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compagnon.web import conformity
from compagnon.web.view import FOLDER, STATIC

TEMPLATES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((FOLDER / "templates").glob("*.html")))
SCRIPTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted(STATIC.glob("*.js")))
STYLE = (STATIC / "app.css").read_text(encoding="utf-8")
ABSENT = {
    "captcha": r"captcha",
    "frame": r"<i?frame|<frameset",
    "media": r"<(video|audio|object|embed|canvas|applet|marquee|blink|animate)|@keyframes|animation\s*:",
    "shortcut": r"accesskey|keydown|keypress|keyup",
    "hover": r"""\stitle=["']|:hover[^{]*{[^}]*(display|visibility|opacity|content|left|clip)""",
    "order": r"[{;\s]order\s*:|-reverse\b|grid-row\s*:|tabindex=.?[1-9]",
    "orientation": r"orientation",
    "direction": r"\sdir=",
    "gestures": r"\b(touch|mouse|pointer)(start|move|down|up|cancel|over|out|enter|leave)\b|device(motion|orientation)",
    "windows": r"""\btarget\s*=\s*["']?_|window\.open""",
}


def test_the_grid_is_whole() -> None:
    criteria = conformity.read()
    assert len(criteria) == 106
    assert len({criterion.number for criterion in criteria}) == 106
    assert {criterion.level for criterion in criteria} == {"A", "AA"}


def test_only_what_was_tested_counts() -> None:
    criteria = conformity.read()
    statement = conformity.state(criteria)
    proven = statement.conform + statement.not_conform + statement.not_applicable
    assert statement.total == proven + statement.untested == 106
    assert statement.untested > 20, "what needs a screen reader or another eye stays 'not tested'"
    assert not statement.complete
    empty = conformity.state([])
    assert empty.rate is None
    half = conformity.Statement(10, 3, 1, 6, 0)
    assert half.rate == 0.75
    assert half.complete


@pytest.mark.parametrize("line", ["1.1\tImages\tx\tA\tconform\t", "1.1\tImages\tx\tA\tfine\tskip"])
def test_a_status_without_proof_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "grid.tsv").write_text(f"head\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"1\.1"):
        conformity.read(tmp_path / "grid.tsv")


@pytest.mark.parametrize("proof", ABSENT)
def test_what_does_not_apply_is_in_no_template_script_or_style(proof: str) -> None:
    assert any(proof in criterion.proof.split() for criterion in conformity.read())
    assert not re.search(ABSENT[proof], f"{TEMPLATES}\n{SCRIPTS}\n{STYLE}", re.IGNORECASE)


def test_every_whole_page_begins_with_its_type_language_and_title() -> None:
    whole = [p for p in (FOLDER / "templates").glob("*.html") if "<html" in p.read_text(encoding="utf-8")]
    assert whole
    for path in whole:
        text = path.read_text(encoding="utf-8")
        assert text.startswith("<!doctype html>")
        assert '<html lang="{{ language }}">' in text
        assert "<title>" in text


def test_every_proof_has_its_words() -> None:
    for proof in {criterion.proof for criterion in conformity.read()} - {""}:
        assert conformity.proof_word(proof) != proof


def test_all_pages_have_one_frame_with_the_menu() -> None:
    frames = {"base.html", "bare.html", "error.html"}
    for path in (FOLDER / "templates").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        is_part = path.stem.endswith("parts")
        assert is_part or path.name in frames or text.startswith('{% extends "base.html" %}'), path.name


def test_what_the_walk_proves_is_what_its_scripts_look_at() -> None:
    from criteria import CHECKED

    walked = {criterion.number for criterion in conformity.read() if "walk" in criterion.proof.split()}
    assert walked <= CHECKED
