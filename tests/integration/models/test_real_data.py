"""Training and packaging on real data: 77 intents of bank customers, and the census table of incomes."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pv
import pytest
from model_solution import bench

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
NUMBERS = ("age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week")

pytestmark = [pytest.mark.full, pytest.mark.timeout(1200)]


def need(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path.relative_to(DATA.parent.parent)} is not there")
    return path


def test_banking77(tmp_path: Path) -> None:
    folder = need(DATA / "banking77" / "banking_data")
    work = bench(
        tmp_path,
        {name: pv.read_csv(folder / f"{file}.csv") for name, file in (("main", "train"), ("apart", "test"))},
        {"text": {"type": "text"}, "category": {"type": "category"}},
        target="category",
        split={"test": {"table": "apart"}},
        estimators=["dummy", "naive_bayes", "linear", "svm"],
        budget="10 min",
    )
    work.train()
    package = work.package()
    assert work.fact("classes") == 77
    assert work.fact("rows_test") == 3080
    assert work.fact("macro_f1") >= 0.88
    assert work.fact("package_difference") <= 1e-4
    assert package.predict([{"text": "I lost my card, what now?"}])[0].label == "lost_or_stolen_card"


def test_adult(tmp_path: Path) -> None:
    path = need(DATA / "adult" / "data" / "adult.csv")
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    names = [name.strip().replace("-", "_") for name in header]
    columns = dict(zip(names, zip(*(row[1:] for row in rows), strict=True), strict=True))  # the first value is an index
    cells = {
        name: [None if (v := value.strip()) in ("", "?") else v for value in values] for name, values in columns.items()
    }
    table = pa.table(
        {
            name: pa.array([None if v is None else float(v) for v in values] if name in NUMBERS else values)
            for name, values in cells.items()
        }
    )
    work = bench(
        tmp_path,
        {"main": table},
        {name: {"type": "float" if name in NUMBERS else "category"} for name in names},
        task="tabular-classification",
        input=names[:-1],
        target="income_per_year",
        estimators=["dummy", "naive_bayes", "linear", "svm", "boosting"],
        budget="5 min",
    )
    work.train()
    work.package()
    assert work.fact("rows_train") + work.fact("rows_test") == 32561
    assert work.fact("roc_auc") >= 0.92
    assert work.fact("macro_f1") >= 0.79
    assert work.fact("package_difference") <= 1e-4
