from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field

from compagnon.spec.kinds import complete_model
from compagnon.spec.load import Loaded, load
from compagnon.spec.model import EstimatorOptions, SourceOptions, Spec, StringList

FACTS = ("rows_collected", "rows_prepared", "rows_rejected", "macro_f1", "macro_f1_cv", "latency_p95")


class FileOptions(SourceOptions):
    """Files of the solution."""

    path: StringList = Field(description="Files; `*` stands for any characters.")
    encoding: str | None = None
    dialect: Literal["auto", "excel", "tab"] = "auto"


class SqlOptions(SourceOptions):
    """A database."""

    url: str
    query: str = Field(description="File that holds the query.", json_schema_extra={"file": True})
    cursor: str | None = None
    batch: int = Field(10_000, ge=1, le=1_000_000)


class LinearOptions(EstimatorOptions):
    """A linear model."""

    c: float | list[float] = Field(1.0, description="Inverse of the regularization.")


def make_kinds() -> type[Spec]:
    plain = dict.fromkeys(("dummy", "naive_bayes", "svm", "boosting"), EstimatorOptions)
    return complete_model({"file": FileOptions, "sql": SqlOptions}, {**plain, "linear": LinearOptions})


KINDS = make_kinds()


@pytest.fixture(scope="session")
def kinds() -> type[Spec]:
    return KINDS


@pytest.fixture
def load_text(tmp_path: Path) -> Callable[..., Loaded]:
    """Loads a text (or bytes) as the solution.yaml of a temporary folder."""

    def load_(text: str | bytes, **more: Any) -> Loaded:
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "solution.yaml").write_bytes(content)
        options: dict[str, Any] = {"kinds": KINDS, "environ": {}, "known_facts": FACTS, **more}
        return load(tmp_path, **options)

    return load_


@pytest.fixture
def load_folder() -> Callable[..., Loaded]:
    def load_(root: Path, **environ: str) -> Loaded:
        return load(root, kinds=KINDS, environ=environ, known_facts=FACTS)

    return load_
