"""A small solution that was run once, and servers of it on loopback."""

from __future__ import annotations

import contextlib
import re
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sharing import made_once
from starlette.types import ASGIApp

from compagnon import Solution
from compagnon.access.keys import create_key
from compagnon.features.inputs import Input
from compagnon.services.model_api.service import ModelService
from compagnon.stages.package.validate import Fault, check
from compagnon.web.server import listen, make_server

SMALL = Path(__file__).parents[1] / "data" / "small"
SERVE = """    serve:
      examples: ["Où est mon colis ?", "Ma facture est fausse"]
      limits: {rows: 5, body: 4 kB, text: 200, per_minute: 100000}
"""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a text solution whose chain was run; copy it before changing it."""
    return made_once(tmp_path_factory, "trained", lambda folder: train(folder / "small")) / "small"


def train(root: Path) -> Path:
    """A text solution at ``root`` whose chain was run."""
    shutil.copytree(SMALL, root)
    file = root / "solution.yaml"
    text = file.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.strip().startswith("serve:"))
    file.write_text(text.replace(line, SERVE), encoding="utf-8")
    solution = Solution(root)
    solution.run()
    solution.close()
    return root


@pytest.fixture
def fresh(trained: Path, tmp_path: Path) -> Iterator[Solution]:
    """A copy of the trained solution that a test may change."""
    shutil.copytree(trained, tmp_path / "small")
    solution = Solution(tmp_path / "small")
    yield solution
    solution.close()


@dataclass(frozen=True)
class Served:
    solution: Solution
    address: str
    key: str

    @property
    def predict(self) -> str:
        return f"{self.address}/api/models/theme/predict"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def key_of(solution: Solution, *scopes: str) -> str:
    return create_key(solution.engine, scopes or ("predict",), "test", now=solution.clock.now())[1]


def declared(solution: Solution, **serve: Any) -> None:
    """Serve the model otherwise, as if the file said so."""
    for name, model in solution.spec.models.items():
        changed = model.serve.model_copy(update=serve)
        solution.spec.models[name] = model.model_copy(update={"serve": changed})


def limited(solution: Solution, **limits: Any) -> None:
    """Serve the model with other limits, as if the file said so."""
    for model in list(solution.spec.models.values()):
        declared(solution, limits=model.serve.limits.model_copy(update=limits))


def token_of(page: str) -> str:
    """The token of the forms of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, "this page has no form"
    return found[1]


def send(
    url: str, data: Mapping[str, str], client: httpx.Client | None = None, *, of: str = "/logbook", **more: Any
) -> httpx.Response:
    """Send a form as somebody who has opened the page ``of`` before."""
    if client is None:
        with httpx.Client(timeout=60) as client:
            return send(url, data, client, of=of, **more)
    page = client.get(httpx.URL(url).join(of))
    assert page.status_code == 200, page.status_code
    return client.post(url, data={"csrf": token_of(page.text), **data}, **more)


@contextlib.contextmanager
def running(app: ASGIApp, fast: ModelService | None = None, port: int = 0) -> Iterator[str]:
    """``app`` on a free port of loopback; gives its address. With ``fast``, as ``compagnon serve`` runs it."""
    ready = threading.Event()
    with contextlib.closing(listen("127.0.0.1", port)) as socket:
        server = make_server(app, ready.set, fast)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
        thread.start()
        assert ready.wait(60)
        try:
            yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


@dataclass(frozen=True)
class Said:
    label: str
    confidence: float
    decide: str
    probabilities: tuple[float, ...]


class Slow:
    """A package that answers when it is let, so that tests can fill a queue."""

    task = "text-classification"
    labels = ("yes", "no")
    inputs = (Input("text", "text"),)

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[Said]:
        self.begun.release()
        assert self.go.wait(60)
        if any(row["text"] == "break" for row in rows):
            raise RuntimeError("a secret of " + rows[0]["text"])
        return [Said("yes", 0.9, "model", (0.9, 0.1)) for _row in rows]

    def explain(self, row: Mapping[str, Any], k: int) -> list[dict[str, Any]]:
        return []

    def validate(self, rows: Sequence[Any]) -> list[Fault]:
        return check(self.inputs, rows, longest=100, text_needed=True)
