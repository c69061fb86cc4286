"""The stage train: what it emits, what it finds, what it refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from model_solution import MACHINE_INPUTS, MACHINE_TYPES, QUESTION_TYPES, bench, machines, questions
from pydantic import ValidationError

from compagnon.chain.fact import FACTS, computed
from compagnon.errors import UserError


class StepClock:
    """A clock on which each look takes as long as it is told."""

    def __init__(self, step: float) -> None:
        self.step, self.time = step, 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        self.time += self.step
        return self.time


def table(**columns: list[Any]) -> dict[str, pa.Table]:
    return {"main": pa.table(columns)}


def test_text_model_with_everything_a_page_needs(tmp_path: Path) -> None:
    work = bench(tmp_path, questions(), QUESTION_TYPES, estimators=["naive_bayes", "linear", "svm"])
    made = work.train()
    assert {s.name for s in made["model/it"].segments} == {"model.onnx", "model.json", "sample.parquet"}
    assert {"evaluation.json", "confusion.svg", "roc.svg", "confusion.en.svg"} <= {
        s.name for s in made["evaluation/it"].segments
    }
    document = json.loads(work.read("evaluation/it", "evaluation.json"))
    assert [f["family"] for f in document["families"]] == ["dummy", "naive_bayes", "svm", "linear"]
    assert sum(f["chosen"] for f in document["families"]) == 1
    assert all(len(f["scores"]) == 5 for f in document["families"])
    part = document["test_part"]
    assert np.array(part["confusion"]).sum() == part["rows"] == work.fact("rows_test")
    assert (
        part["metrics"]["macro_f1"]["low"]
        <= part["metrics"]["macro_f1"]["value"]
        <= part["metrics"]["macro_f1"]["high"]
    )
    assert {row["label"] for row in part["classes"]} == {"droit", "réseau", "texte"}
    assert [curve["mean"] for curve in part["roc"]] == [True, False, False, False]
    assert document["charts"]["confusion"]["fr"]["sentence"]
    assert document["charts"]["roc"]["en"]["rows"]
    assert work.fact("macro_f1") > 0.8 > work.fact("macro_f1_dummy")
    assert work.fact("rows_train") + work.fact("rows_test") == 120
    assert {fact.name for fact in work.context.facts} <= set(FACTS)


def test_two_trainings_give_the_same_graph_predictions_and_facts(tmp_path: Path) -> None:
    found = []
    for name in ("first", "second"):
        work = bench(tmp_path / name, questions(), QUESTION_TYPES, estimators=["naive_bayes", "svm", "linear"])
        made = work.train()
        model = made["model/it"]
        digests = [model.segment(file).content for file in ("model.onnx", "sample.parquet", "model.json")]
        found.append((digests, model.digest, made["evaluation/it"].digest, computed(work.context.facts)))
    assert found[0] == found[1]


def test_rows_in_another_order_give_the_same_model(tmp_path: Path) -> None:
    rows = [{**row, "row_id": f"src:{i:05d}"} for i, row in enumerate(questions())]
    digests = {bench(tmp_path / str(step), rows[::step], QUESTION_TYPES).train()["model/it"].digest for step in (1, -1)}
    assert len(digests) == 1


def test_columns_of_every_type(tmp_path: Path) -> None:
    work = bench(
        tmp_path,
        machines(),
        MACHINE_TYPES,
        task="tabular-classification",
        input=MACHINE_INPUTS,
        target="state",
        estimators=["naive_bayes", "linear", "svm", "boosting"],
    )
    work.train()
    assert work.fact("roc_auc") > 0.75
    fields = {f["name"]: f for f in json.loads(work.read("model/it", "model.json"))["inputs"]}
    assert fields["heat"]["nullable"] is True
    assert fields["age"]["nullable"] is False
    assert set(fields["kind"]["categories"]) == {"press", "lathe", "saw"}
    assert fields["built"]["typical"].startswith("20")


def test_a_family_beyond_the_budget_is_refused_and_named(tmp_path: Path) -> None:
    work = bench(
        tmp_path, questions(60), QUESTION_TYPES, StepClock(1.0), estimators=["naive_bayes", "linear"], budget="20 s"
    )
    work.train()
    assert work.fact("families_refused") == "linear"
    assert work.fact("chosen") == "naive_bayes"
    document = json.loads(work.read("evaluation/it", "evaluation.json"))
    assert [r["family"] for r in document["measured"]["refused"]] == ["linear"]
    assert any("linear" in warning for warning in work.context.warnings)


def test_without_any_time_the_baseline_still_runs(tmp_path: Path) -> None:
    work = bench(tmp_path, questions(60), QUESTION_TYPES, StepClock(1e6), estimators=["naive_bayes", "svm"])
    work.train()
    assert work.fact("chosen") == "dummy"
    assert work.fact("families_refused") == "naive_bayes, svm"


def test_a_grid_is_compared_on_the_folds(tmp_path: Path) -> None:
    work = bench(tmp_path, questions(60), QUESTION_TYPES, estimators=[{"kind": "naive_bayes", "alpha": [0.1, 1.0]}])
    work.train()
    families = json.loads(work.read("evaluation/it", "evaluation.json"))["families"]
    assert [f["params"].get("alpha") for f in families] == [None, 0.1, 1.0]


def test_a_table_for_the_test_and_a_class_never_learned(tmp_path: Path) -> None:
    others = [*questions(30, seed=9), {"text": "une chose tout autre", "topic": "inconnu"}]
    tables = {"main": pa.Table.from_pylist(questions()), "apart": pa.Table.from_pylist(others)}
    work = bench(tmp_path, tables, QUESTION_TYPES, split={"test": {"table": "apart"}})
    work.train()
    assert work.fact("rows_test") == 31
    assert work.fact("rows_train") == 120
    assert work.fact("classes") == 3
    assert any("inconnu" in warning for warning in work.context.warnings)
    part = json.loads(work.read("evaluation/it", "evaluation.json"))["test_part"]
    assert next(row for row in part["classes"] if row["label"] == "inconnu")["recall"] == 0


def test_groups_stay_on_one_side(tmp_path: Path) -> None:
    rows = [{**row, "who": f"p{i // 4}"} for i, row in enumerate(questions())]
    types = {**QUESTION_TYPES, "who": {"type": "text"}}
    names = [{**row, "who": f"pseudonym {99 - i // 4}"} for i, row in enumerate(questions())]
    digests = set()
    for place, chosen in (("a", rows), ("b", names)):
        work = bench(tmp_path / place, chosen, types, split={"group": "who"})
        digests.add(work.train()["model/it"].digest)
        assert work.fact("rows_test") == 24
    assert len(digests) == 1, "other pseudonyms moved rows from one side to the other"


def test_rows_without_target_or_text_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [*questions(60), {"text": "sans thème", "topic": None}, {"text": "  ", "topic": "droit"}]
    work = bench(tmp_path, rows, QUESTION_TYPES)
    work.train()
    assert work.fact("rows_train") + work.fact("rows_test") == 60
    assert len([w for w in work.context.warnings if "left out" in w]) == 2


def test_a_rare_class_is_named_and_still_learned(tmp_path: Path) -> None:
    rows = [*questions(90), *({"text": f"dinosaure {word}", "topic": "rare"} for word in ("a", "b", "c"))]
    work = bench(tmp_path, rows, QUESTION_TYPES)
    work.train()
    assert work.fact("classes") == 4
    assert any("rare" in warning for warning in work.context.warnings)


def test_the_same_text_on_both_sides_is_said(tmp_path: Path) -> None:
    work = bench(tmp_path, questions(60) + questions(60), QUESTION_TYPES)
    work.train()
    assert any("same text" in warning for warning in work.context.warnings)


@pytest.mark.parametrize(
    ("code", "tables", "model"),
    [
        ("train.one-class", table(text=["a b"] * 20, topic=["x"] * 20), {}),
        ("train.empty-table", table(text=pa.array([], pa.string()), topic=pa.array([], pa.string())), {}),
        ("train.empty-column", table(text=pa.nulls(20, pa.string()), topic=["x", "y"] * 10), {}),
        ("train.no-target", table(text=["a b"] * 20, topic=pa.nulls(20, pa.string())), {}),
        ("train.too-few-rows", table(text=["a b"] * 4, topic=["x", "y"] * 2), {}),
        ("train.no-column", table(text=["a b"] * 20), {}),
        ("train.too-many-classes", table(text=["a b"] * 20, topic=[str(i) for i in range(20)]), {}),
        ("train.too-few-per-class", table(text=["a b"] * 12, topic=["x", "y", "z", "t"] * 3), {}),
        ("train.wrong-task", table(text=["a"] * 20, topic=["x", "y"] * 10), {"task": "tabular-classification"}),
        (
            "train.bad-split",
            table(text=["a b"] * 20, topic=["x", "y"] * 10, who=["one"] * 20),
            {"split": {"group": "who"}},
        ),
    ],
)
def test_what_cannot_be_learned_is_explained(
    tmp_path: Path, code: str, tables: dict[str, pa.Table], model: dict[str, Any]
) -> None:
    estimators = ["blend"] if code == "train.wrong-task" else ["naive_bayes"]
    types = {**QUESTION_TYPES, "who": {"type": "text"}}
    with pytest.raises(UserError) as caught:
        bench(tmp_path, tables, types, estimators=estimators, **model).train()
    assert caught.value.code == code
    assert caught.value.problems[0].next


def test_a_number_column_that_holds_text_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        bench(
            tmp_path,
            table(size=["big", "small"] * 10, topic=["x", "y"] * 10),
            {"size": {"type": "float"}, "topic": {"type": "category"}},
            task="tabular-classification",
            input=["size"],
        ).train()
    assert caught.value.code == "train.column-type"


def test_settings_hold_the_options_of_each_estimator(tmp_path: Path) -> None:
    from compagnon.stages.train import TrainStage

    work = bench(tmp_path, questions(30), QUESTION_TYPES, estimators=[{"kind": "svm", "C": 3}])
    settings = TrainStage().instances(work.spec)[0].settings
    assert settings["estimators"][0]["C"] == 3
    json.dumps(settings, allow_nan=False)


def test_columns_may_be_named_like_anything_in_the_graph(tmp_path: Path) -> None:
    rows = [{"add_3": i % 2 + i / 500, "constant_0": float(i), "topic": "ab"[i % 2]} for i in range(80)]
    types = {"add_3": {"type": "float"}, "constant_0": {"type": "float"}, "topic": {"type": "category"}}
    shared: dict[str, Any] = {"task": "tabular-classification", "estimators": ["linear"]}
    work = bench(tmp_path / "a", rows, types, input=["add_3", "constant_0"], **shared)
    work.train()
    work.package()
    renamed = [{"probabilities": r["add_3"], "topic": r["topic"]} for r in rows]
    types = {"probabilities": {"type": "float"}, "topic": {"type": "category"}}
    with pytest.raises(UserError) as caught:
        bench(tmp_path / "b", renamed, types, input=["probabilities"], **shared).train()
    assert caught.value.code == "train.reserved-name"


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "blend", "share": 1.5},
        {"kind": "linear", "C": -1},
        {"kind": "svm", "chars": [3, 2]},
        {"kind": "svm", "chars": [1, 4]},
        {"kind": "svm", "chars": [4, 5]},
        {"kind": "svm", "words": None, "chars": None},
        {"kind": "naive_bayes", "alpha": []},
        {"kind": "boosting", "trees": 0},
        {"kind": "boosting", "rate": [0.1, 0]},
    ],
)
def test_impossible_options_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        bench(tmp_path, questions(30), QUESTION_TYPES, estimators=[options])
