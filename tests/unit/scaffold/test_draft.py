"""From files to a solution.yaml that says why, passes its checks, and hides no personal data."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from compagnon.errors import UserError
from compagnon.i18n import use
from compagnon.scaffold.data import Wanted, draft
from compagnon.scaffold.draft import scalar
from compagnon.scaffold.folder import slug
from compagnon.scaffold.personal import of_name, of_values
from compagnon.solution import Solution
from compagnon.spec.variables import expand

COLORS = ["rouge", "vert", "bleu"]


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def made(tmp_path: Path, *files: str, **options: object) -> tuple[dict[str, object], str]:
    """The document that was drafted, after its checks, and its text."""
    target = tmp_path / "new"
    draft(target, Wanted(tuple(files), **options))  # type: ignore[arg-type]
    assert Solution(target).loaded.spec.name == "new"
    text = (target / "solution.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text), text


def rows(count: int, line: str) -> str:
    return "".join(line.format(n=n, color=COLORS[n % 3]) + "\n" for n in range(count))


def test_a_table_of_columns(tmp_path: Path) -> None:
    header = "Identifiant;Prix;Vu le;Couleur;Courriel client;vendu\n"
    lines = [f"{n};1{n},50 €;15/03/2026;{COLORS[n % 3]};c{n}@example.org;{('oui', 'non')[n % 2]}\n" for n in range(60)]
    file = write(tmp_path / "ventes 2026.csv", header + "".join(lines))
    document, _text = made(tmp_path, file)
    (table,) = document["tables"].values()  # type: ignore[attr-defined]
    columns = table["columns"]
    assert table["key"] == "identifiant"
    assert columns["prix"] == {"type": "decimal", "formats": ["fr"]}
    assert columns["vu_le"] == {"type": "date", "formats": ["%d/%m/%Y"]}
    assert columns["couleur"] == {"type": "category", "values": ["bleu", "rouge", "vert"]}
    assert columns["courriel_client"]["personal"] == "email"
    (model,) = document["models"].values()  # type: ignore[attr-defined]
    assert model["target"] == "vendu"
    assert model["task"] == "tabular-classification"
    assert "courriel_client" not in model["input"]
    assert "identifiant" not in model["input"]


def test_texts_to_learn_from_and_to_test_on(tmp_path: Path) -> None:
    lines = rows(60, "Où est passé mon colis numéro {n} ?,{color}")
    train = write(tmp_path / "train.csv", "text,label\n" + lines)
    test = write(tmp_path / "test.csv", "text,label\n" + lines[:600].rsplit("\n", 1)[0] + "\n")
    document, _text = made(tmp_path, train, test)
    model = document["models"]["label"]  # type: ignore[index]
    assert model["task"] == "text-classification"
    assert model["input"] == ["text"]
    assert model["table"] == "train"
    assert model["split"]["test"] == {"table": "test"}
    assert set(document["tables"]) == {"train", "test"}  # type: ignore[call-overload]


def test_files_of_one_shape_are_one_table(tmp_path: Path) -> None:
    january = write(tmp_path / "janvier.csv", "text,label\n" + rows(30, "Une question sur {n} choses,{color}"))
    february = write(tmp_path / "fevrier.csv", "text,label\n" + rows(30, "Une autre sur {n} choses,{color}"))
    document, _text = made(tmp_path, january, february)
    (table,) = document["tables"].values()  # type: ignore[attr-defined]
    assert set(table["from"]) == {"janvier", "fevrier"}


def test_an_index_without_a_name_is_explained(tmp_path: Path) -> None:
    file = write(tmp_path / "frame.csv", "size,color,label\n" + rows(60, "{n},{n}7,{color},{color}"))
    document, text = made(tmp_path, file)
    (table,) = document["tables"].values()  # type: ignore[attr-defined]
    assert table["from"]["frame"]["index"] == "_index"
    assert table["key"] == "index"
    assert "the first column has no name" in text or "n'a pas de nom" in text
    assert "index" not in document["models"]["label"]["input"]  # type: ignore[index]


def test_json_lines_and_a_database(tmp_path: Path) -> None:
    lines = [
        json.dumps({"body": f"Une question sur {n} choses", "topic": COLORS[n % 3], "at": "2026-03-01"})
        for n in range(30)
    ]
    file = write(tmp_path / "forum.jsonl", "\n".join(lines) + "\n")
    document, _text = made(tmp_path, file)
    assert document["models"]["topic"]["input"] == ["body"]  # type: ignore[index]

    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("create table orders (id integer primary key, amount real, class text)")
        connection.executemany("insert into orders values (?, ?, ?)", [(n, n / 7, COLORS[n % 3]) for n in range(60)])
    connection.close()
    target = tmp_path / "shop"
    draft(target, Wanted((f"sqlite:///{tmp_path / 'shop.db'}",), table="orders"))
    spec = Solution(target).loaded.spec
    assert spec.tables["orders"].key == ("id",)
    assert spec.tables["orders"].columns["amount"].type == "float"
    assert spec.models["class"].input == ("amount",)


def test_a_password_is_never_written(tmp_path: Path) -> None:
    from compagnon.scaffold.data import _written

    assert "tres-secret" not in _written("postgresql://me:tres-secret@127.0.0.1/db")
    assert _written("sqlite:////data/shop.db") == "sqlite:////data/shop.db"


def test_free_text_with_personal_data_is_masked_and_gives_no_example(tmp_path: Path) -> None:
    lines = rows(60, "Bonjour je suis joignable au 06 12 34 56 78 pour le point {n},{color}")
    document, text = made(tmp_path, write(tmp_path / "m.csv", "message,theme\n" + lines))
    assert document["tables"]["m"]["columns"]["message"]["personal"] == "free_text"  # type: ignore[index]
    assert "06 12 34" not in text


def test_nothing_to_predict_is_said(tmp_path: Path) -> None:
    document, text = made(tmp_path, write(tmp_path / "m.csv", "a,b\n" + "".join(f"{n}.5,{n}.25\n" for n in range(30))))
    assert "models" not in document
    assert "no model yet" in text or "pas encore de modèle" in text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_draft_does_not_depend_on_the_language(language: str, tmp_path: Path) -> None:
    file = write(tmp_path / "m.csv", "text,label\n" + rows(30, "Une question sur {n} choses,{color}"))
    texts = []
    for place, tongue in enumerate(("fr", language)):
        with use(tongue):
            draft(tmp_path / f"{place}" / "new", Wanted((file,)))
        texts.append((tmp_path / f"{place}" / "new" / "solution.yaml").read_text("utf-8"))
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", "", "infer.empty"),
        ("header.csv", "a,b\n", "infer.empty"),
        ("bad.parquet", "not parquet", None),
        ("bad.json", "{", None),
    ],
)
def test_what_cannot_be_read_leaves_nothing_behind(name: str, content: str, code: str | None, tmp_path: Path) -> None:
    file = write(tmp_path / "in" / name, content)
    with pytest.raises(UserError) as caught:
        draft(tmp_path / "new", Wanted((file,)))
    assert code is None or caught.value.code == code
    assert {path.name for path in tmp_path.iterdir()} == {"in"}


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    file = write(tmp_path / "m.csv", "a,b\n1,2\n")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        draft(tmp_path / "new", Wanted((file,)))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine"]


def test_odd_names_and_values_make_a_file_that_is_read_back(tmp_path: Path) -> None:
    header = 'é à,"a: b",${HOME},1st,select,"x\ty"\n'
    lines = "".join(f'yes,"#c","{{n}}",{n},"- {COLORS[n % 3]}: ""q""",null\n' for n in range(40))
    document, _text = made(tmp_path, write(tmp_path / "odd.csv", header + lines))
    (table,) = document["tables"].values()  # type: ignore[attr-defined]
    assert set(table["columns"]) == {"e_a", "a_b", "home", "column_1st", "select", "x_y"}


@given(st.text(max_size=40) | st.from_regex(r"[${}a-z]{1,12}", fullmatch=True))
def test_scalars_are_read_back(text: str) -> None:
    assert expand(yaml.safe_load(scalar(text)), {}).text == text


@given(st.text(max_size=80))
def test_slugs_are_names(text: str) -> None:
    found = slug(text, between="_", fallback="column")
    assert found
    assert len(found) <= 60
    assert found[0].isalpha()
    assert found.isascii()
    assert found == slug(found, between="_", fallback="column")


def test_personal_data_by_name_and_by_form() -> None:
    for name, kind in {"E-mail": "email", "Nom": "name", "date_naissance": "birth", "user_id": "identifier"}.items():
        found = of_name(name)
        assert found is not None
        assert found.kind == kind
    for name in ("filename", "product", "nombre", "relationship", "education-num"):
        assert of_name(name) is None
    phones = of_values(["06 12 34 56 78", "+33 6 12 34 56 79", "0145678901"], 4)
    assert phones is not None
    assert of_values(["rouge", "vert"], 1) is None
