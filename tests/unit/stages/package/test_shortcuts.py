"""A shortcut answers as the graph does: each family, any text, any row; where it would not, it is not taken."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_solution import FILLERS, MACHINE_INPUTS, MACHINE_TYPES, QUESTION_TYPES, WORDS, bench, machines, questions

from compagnon.features.inputs import feeds_of_rows
from compagnon.stages.package.load import LoadedPackage, _shortcut
from compagnon.stages.package.shortcut import FILE, choose
from compagnon.stages.package.shortcut.file import read
from compagnon.stages.package.shortcut.run import Matrix, Terms

TEXTS: list[dict[str, Any]] = [
    {"kind": "naive_bayes"},
    {"kind": "linear", "words": [1, 1], "chars": None},
    {"kind": "svm", "words": None, "chars": [2, 5]},
    {"kind": "blend", "words": [1, 3], "chars": [3, 5]},
    {"kind": "linear", "words": [2, 2], "chars": [2, 3], "words_from": 1},
    {"kind": "boosting", "trees": 10, "directions": 8},
]
COLUMNS: list[tuple[dict[str, Any], list[str]]] = [
    ({"kind": "linear"}, MACHINE_INPUTS),
    ({"kind": "naive_bayes"}, ["heat", "age", "guarded"]),
    ({"kind": "svm"}, ["kind", "age", "heat", "seen"]),
    ({"kind": "boosting", "trees": 10}, MACHINE_INPUTS),
    ({"kind": "boosting", "trees": 10}, ["heat", "age"]),
]
Made = tuple[LoadedPackage, LoadedPackage]


def made(folder: Path, rows: Any, types: Any, **model: Any) -> Made:
    """A package by its graph alone, and by its shortcut alone."""
    work = bench(folder, rows, types, **model)
    work.train()
    plain = replace(work.package(), shortcut=None)
    path = next(work.context.artifacts.path(a, FILE) for n, a in work.context.emitted.items() if n == "package/it")
    found = read(path.read_bytes())
    assert found is not None
    return plain, replace(plain, shortcut=found[0])


@pytest.fixture(scope="module", params=range(len(TEXTS)), ids=lambda n: f"{TEXTS[n]['kind']}{n}")
def texts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("text"), questions(), QUESTION_TYPES, estimators=[TEXTS[request.param]])


@pytest.fixture(scope="module", params=range(len(COLUMNS)), ids=lambda n: f"{COLUMNS[n][0]['kind']}{n}")
def columns(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    family, inputs = COLUMNS[request.param]
    model = {"task": "tabular-classification", "input": inputs, "target": "state", "estimators": [family]}
    return made(tmp_path_factory.mktemp("columns"), machines(), MACHINE_TYPES, **model)


def same(packages: Made, rows: list[dict[str, Any]]) -> None:
    graph, shortcut = packages
    feeds = feeds_of_rows(graph.inputs, rows)
    assert choose.is_equal(graph.probabilities(feeds), shortcut.probabilities(feeds))
    expected, found = graph.predict(rows), shortcut.predict(rows)
    close = [one for one in expected if sorted(one.probabilities)[-1] - sorted(one.probabilities)[-2] < 1e-5]
    if not close:
        assert [(one.label, one.decide) for one in expected] == [(one.label, one.decide) for one in found]


known = st.sampled_from([word for bank in WORDS.values() for word in bank] + FILLERS)
written = st.lists(st.one_of(known, known, st.text(max_size=12)), max_size=25).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(written, min_size=1, max_size=5))
def test_any_texts_are_answered_as_by_the_graph(texts: Made, rows: list[str]) -> None:
    assert isinstance(texts[1].shortcut, Terms)
    same(texts, [{"text": text} for text in rows])


def test_long_many_and_empty_texts_too(texts: Made) -> None:
    same(texts, [{"text": text} for text in ("filtre " * 1000, "", "?", "zzz", "noyau")])
    same(texts, [{"text": f"{row['text']} {number}"} for number, row in enumerate(questions(300, seed=5))])


def test_reasons_are_those_of_the_graph(texts: Made) -> None:
    graph, shortcut = texts
    row = {"text": "pourquoi un filtre et un noyau dans la convolution, Élève ?"}
    expected, found = graph.explain(row), shortcut.explain(row)
    effects = {reason["term"]: reason["effect"] for reason in expected}
    assert all(abs(effects[r["term"]] - r["effect"]) < 1e-5 for r in found if r["term"] in effects)
    assert len(found) == len(expected) > 0


def test_what_people_write_does_not_stay_in_memory(texts: Made) -> None:
    shortcut = texts[1].shortcut
    assert isinstance(shortcut, Terms)
    before = set(shortcut.known)
    texts[1].predict([{"text": "jeanne-dupont filtre"}])
    assert set(shortcut.known) == before


number = st.one_of(st.none(), st.floats(-3.4e38, 3.4e38), st.integers(-100, 100))
moment = st.datetimes(timezones=st.just(UTC)).map(lambda m: m.isoformat())
machine = st.fixed_dictionaries(
    {
        "heat": number,
        "age": number,
        "kind": st.one_of(st.none(), st.sampled_from(["press", "lathe", "saw"]), st.text(max_size=5)),
        "guarded": st.one_of(st.none(), st.booleans()),
        "built": st.one_of(st.none(), st.dates().map(str)),
        "seen": st.one_of(st.none(), moment),
    }
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(machine, min_size=1, max_size=5))
def test_any_rows_are_answered_as_by_the_graph(columns: Made, rows: list[dict[str, Any]]) -> None:
    assert isinstance(columns[1].shortcut, Matrix)
    same(columns, rows)


def test_numbers_alone_are_taken_as_one_matrix(columns: Made) -> None:
    package = columns[1]
    only = [one.name for one in package.inputs] in (["heat", "age"], ["heat", "age", "guarded"])
    assert (package.of_matrix is not None) == only
    if package.of_matrix is not None:
        rows = [{"heat": 50.5, "age": 3, "guarded": True}, {"heat": None, "age": 12, "guarded": None}]
        names = [one.name for one in package.inputs]
        matrix = np.array([[row[name] for name in names] for row in rows], dtype=np.float64).astype(np.float32)
        assert (
            package.of_matrix(matrix).tolist() == columns[0].probabilities(feeds_of_rows(package.inputs, rows)).tolist()
        )


def altered(data: bytes, name: str, change: Any) -> bytes:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        parts = {key: change(value) if key == name else value for key, value in arrays.items()}
    into = io.BytesIO()
    np.savez(into, **parts)
    return into.getvalue()


def test_a_shortcut_that_says_otherwise_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work = bench(tmp_path, questions(), QUESTION_TYPES, estimators=["linear"])
    work.train()
    package = replace(work.package(), shortcut=None)
    data = work.context.artifacts.path(work.context.emitted["package/it"], FILE).read_bytes()
    monkeypatch.setattr(choose, "is_sooner", lambda *_: True)
    assert isinstance(_shortcut(data, package), Terms)
    assert _shortcut(altered(data, "weights", lambda w: w * 1.01), package) is None
    assert "does not answer as its graph does" in caplog.text
    newer = altered(
        data, "about", lambda a: np.frombuffer(a.tobytes().replace(b'"version": 1', b'"version": 2'), np.uint8)
    )
    assert _shortcut(newer, package) is None
    assert _shortcut(None, package) is None
    monkeypatch.setattr(choose, "is_sooner", lambda *_: False)
    assert _shortcut(data, package) is None


def test_a_family_without_a_shortcut_is_packaged_without(tmp_path: Path) -> None:
    work = bench(tmp_path, questions(), QUESTION_TYPES, estimators=["dummy"])
    work.train()
    assert work.package().shortcut is None
    assert FILE not in {segment.name for segment in work.context.emitted["package/it"].segments}
