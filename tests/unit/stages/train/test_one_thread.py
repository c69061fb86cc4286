"""Training uses one thread, also in libraries that are loaded while it runs."""

from __future__ import annotations

import subprocess
import sys

CODE = """
from compagnon.stages.train.threads import one_thread
from threadpoolctl import threadpool_info
with one_thread():
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    print(sorted({pool["num_threads"] for pool in threadpool_info()}))
"""
LIGHT = """
import sys
import compagnon.stages.train, compagnon.stages.package, compagnon.stages.package.load
from compagnon.chain import plugins
plugins.load("estimators")
print([name for name in ("numpy", "scipy", "sklearn", "onnx", "onnxruntime", "pyarrow") if name in sys.modules])
"""


def answer(code: str) -> str:
    environment = {"OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    return done.stdout.strip()


def test_every_pool_is_limited() -> None:
    assert answer(CODE) == "[1]"


def test_stages_and_adapters_import_light() -> None:
    assert answer(LIGHT) == "[]"
