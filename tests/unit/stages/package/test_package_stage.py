"""The stage package and reading packages back: sealed, exact, and refused when one byte differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from model_solution import MACHINE_INPUTS, MACHINE_TYPES, QUESTION_TYPES, Bench, bench, machines, questions

from compagnon.chain.artifact import Draft
from compagnon.chain.digest import of_bytes
from compagnon.errors import UserError
from compagnon.stages.package import seal
from compagnon.stages.package.load import LoadedPackage, load_package

FILES = ("model.onnx", "package.json", "sample.parquet", "card.fr.md", "card.en.md", "shortcut.npz")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    made = bench(
        tmp_path_factory.mktemp("text"), questions(), QUESTION_TYPES, estimators=["blend"], decide={"person_below": 0.6}
    )
    made.train()
    made.package()
    return made


@pytest.fixture(scope="module")
def package(work: Bench) -> LoadedPackage:
    return load_package(*contents(work))


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> LoadedPackage:
    made = bench(
        tmp_path_factory.mktemp("columns"),
        machines(),
        MACHINE_TYPES,
        task="tabular-classification",
        input=MACHINE_INPUTS,
        target="state",
        estimators=["linear"],
    )
    made.train()
    return made.package()


def contents(work: Bench) -> tuple[Callable[[str], Path], dict[str, str]]:
    made = work.context.emitted["package/it"]
    return lambda name: work.context.artifacts.path(made, name), {s.name: s.digest for s in made.segments}


def copied(work: Bench, folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    find, digests = contents(work)
    for name in digests:
        (folder / name).write_bytes(find(name).read_bytes())
    return {name: folder / name for name in digests}, digests


def row(**values: Any) -> dict[str, Any]:
    plain = {
        "heat": 50.0,
        "age": 3,
        "kind": "saw",
        "guarded": True,
        "built": "2015-01-01",
        "seen": "2024-06-01T10:00:00+02:00",
    }
    return {**plain, **values}


def test_package_holds_graph_schemas_cards_and_sample(work: Bench) -> None:
    _find, digests = contents(work)
    assert set(digests) == set(FILES)
    document = json.loads(work.read("package/it", "package.json"))
    assert document["version"] == 1
    assert document["labels"] == ["droit", "réseau", "texte"]
    assert document["input"]["fields"][0] == {
        "name": "text",
        "type": "text",
        "nullable": False,
        "typical": "",
        "categories": None,
    }
    assert document["decide"] == {"person_below": 0.6}
    assert document["run"] == work.context.run_id
    assert document["from"]["model"] == work.context.inputs["model/it"].digest
    assert set(document["digests"]) == set(FILES) - {"package.json"}
    assert document["metrics"]["macro_f1"]["value"] == work.fact("macro_f1")
    assert work.fact("package_difference") < 1e-4
    assert work.fact("latency_p95") >= work.fact("latency_p50") > 0
    assert work.fact("package_size") == sum(
        work.context.artifacts.path(work.context.emitted["package/it"], f).stat().st_size for f in FILES
    )


def test_sample_has_a_thousand_different_rows(work: Bench) -> None:
    find, _digests = contents(work)
    sample = pq.read_table(find("sample.parquet"))
    assert sample.num_rows == 1000
    assert len(set(sample.column("text").to_pylist())) == 1000
    probabilities = np.array(sample.column("probabilities").to_pylist())
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_the_same_model_is_packaged_to_the_same_digest(tmp_path: Path) -> None:
    found = set()
    for name in ("first", "second"):
        work = bench(tmp_path / name, questions(), QUESTION_TYPES)
        work.context.run_id = name
        work.train()
        work.package()
        found.add(work.context.emitted["package/it"].digest)
    assert len(found) == 1


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("where", ["first", "middle", "last", "longer", "gone"])
def test_an_altered_byte_is_refused(work: Bench, tmp_path: Path, file: str, where: str) -> None:
    paths, digests = copied(work, tmp_path)
    load_package(paths, digests)  # as it was: accepted
    data = bytearray(paths[file].read_bytes())
    if where == "gone":
        paths[file].unlink()
    else:
        if where == "longer":
            data.append(10)
        else:
            data[{"first": 0, "middle": len(data) // 2, "last": -1}[where]] ^= 1
        paths[file].write_bytes(bytes(data))
    with pytest.raises(UserError) as caught:
        load_package(paths, digests)
    assert caught.value.code == "package.altered"


def test_a_file_swapped_together_with_its_digest_is_refused(work: Bench, tmp_path: Path) -> None:
    paths, digests = copied(work, tmp_path)
    paths["card.fr.md"].write_text("# Parfait\n", encoding="utf-8")
    digests["card.fr.md"] = of_bytes(b"# Parfait\n")
    with pytest.raises(UserError) as caught:
        load_package(paths, digests)
    assert caught.value.code == "package.altered"


@pytest.mark.parametrize("change", [{"version": 2}, {"fold": 99}])
def test_a_newer_package_is_refused(work: Bench, tmp_path: Path, change: dict[str, int]) -> None:
    paths, digests = copied(work, tmp_path)
    document = {**json.loads(paths["package.json"].read_text(encoding="utf-8")), **change}
    paths["package.json"].write_text(json.dumps(document), encoding="utf-8")
    digests["package.json"] = of_bytes(paths["package.json"].read_bytes())
    with pytest.raises(UserError) as caught:
        load_package(paths, digests)
    assert caught.value.code == "package.newer"


def test_a_package_without_its_graph_is_refused(work: Bench) -> None:
    find, digests = contents(work)
    with pytest.raises(UserError) as caught:
        load_package(find, {k: v for k, v in digests.items() if k != "model.onnx"})
    assert caught.value.code == "package.incomplete"


def test_a_model_altered_before_sealing_is_refused(tmp_path: Path) -> None:
    work = bench(tmp_path, questions(60), QUESTION_TYPES)
    made = work.train()["model/it"]
    path = work.context.artifacts.path(made, "model.onnx")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError) as caught:
        work.package()
    assert caught.value.code == "artifact.altered"


def test_a_graph_that_answers_otherwise_is_refused(tmp_path: Path) -> None:
    work = bench(tmp_path / "a", questions(60), QUESTION_TYPES, estimators=["naive_bayes"])
    other = bench(tmp_path / "b", questions(60, seed=3), QUESTION_TYPES, estimators=["naive_bayes"])
    work.train()
    graph = other.context.artifacts.path(other.train()["model/it"], "model.onnx")
    wrong = tmp_path / "model.onnx"
    wrong.write_bytes(graph.read_bytes())
    made = work.context.inputs["model/it"]
    rest = [s for s in made.segments if s.name != "model.onnx"]
    work.context.inputs["model/it"] = work.context.emit(
        "model/it", "model", "clean", [Draft("model.onnx", wrong), *rest], made.meta
    )
    with pytest.raises(UserError) as caught:
        work.package()
    assert caught.value.code == "package.disagrees"


def test_labels_may_differ_only_where_the_two_best_are_equal() -> None:
    model = np.array([[0.5, 0.5], [0.6, 0.4]])
    assert seal.difference(model, model + np.array([[-2e-5, 2e-5], [0, 0]])) == pytest.approx(2e-5)
    with pytest.raises(UserError):
        seal.difference(model, model + np.array([[0, 0], [-2e-4, 2e-4]]))
    with pytest.raises(UserError):
        seal.difference(model, np.array([[np.nan, 0.5], [0.6, 0.4]]))


def test_prediction_says_who_decides(package: LoadedPackage) -> None:
    sure, unsure = package.predict([{"text": "convolution filtre noyau image"}, {"text": "zzz"}])
    assert (sure.label, sure.decide) == ("réseau", "model")
    assert sure.confidence == max(sure.probabilities) > 0.6
    assert unsure.decide == "person"
    assert package.predict([]) == []


def test_case_accents_and_typos_hardly_matter(package: LoadedPackage) -> None:
    plain, shouted, typo = package.predict(
        [{"text": "licence CNIL, élève"}, {"text": "LICENCE cnil, ELEVE"}, {"text": "license consentemant"}]
    )
    assert plain == shouted
    assert typo.label == "droit"


def test_many_rows_in_blocks(package: LoadedPackage) -> None:
    rows = [{"text": r["text"]} for r in questions(300, seed=5)]
    assert [p.label for p in package.predict(rows)] == [package.predict([r])[0].label for r in rows]


def test_words_that_speak_for_the_label_come_first(package: LoadedPackage) -> None:
    reasons = package.explain({"text": "Comment lire le registre de la CNIL ?"}, k=2)
    assert {reason["term"] for reason in reasons} == {"registre", "CNIL"}
    assert all(reason["effect"] > 0 for reason in reasons)


def test_explaining_is_bounded_and_bears_anything(package: LoadedPackage) -> None:
    assert len(package.explain({"text": " ".join(f"mot{i}" for i in range(500))}, k=500)) == 64
    assert package.explain({"text": "?!"}) == []


def test_columns_are_explained_against_their_typical_value(columns: LoadedPackage) -> None:
    reasons = columns.explain(row(heat=120.0, age=19), k=3)
    assert {reason["term"] for reason in reasons} >= {"heat", "age"}
    assert len(columns.explain(row(heat=None), k=99)) == len(MACHINE_INPUTS)


def test_cards_state_quality_and_mark_gaps(work: Bench) -> None:
    for language, word in (("fr", "language: fr"), ("en", "language: en")):
        text = work.read("package/it", f"card.{language}.md")
        header = yaml.safe_load(text.split("---")[1])
        assert word in text
        values = {m["type"]: m["value"] for m in header["model-index"][0]["results"][0]["metrics"]}
        assert values["macro_f1"] == work.fact("macro_f1")
        assert text.count("**[") >= 5, "what nobody stated is not marked"


def test_user_text_cannot_break_the_card() -> None:
    from compagnon.stages.package.card import _text

    assert _text("a\n# b | <b>`c`</b>") == "a \\# b \\| \\<b\\>\\`c\\`\\</b\\>"
