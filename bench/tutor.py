"""The tutor measured offline: refusing, citations, support, time before the first words and after a failure, streams.

Run: python bench/tutor.py    (a minute or two; one JSON object on standard output)
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from compagnon.chain.secrets import Secrets
from compagnon.operate.usage.gateway import Gateway
from compagnon.providers.mistral import Mistral, MistralOptions
from compagnon.sandbox.mistral import FAULTS, Emulator
from compagnon.services.tutor.answer.choose import choose
from compagnon.services.tutor.answer.events import Line, Reply
from compagnon.services.tutor.answer.opening import open_tutor
from compagnon.services.tutor.answer.support import support
from compagnon.services.tutor.answer.tutor import Question, Tutor
from compagnon.services.tutor.passages import resolve, source_of
from compagnon.solution import Solution

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "data" / "tutor"
STREAMS = 200
WAITED = ("slow-start", "slow")
"""Failures that are known only once the declared wait is over."""


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def refusing(tutor: Tutor) -> dict[str, Any]:
    """Nothing is learned from these questions: the examples of the template (``scope.jsonl``) were written apart."""
    asked = [(row["question"], True) for row in rows("questions.jsonl")]
    asked += [(row["question"], False) for row in rows("refuse.jsonl")]
    refused = [(not tutor.find(text)[1].within, within) for text, within in asked]
    right = sum(no and not within for no, within in refused)
    precision, recall = _ratios(right, sum(no for no, _ in refused), sum(not within for _, within in refused))
    wrong = sum(no and within for no, within in refused) / sum(within for _, within in refused)
    return {"f1": _f1(precision, recall), "recall": recall, "false_refusals": round(wrong, 3)}


def supporting() -> dict[str, Any]:
    pairs = [(support(row["sentence"], row["passage"]).supported, row["supported"]) for row in rows("support.jsonl")]
    precision, recall = _ratios(sum(a and b for a, b in pairs), sum(a for a, _ in pairs), sum(b for _, b in pairs))
    return {"pairs": len(pairs), "precision": precision, "recall": recall}


def cited(tutor: Tutor) -> dict[str, Any]:
    """Citations of answers without a model: each quote is found at its exact place."""
    base, good, whole = tutor.index.base, 0, 0

    async def go() -> None:
        nonlocal good, whole
        for row in rows("questions.jsonl")[::3]:
            reply = await tutor.reply(Question(row["question"]))
            for citation in reply.citations:
                whole += 1
                source = source_of(resolve(citation.id, base), base)
                good += source[citation.start : citation.end] == citation.quote

    asyncio.run(go())
    return {"citations": whole, "resolve": round(good / whole, 4)}


def added(tutor: Tutor) -> dict[str, float]:
    """Milliseconds from a question to the request that a service would get."""
    times = []
    for row in rows("questions.jsonl")[:100]:
        start = time.perf_counter()
        found, _scope = tutor.find(row["question"])
        if found.hits:
            choose(found.hits, row["question"], "beginner", "answer").for_model()
        times.append((time.perf_counter() - start) * 1000)
    return _summary(times)


def falling_back(solution: Solution, tutor: Tutor) -> dict[str, Any]:
    """Milliseconds from each failure of the service to the whole answer from the passages, the declared wait apart."""
    wait = 1.0
    waits = {"first_token": "1 s", "between_tokens": "1 s", "remember": {"answers": 0}}
    found: dict[str, float] = {}
    for fault in FAULTS:
        with Emulator() as emulator:
            emulator.always = fault
            options = MistralOptions.model_validate({"kind": "mistral", "url": emulator.url, **waits})

            async def go(options: MistralOptions = options) -> Reply:
                provider = Mistral("school", options, "k")
                gateway = Gateway(solution.engine, Secrets(solution.workspace, {}), provider, options)
                through = Tutor(tutor.index, tutor.prompt, "school", lambda request, _question: gateway.ask(request))
                try:
                    return await through.reply(Question("C'est quoi le dropout ?"))
                finally:
                    await provider.close()

            asyncio.run(go())  # the library of the service is imported at the first question
            start = time.perf_counter()
            reply = asyncio.run(go())
            seconds = time.perf_counter() - start
            if reply.failure is None or not reply.citations:
                raise AssertionError(f"{fault}: {reply.failure}, {len(reply.citations)} citations")
            found[fault] = round((seconds - (wait if fault in WAITED else 0)) * 1000)
    return {"ms": found, "worst_ms": max(found.values())}


def streams(solution: Solution, tutor: Tutor) -> dict[str, Any]:
    """Many questions at once through the official SDK to the emulated service, each sentence checked."""
    with Emulator(delay=0.01) as emulator:
        options = MistralOptions.model_validate({"kind": "mistral", "url": emulator.url, "remember": {"answers": 0}})
        questions = [row["question"] for row in rows("questions.jsonl")]
        first: list[float] = []
        failed: list[str] = []

        async def one(through: Tutor, text: str) -> None:
            start = time.perf_counter()
            try:
                told = False
                async for event in through.ask(Question(text)):
                    if isinstance(event, Line) and not told:
                        told = True
                        first.append((time.perf_counter() - start) * 1000)
            except Exception as error:
                failed.append(type(error).__name__)

        async def go() -> float:
            provider = Mistral("school", options, "k")
            gateway = Gateway(solution.engine, Secrets(solution.workspace, {}), provider, options)
            through = Tutor(tutor.index, tutor.prompt, "school", lambda request, _question: gateway.ask(request))
            start = time.perf_counter()
            await asyncio.gather(*(one(through, questions[n % len(questions)]) for n in range(STREAMS)))
            await provider.close()
            return time.perf_counter() - start

        seconds = asyncio.run(go())
    return {"streams": STREAMS, "errors": failed, "seconds": round(seconds, 1), "first_line_ms": _summary(first)}


def _ratios(right: int, given: int, there: int) -> tuple[float, float]:
    return round(right / max(1, given), 3), round(right / max(1, there), 3)


def _f1(precision: float, recall: float) -> float:
    return round(2 * precision * recall / max(1e-9, precision + recall), 3)


def _summary(times: Iterable[float]) -> dict[str, float]:
    values = sorted(times)
    return {"median": round(statistics.median(values), 1), "p95": round(values[int(0.95 * (len(values) - 1))], 1)}


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(ROOT / "src" / "compagnon" / "templates" / "tutor", Path(scratch) / "tutor"))
        solution = Solution(folder)
        tutor = open_tutor(solution, "extract")
        measured = {
            "refusing": refusing(tutor),
            "support": supporting(),
            "citations": cited(tutor),
            "added_ms": added(tutor),
            "falling_back": falling_back(solution, tutor),
            "streams": streams(solution, tutor),
        }
        solution.close()
    print(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()
