"""Every estimator that is installed: learns, repeats itself, and exports to ONNX without a difference or a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_solution import MACHINE_INPUTS, MACHINE_TYPES, QUESTION_TYPES, Bench, bench, machines, questions

from compagnon.chain import plugins
from compagnon.stages.package.session import session_of

NAMES = sorted(plugins.available("estimators"))
TASKS = ["text-classification", "tabular-classification", "three-classes"]


def kind_of(task: str) -> Any:
    return "text-classification" if task == "text-classification" else "tabular-classification"


def does(name: str, task: str) -> bool:
    adapter = plugins.load("estimators")[name]
    return bool(adapter().candidates(adapter.Options(kind=name), kind_of(task)))


CASES = [(name, task) for name in NAMES for task in TASKS if does(name, task)]


def work_of(root: Path, name: str, task: str) -> Bench:
    """A bench whose only family besides the baseline is ``name``."""
    shared: dict[str, Any] = {"estimators": [name], "budget": "1 h", "package": {"samples": 200}}
    if task == "text-classification":
        return bench(root, questions(90), QUESTION_TYPES, **shared)
    rows = machines()
    if task == "three-classes":
        rows = [{**r, "state": "hot" if (r["heat"] or 0) > 70 else r["state"]} for r in rows]
    return bench(root, rows, MACHINE_TYPES, task=kind_of(task), input=MACHINE_INPUTS, target="state", **shared)


@pytest.mark.parametrize("name", NAMES)
def test_adapter_says_what_it_is(name: str) -> None:
    adapter = plugins.load("estimators")[name]
    assert adapter.name == name
    assert adapter.Options(kind=name).kind == name
    assert adapter.extra is None or isinstance(adapter.extra, str)
    assert adapter.rank >= 0
    assert adapter.Options.__doc__


@pytest.mark.parametrize(("name", "task"), CASES)
def test_learns_repeats_and_exports_exactly(name: str, task: str, tmp_path: Path) -> None:
    digests = []
    for place in ("first", "second"):
        work = work_of(tmp_path / place, name, task)
        model = work.train()["model/it"]
        digests.append([segment.content for segment in model.segments])
    assert digests[0] == digests[1]
    if name != "dummy":
        assert work.fact("chosen") == name
        assert work.fact("macro_f1_cv") > work.fact("macro_f1_dummy") + 0.1
    package = work.package()  # refuses a difference over 1e-4
    assert work.fact("package_difference") <= 1e-4
    for path in work.context.workspace.home.rglob("*"):
        if path.is_file():
            assert not path.read_bytes().startswith(b"\x80\x04"), f"{path.name} is a pickle"
            assert path.suffix not in (".pkl", ".joblib", ".pickle")
    assert np.isfinite(package.predict([hard_row(task)])[0].probabilities).all()


def hard_row(task: str) -> dict[str, Any]:
    """A row unlike any that was learned."""
    if task == "text-classification":
        return {"text": "😀 zzz"}
    return {
        "heat": 3.0e38,
        "age": -(2**60),
        "kind": "never seen",
        "guarded": None,
        "built": "0001-01-01",
        "seen": "9999-12-31T23:59:59Z",
    }


@pytest.mark.parametrize(("name", "task"), CASES)
def test_one_row_and_many_get_the_same_answer(name: str, task: str, tmp_path: Path) -> None:
    work = work_of(tmp_path, name, task)
    work.train()
    package = work.package()
    rows = questions(9, seed=4) if task == "text-classification" else machines(9, seed=4)
    plain = [
        {f.name: (v.isoformat() if hasattr(v := row[f.name], "isoformat") else v) for f in package.inputs}
        for row in rows
    ]
    together = package.predict(plain)
    alone = [package.predict([row])[0] for row in plain]
    assert [p.label for p in together] == [p.label for p in alone]
    np.testing.assert_allclose([p.probabilities for p in together], [p.probabilities for p in alone], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_every_estimator_does_some_task(name: str) -> None:
    assert any(case == name for case, _task in CASES)


def test_sessions_use_one_thread(tmp_path: Path) -> None:
    work = work_of(tmp_path, "dummy", "text-classification")
    made = work.train()["model/it"]
    session = session_of(work.context.artifacts.path(made, "model.onnx").read_bytes())
    assert session.get_session_options().intra_op_num_threads == 1
