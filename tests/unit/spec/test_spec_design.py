"""The example in the design, and one of the project's own, load as they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from compagnon.errors import UserErrors
from compagnon.spec.schema import json_schema
from compagnon.spec.variables import secret_names
from compagnon.spec.yaml import parse

DESIGN = Path(__file__).parents[4] / "shared" / "design.md"
OWN = Path(__file__).parent / "full.yaml"
EVALUATION = """\
  questions_eval:
    from: {export: {text: Question, topic: Theme}}
    columns:
      text: {type: text}
      topic: {type: category, values: topics.yaml}
"""


def design_example() -> str:
    if not DESIGN.exists():
        pytest.skip("the design is not beside the repository")
    found = re.search(r"## The file, by example.*?```yaml\n(.*?)```", DESIGN.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "questions.sql").write_text("select * from questions")
    (tmp_path / "topics.yaml").write_text("- cnn\n- rnn\n")
    return tmp_path


def test_design_example_lacks_only_the_table_that_it_does_not_show(folder, load_folder):
    (folder / "solution.yaml").write_text(design_example(), encoding="utf-8")
    with pytest.raises(UserErrors) as caught:
        load_folder(folder)
    assert [(p.code, p.path) for p in caught.value.problems] == [
        ("spec.unknown-table", "models.topic.split.test.table")
    ]


def test_design_example_loads_with_that_table(folder, load_folder):
    text = design_example().replace("privacy:", f"{EVALUATION}privacy:", 1)
    (folder / "solution.yaml").write_text(text, encoding="utf-8")
    loaded = load_folder(folder)
    assert loaded.warnings == ()
    assert loaded.files == ("queries/questions.sql", "topics.yaml")
    assert secret_names(loaded.spec) == ("SCHOOL_URL",)
    assert loaded.spec.models["topic"].budget.total_seconds() == 40
    assert [estimator.kind for estimator in loaded.spec.models["topic"].estimators] == [
        "dummy", "naive_bayes", "linear", "svm", "boosting",
    ]  # fmt: skip


def test_own_example_loads_and_keeps_its_text(folder, load_folder):
    (folder / "solution.yaml").write_text(OWN.read_text(encoding="utf-8"), encoding="utf-8")
    loaded = load_folder(folder, DATA="données")
    assert loaded.spec.sources["export"].path == ("données/*.csv",)
    assert loaded.spec.tables["tickets"].columns["urgent"].map == {"oui": "true", "no": "false"}
    assert loaded.source_text == OWN.read_text(encoding="utf-8")
    assert loaded.warnings == ()


@pytest.mark.parametrize("example", [design_example, lambda: OWN.read_text(encoding="utf-8")])
def test_examples_agree_with_the_schema(kinds, example):
    jsonschema_rs.Draft202012Validator(json_schema(kinds)).validate(parse(example(), "solution.yaml").data)


def test_schema_refuses_what_the_model_refuses(kinds):
    validator = jsonschema_rs.Draft202012Validator(json_schema(kinds))
    good = {"version": 1, "name": "x", "sources": {"a": {"kind": "file", "path": "x.csv"}}}
    assert validator.is_valid(good)
    for bad in (
        {**good, "nom": "x"},
        {**good, "version": 2},
        {**good, "sources": {"a": {"kind": "flie", "path": "x"}}},
    ):
        assert not validator.is_valid(bad)
    model = {"task": "text-classification", "table": "t", "input": "a", "target": "b"}
    assert validator.is_valid({**good, "models": {"m": {**model, "estimators": ["dummy", {"kind": "linear", "c": 2}]}}})
    assert not validator.is_valid({**good, "models": {"m": {**model, "estimators": ["dumy"]}}})


def test_schema_is_json_and_describes_each_key(kinds):
    schema = json.loads(json.dumps(json_schema(kinds)))
    assert schema["$schema"].endswith("2020-12/schema")
    jsonschema_rs.meta.validate(schema)
    for name, section in {"Spec": schema, **schema["$defs"]}.items():
        for key, value in section.get("properties", {}).items():
            described = schema["$defs"][value["$ref"].split("/")[-1]] if "$ref" in value else value
            assert "description" in {**described, **value} or name.endswith("Options"), f"{name}.{key}"
