"""Helper modules of an export: they do what Compagnon's own modules do, and import none of them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.evidence.code import helpers
from compagnon.features import inputs, text
from compagnon.privacy import patterns, pseudonym
from compagnon.stages.train import view_table

FILES = {**helpers.of_collect(), **helpers.of_prepare(), **helpers.of_train(columns=True), **helpers.of_predict()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Imports a helper by its name from a folder as an export writes it."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "helpers").mkdir()
    (folder / "helpers" / "__init__.py").touch()
    for name, content in FILES.items():
        (folder / "helpers" / name).write_text(content, encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"helpers.{name}")
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == "helpers"]:
        del sys.modules[name]


def test_no_helper_imports_compagnon() -> None:
    for name, content in FILES.items():
        assert "import compagnon" not in content, name
        assert "from compagnon" not in content, name


@given(st.text())
def test_texts_are_folded_alike(written: Any, said: str) -> None:
    assert written("text").fold_text(said) == text.fold_text(said)
    assert written("inputs").text_feed(said) == inputs.text_feed(said)


@pytest.mark.parametrize(
    "said", ["a@b.fr", "appelez le 06 12 34 56 78", "FR76 3000 6000 0112 3456 7890 189 merci", "rien", "4970 1012 3456"]
)
def test_texts_are_masked_alike(written: Any, said: str) -> None:
    column = pa.array([said, None])
    assert written("masks").mask(column)[0].to_pylist() == patterns.mask(column)[0].to_pylist()
    assert written("masks").mask_text(said) == patterns.mask_text(said)


def test_pseudonyms_are_the_same_for_the_same_key(written: Any) -> None:
    column = pa.array(["A@b.fr", " a@b.fr", None])
    found = written("pseudonyms").pseudonyms(column, b"k" * 16).to_pylist()
    assert found == pseudonym.pseudonyms(column, b"k" * 16).to_pylist()
    assert found[0] == found[1] != None  # noqa: E711


def test_columns_become_the_same_features(written: Any) -> None:
    fields = (inputs.Input("heat", "float"), inputs.Input("kind", "category"), inputs.Input("seen", "date"))
    table = pa.table(
        {
            "heat": pa.array([1.0, None, 3.5, 9.0]),
            "kind": ["saw", "saw", None, "lathe"],
            "seen": pa.array([1, 2, None, 700], pa.date32()),
        }
    )
    feeds = inputs.feeds_of_table(fields, table)
    ours = view_table.TableView(scaled=True).fit(fields, feeds).transform(feeds)
    module, columns = written("inputs"), written("columns")
    theirs_fields = tuple(module.Input(field.name, field.type) for field in fields)
    theirs_feeds = module.feeds_of_table(theirs_fields, table)
    theirs = columns.TableView(scaled=True).fit(theirs_fields, theirs_feeds).transform(theirs_feeds)
    assert np.array_equal(ours, theirs)


def test_broken_lines_keep_their_place_and_keys_their_number(written: Any) -> None:
    reading = written("reading")
    table = pa.table({"id": ["a", None, "a", "b#2"]})
    assert reading.row_ids(table, "s", "f.csv", (), skipped=[0, 2]) == [
        "s:f.csv:1",
        "s:f.csv:3",
        "s:f.csv:4",
        "s:f.csv:5",
    ]
    ids = reading.row_ids(table, "s", "f.csv", ("id",))
    assert reading.unique_ids(ids) == ["s:a", "s:f.csv:1", "s:a#2", "s:b#2#1"]


def test_a_line_with_an_open_quote_is_left_out(written: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('id;said\n1;été\n2;"ouvert\n3;fin\n'.encode("cp1252"))
    found = written("reading").read_csv(
        path,
        names=["id", "said"],
        encoding="cp1252",
        delimiter=";",
        quote='"',
        escape='"',
        header=True,
        without_lines=[3],
    )
    assert found.to_pylist() == [{"id": "1", "said": "été"}, {"id": "3", "said": "fin"}]
