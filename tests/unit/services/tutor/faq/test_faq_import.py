"""Questions and answers of a firm: each form is read, texts are cleaned, what is refused says why, nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.errors import UserError
from compagnon.services.tutor.faq.mend import Glued, clean, mend
from compagnon.services.tutor.faq.read import read
from compagnon.services.tutor.faq.take import import_faq
from compagnon.services.tutor.knowledge.check import check
from compagnon.services.tutor.knowledge.load import load

ROWS = [("Livrez-vous en Belgique ?", "Oui, sous cinq jours.", "Livraison"), ("Et le retour ?", "Gratuit.", "Retours")]

FORMS = {
    "faq.csv": "Question;Réponse;Thème\n" + "".join(f'"{q}";"{a}";{t}\n' for q, a, t in ROWS),
    "comma.csv": "THEME,question,answer\n" + "".join(f'{t},"{q}","{a}"\n' for q, a, t in ROWS),
    "faq.tsv": "titre\tcontenu\tcatégorie\n" + "".join(f"{q}\t{a}\t{t}\n" for q, a, t in ROWS),
    "list.json": json.dumps([{"question": q, "answer": a, "theme": t} for q, a, t in ROWS]),
    "themes.json": json.dumps({t: [{"q": q, "a": a}] for q, a, t in ROWS}),
    "squad.json": json.dumps(
        {
            "version": 1,
            "data": [
                {"theme": t, "paragraphs": [{"context": a, "qas": [{"question": q, "answers": []}]}]}
                for q, a, t in ROWS
            ],
        }
    ),
    "faq.jsonl": "\n".join(json.dumps({"question": q, "réponse": a, "rubrique": t}) for q, a, t in ROWS),
    "faq.md": "# Notre FAQ\n" + "".join(f"## {t}\n### {q}\n{a}\n" for q, a, t in ROWS),
    "faq.html": "<h1>Notre FAQ</h1>" + "".join(f"<h2>{t}</h2><h3>{q}</h3><p>{a}</p>" for q, a, t in ROWS),
}


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_entries(name: str, tmp_path: Path) -> None:
    done = import_faq(written(tmp_path, name, FORMS[name]), tmp_path / "k")
    base = load(tmp_path / "k")
    assert [(s.title, s.content, base.topics[s.topic].title) for s in base] == ROWS
    assert {s.topic for s in base} == {"livraison", "retours"}
    assert base.is_faq
    assert done.refused == []
    assert check(tmp_path / "k").problems == ()


def test_a_spreadsheet_of_windows_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "f.csv", "Question;Réponse\nÀ quel délai ?;Été : « deux » jours.\n".encode("cp1252"))
    assert [(raw.question, raw.answer) for raw in read(path)] == [("À quel délai ?", "Été : « deux » jours.")]


def test_one_answer_in_several_paragraphs_stays_one(tmp_path: Path) -> None:
    parts = [{"context": said, "qas": [{"question": "Qui ?"}]} for said in ("Un.", "Deux.")]
    path = written(tmp_path, "f.json", json.dumps({"data": [{"paragraphs": parts}]}))
    import_faq(path, tmp_path / "k")
    (entry,) = load(tmp_path / "k")
    assert (entry.id, entry.content) == ("faq.qui", "Un.\n\nDeux.")


def test_what_is_refused_says_why(tmp_path: Path) -> None:
    rows = [
        {"question": "Quels délais ?", "answer": "Deux jours."},
        {"question": "", "answer": "Personne ne demande."},
        {"question": "Et alors ?", "answer": "<p> </p>"},
        {"question": "QUELS DELAIS", "answer": "Trois jours."},
        {"question": "x" * 501, "answer": "Oui."},
        {"question": "Trop ?", "answer": "y" * 20_001},
        "rien",
    ]
    done = import_faq(written(tmp_path, "f.json", json.dumps(rows)), tmp_path / "k")
    assert len(done.ids) == 1
    assert [(each.place, each.code) for each in done.refused] == [
        ("entry 2", "no-question"),
        ("entry 3", "no-answer"),
        ("entry 4", "twice"),
        ("entry 5", "long-question"),
        ("entry 6", "long-answer"),
        ("entry 7", "no-question"),
    ]
    assert "entry 1" in done.refused[2].why


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    import_faq(written(tmp_path, "a.jsonl", '{"question": "Quels délais ?", "answer": "Deux jours."}'), folder)
    before = load(folder)
    again = '{"question": "Quels delais", "answer": "Dix jours."}\n{"question": "Quels délais ici", "answer": "Un."}'
    done = import_faq(written(tmp_path, "b.jsonl", again), folder)
    assert [each.code for each in done.refused] == ["known"]
    assert [(s.id, s.content) for s in load(folder)] == [
        *((s.id, s.content) for s in before),
        ("faq.quels_delais_ici", "Un."),
    ]


def test_a_course_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    folder.mkdir()
    course = {"version": 1, "topic": "faq", "title": "T", "subtopics": [{
        "id": "faq.a", "title": "A", "difficulty": "beginner", "content": "C."}]}  # fmt: skip
    (folder / "faq.json").write_text(json.dumps(course), encoding="utf-8")
    before = (folder / "faq.json").read_bytes()
    with pytest.raises(UserError) as caught:
        import_faq(written(tmp_path, "a.jsonl", '{"question": "Q ?", "answer": "A."}'), folder)
    assert caught.value.code == "faq.course"
    assert (folder / "faq.json").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("f.docx", "x", "faq.format"),
        ("f.json", "{", "faq.broken"),
        ("f.csv", "question;answer\n", "faq.empty"),
        ("f.md", "Sans titre.", "faq.empty"),
        ("f.json", "[" * 100_000, "faq.broken"),
    ],
)
def test_files_that_cannot_be_read(name: str, content: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        import_faq(written(tmp_path, name, content), tmp_path / "k")
    assert caught.value.code == code
    assert not (tmp_path / "k").exists()


def test_a_file_that_the_base_could_not_read_again_is_not_written(tmp_path: Path) -> None:
    rows = "\n".join(json.dumps({"question": f"Q {n} ?", "answer": f"{n} " * 4000}) for n in range(100, 190))
    with pytest.raises(UserError) as caught:
        import_faq(written(tmp_path, "f.jsonl", rows), tmp_path / "k")
    assert caught.value.code == "faq.file-too-large"
    assert not (tmp_path / "k").exists()


def test_a_broken_line_is_refused_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "f.jsonl", '{"question": "Q ?", "answer": "A."}\n{oops\n')
    done = import_faq(path, tmp_path / "k")
    assert (len(done.ids), [each.place for each in done.refused]) == (1, ["line 2"])


@pytest.mark.parametrize(
    ("glued", "apart"),
    [
        ("Signalez la fraude.Que faire ?Gardez tout.", "Signalez la fraude. Que faire ? Gardez tout."),
        ("des messages ;nerépondez jamais", "des messages ; nerépondez jamais"),
        ("votre dossier :le numéro", "votre dossier :le numéro"),
        ("il est sécuriséLa suite", "il est sécurisé La suite"),
        ("importantes(numéro de carte)et code", "importantes (numéro de carte) et code"),
        ("raison(s) de m'inscrire", "raison(s) de m'inscrire"),
        ("écrivez à Aide@Exemple.Fr ou www.Exemple.Com", "écrivez à Aide@Exemple.Fr ou www.Exemple.Com"),
        ("un iPhone, JavaScript et LibreOffice", "un iPhone, JavaScript et LibreOffice"),
        ("à 9h30, soit 1,5 jour", "à 9h30, soit 1,5 jour"),
    ],
)
def test_glued_sentences_are_parted_and_names_are_not(glued: str, apart: str) -> None:
    assert mend(glued) == apart.replace(" :le", " : le")


def test_html_becomes_text() -> None:
    assert clean("<p>Oui&nbsp;:<br>un</p><script>x()</script><p>deux</p>") == "Oui : un\n\ndeux"
    assert clean("5 &lt; 6 &eacute;t&eacute;") == "5 < 6 été"


@given(st.text(max_size=300))
def test_cleaning_ends_and_keeps_letters(text: str) -> None:
    once = mend(clean(text))
    assert "\x00" not in once
    assert mend(once) == mend(mend(once))


@given(st.text(alphabet="abcé .,;:?!()AB\n", max_size=200))
def test_mending_only_adds_blanks(text: str) -> None:
    assert "".join(mend(text).split()) == "".join(text.split())


def test_glued_words_are_told_and_parted_only_when_asked(tmp_path: Path) -> None:
    known = "Les règles de la boutique. Voici des règles. Les règles valent. Voici. Voici. "
    rows = [
        {"question": "Quelles règles ?", "answer": known},
        {"question": "Et ici ?", "answer": "Voicirègles lesrègles simplesà."},
    ]
    path = written(tmp_path, "f.json", json.dumps(rows))
    done = import_faq(path, tmp_path / "a")
    assert done.glued == {"Voicirègles": "Voici règles", "lesrègles": "les règles"}
    assert "lesrègles" in load(tmp_path / "a").subtopic("faq.et_ici").content
    import_faq(path, tmp_path / "b", part_words=True)
    assert load(tmp_path / "b").subtopic("faq.et_ici").content == "Voici règles les règles simplesà."


def test_parting_leaves_addresses() -> None:
    glued = Glued(["règles règles règles lesrègles"])
    assert glued.part("www.lesrègles.fr dit lesrègles") == "www.lesrègles.fr dit les règles"
