"""A model of columns (numbers, categories, truth values, dates) asked by both paths: same answers, same refusals."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import key_of, running

from compagnon import Solution
from compagnon.services.model_api.fast import FastPath
from compagnon.services.model_api.service import ModelService, make_service
from compagnon.web.app import create_app

FILE = """\
version: 1
name: machines
timezone: Europe/Paris
need:
  problem: "Prévoir les pannes"
sources:
  rows: {kind: file, path: rows.csv, licence: CC0-1.0, contact: a@example.org}
tables:
  rows:
    key: id
    from:
      rows: {id: id, heat: heat, age: age, kind: kind, guarded: guarded, built: built, seen: seen, state: state}
    columns:
      id: {type: text}
      heat: {type: float}
      age: {type: integer}
      kind: {type: category, values: [press, lathe, saw]}
      guarded: {type: boolean}
      built: {type: date}
      seen: {type: timestamp}
      state: {type: category, values: [sound, failed]}
models:
  all:
    task: tabular-classification
    table: rows
    input: [heat, age, kind, guarded, built, seen]
    target: state
    split: {test: 0.2, folds: 2, seed: 1}
    estimators: [linear]
    serve: {limits: {rows: 5, body: 4 kB, per_minute: 100000}}
  numbers:
    task: tabular-classification
    table: rows
    input: [heat, age]
    target: state
    split: {test: 0.2, folds: 2, seed: 1}
    estimators: [{kind: boosting, trees: 5}]
    serve: {limits: {rows: 5, body: 4 kB, per_minute: 100000}}
"""
GOOD: dict[str, Any] = {
    "heat": 71.5, "age": 3, "kind": "saw", "guarded": True, "built": "2014-02-28", "seen": "2024-06-01T08:30:00+02:00"
}  # fmt: skip
Asked = tuple[str, dict[str, str], ModelService]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("columns") / "machines"
    root.mkdir()
    (root / "solution.yaml").write_text(FILE, encoding="utf-8")
    generator = random.Random(1)
    with (root / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "heat", "age", "kind", "guarded", "built", "seen", "state"])
        for number in range(150):
            heat, age = round(generator.gauss(50, 20), 2), generator.randrange(20)
            built = date(2010, 1, 1) + timedelta(days=generator.randrange(4000))
            seen = f"2024-05-{generator.randrange(1, 29):02d}T10:00:00+00:00"
            known = "" if generator.random() < 0.1 else heat
            kind = generator.choice(["press", "lathe", "saw"])
            state = "failed" if heat + 4 * age > 90 else "sound"
            writer.writerow([number, known, age, kind, generator.choice(["true", "false"]), built, seen, state])
    solution = Solution(root)
    solution.run()
    solution.close()
    return root


@pytest.fixture(scope="module", params=["fast", "ordinary"])
def asked(machines: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Asked]:
    root = tmp_path_factory.mktemp("asked") / "machines"
    shutil.copytree(machines, root)
    solution = Solution(root)
    service = make_service(solution)
    with running(create_app(solution, service=service), service if request.param == "fast" else None) as address:
        headers = {"Authorization": f"Bearer {key_of(solution)}", "Content-Type": "application/json"}
        yield f"{address}/api/models", headers, service
    solution.close()


def ask(asked: Asked, model: str, body: str) -> httpx.Response:
    address, headers, _service = asked
    return httpx.post(f"{address}/{model}/predict", content=body.encode(), headers=headers)


ROWS = [
    GOOD,
    {**GOOD, "heat": None, "kind": "never seen", "age": -7},
    {**GOOD, "heat": -3.4e38, "guarded": False, "seen": "2024-06-01T08:30:00.123456Z"},
]


def test_every_type_of_column_is_answered_as_the_package_says(asked: Asked) -> None:
    service = asked[2]
    shelved = service.shelf.get("all")
    answer = ask(asked, "all", json.dumps({"rows": ROWS}))
    assert answer.status_code == 200, answer.text
    expected = [(one.label, round(one.confidence, 6)) for one in shelved.package.predict(ROWS)]
    assert [(one["label"], one["confidence"]) for one in answer.json()["predictions"]] == expected


def test_dates_and_categories_take_the_quick_way_too(
    machines: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(machines, tmp_path / "machines")
    solution = Solution(tmp_path / "machines")
    service = make_service(solution)
    answered: list[int] = []
    usual = FastPath._answer

    def counting(self: FastPath, shelved: Any, compiled: Any, asks: Any) -> None:
        answered.append(len(asks))
        usual(self, shelved, compiled, asks)

    monkeypatch.setattr(FastPath, "_answer", counting)
    with running(create_app(solution, service=service), service) as address:
        headers = {"Authorization": f"Bearer {key_of(solution)}", "Content-Type": "application/json"}
        with httpx.Client(headers=headers, timeout=60) as client:
            for model, row in (("all", GOOD), ("numbers", {"heat": 71.5, "age": 3})):
                for _time in range(3):  # the first one finds its key by the ordinary route
                    assert client.post(f"{address}/api/models/{model}/predict", json={"rows": [row]}).status_code == 200
    assert len(answered) >= 4
    assert service.recorder.counts.written == 6
    solution.close()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("heat", "1e39", "range"),
        ("heat", "-1e39", "range"),
        ("heat", "1e999", None),
        ("heat", "NaN", None),
        ("heat", '"12"', "type"),
        ("heat", "true", "type"),
        ("age", "null", "null"),
        ("age", "9" * 400, None),
        ("guarded", "1", "type"),
        ("kind", "3", "type"),
        ("built", '"28/02/2014"', "date"),
        ("built", '"2014-02-30"', "date"),
        ("seen", '"2024-06-01T08:30:00"', "date"),
        ("seen", "1717223400", "type"),
    ],
)
def test_a_bad_value_is_named(asked: Asked, field: str, value: str, code: str | None) -> None:
    row = ",".join(f'"{name}":{value if name == field else json.dumps(good)}' for name, good in GOOD.items())
    answer = ask(asked, "all", f'{{"rows":[{{{row}}}]}}')
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if code is not None:
        (error,) = answer.json()["errors"]
        assert (error["row"], error["field"], error["code"]) == (0, field, code)


@pytest.mark.parametrize("model", ["all", "numbers"])
def test_a_field_that_stands_twice_is_refused_wherever_it_stands(asked: Asked, model: str) -> None:
    row = GOOD if model == "all" else {"heat": 1.5, "age": 3}
    text = json.dumps(row)
    for twice in (text[:-1] + ', "heat": 2}', '{"heat": 2, ' + text[1:], text[:-1] + ', "h\\u0065at": 2}'):
        answer = ask(asked, model, f'{{"rows":[{text},{twice}]}}')
        assert answer.status_code in (400, 422), twice
        assert "heat" in answer.text
    answer = ask(asked, model, f'{{"rows":[{text}],"rows":[{text}]}}')
    assert answer.status_code in (400, 422)
    assert ask(asked, model, f'{{"rows":[{text}]}}').status_code == 200


def test_missing_and_unknown_columns_are_named(asked: Asked) -> None:
    few = {name: value for name, value in GOOD.items() if name != "kind"}
    answer = ask(asked, "all", json.dumps({"rows": [few, {**GOOD, "other": 1}]}))
    assert answer.status_code == 422
    assert [(e["row"], e["field"], e["code"]) for e in answer.json()["errors"]] == [
        (0, "kind", "missing"),
        (1, "other", "extra"),
    ]
