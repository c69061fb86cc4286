"""A tutor with two prompts and an emulated service that reads them, for tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from compagnon.sandbox.mistral import Emulator
from compagnon.sandbox.mistral_script import grounded, text_of
from compagnon.solution import Solution

KEY = {"MISTRAL_API_KEY": "k-1"}
TEMPLATE = Path(str(files("compagnon") / "templates" / "tutor"))
QUESTIONS = """\
{"question": "C'est quoi une convolution sur une image ?", "expected": ["cnn.convolution"]}
{"question": "Adam ou SGD : lequel prendre ?", "expected": ["training.optimizers"], "level": "intermediate"}
{"question": "How does quantization make a model smaller?", "expected": ["compression.quantization"]}
{"question": "quelle heure ouvre la piscine municipale", "refuse": true}
"""
"""Fewer than those of the template, so that tests are short."""
ANSWERABLE = 3


def model(messages: Sequence[dict[str, Any]]) -> str:
    """Repeats passages; says what no passage says where its prompt asks to invent."""
    if any("Inventez" in text_of(message) for message in messages if message.get("role") == "system"):
        return "Le dropout a été inventé sur Mars par des robots jardiniers. [1]\n"
    return grounded(messages)


def variant(text: str, version: int = 1) -> str:
    """A file of a prompt: that of the template with ``text`` at its end."""
    body = (TEMPLATE / "prompts" / "answer.md").read_text(encoding="utf-8").partition("---\n")[2].partition("---\n")[2]
    return f"---\nversion: {version}\n---\n{body.strip()}\n{text}\n"


def furnish(folder: Path, url: str, *, ceiling: str = "") -> Path:
    """The tutor of the template in ``folder``, with the service at ``url`` and prompts ``b.md`` and ``bad.md``."""
    shutil.copytree(TEMPLATE, folder)
    service = f"kind: mistral, url: {url}" + (f", ceiling: {{{ceiling}}}" if ceiling else "")
    with (folder / "solution.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\nproviders:\n  school: {{{service}}}\n")
    (folder / "prompts" / "questions.jsonl").write_text(QUESTIONS, encoding="utf-8")
    (folder / "prompts" / "b.md").write_text(variant("6. Restez bref."), encoding="utf-8")
    (folder / "prompts" / "bad.md").write_text(variant("6. Inventez ce qui manque."), encoding="utf-8")
    return folder


@contextmanager
def prompting(folder: Path, **more: str) -> Iterator[tuple[Solution, Emulator]]:
    """A solution as ``furnish`` makes it, and its service."""
    with Emulator(key=KEY["MISTRAL_API_KEY"], script=model) as service:
        solution = Solution(furnish(folder / "tutor", service.url, **more), environ=KEY)
        try:
            yield solution, service
        finally:
            solution.close()
