"""The tutor of a solution: its index, its prompt, its provider and its own model of levels."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from compagnon.errors import UserError
from compagnon.operate.usage.opening import gateway
from compagnon.providers.extract import KIND as EXTRACT
from compagnon.providers.opening import declared
from compagnon.providers.port import Request
from compagnon.services.tutor.answer.learned import Learned, read_learned
from compagnon.services.tutor.answer.level import MODEL, Inferred, as_level, by_words
from compagnon.services.tutor.answer.prompt import Prompt, read_prompt
from compagnon.services.tutor.answer.tutor import Ask, Exchange, Question, Tutor
from compagnon.services.tutor.knowledge.model import Difficulty
from compagnon.services.tutor.place import tutor_of
from compagnon.services.tutor.search.index import Index
from compagnon.services.tutor.search.opening import open_index

if TYPE_CHECKING:
    from compagnon.operate.usage.gateway import Gateway
    from compagnon.solution import Solution


def open_tutor(solution: Solution, provider: str | None = None, *, index: Index | None = None) -> Tutor:
    """The tutor of ``solution``, through ``provider`` or the one that solution.yaml names.

    Raises UserError: no tutor, mistakes of the knowledge base or of the prompt, an unknown provider. A provider that
    cannot be asked (no key) does not stop it: each answer then says so, and is made without it.
    """
    name = provider or default_provider(solution)
    index = index or open_index(solution)
    learned = open_learned(solution, index)
    tutor = Tutor(
        index, open_prompt(solution), name, infer=open_level(solution), learned=learned,
        unreviewed=tutor_of(solution.spec).unreviewed,
    )  # fmt: skip
    if declared(solution.spec.providers, name).kind != EXTRACT:
        tutor.ask_service, tutor.give_back = _service(solution, name)
    return tutor


def default_provider(solution: Solution) -> str:
    """As ``tutor.provider`` says, else the first provider that is declared, else ``extract``."""
    return tutor_of(solution.spec).provider or next(iter(solution.spec.providers), EXTRACT)


def open_learned(solution: Solution, index: Index) -> Learned | None:
    """What was learned from the examples that ``tutor.scope`` names; None without them, or where it is out of date."""
    named = tutor_of(solution.spec).scope
    return read_learned(solution.root / named, index.embedder) if named else None


def open_prompt(solution: Solution) -> Prompt:
    """The prompt that ``tutor.prompt`` names, else the one that comes with Compagnon."""
    named = tutor_of(solution.spec).prompt
    if named is not None:
        return read_prompt(solution.root / named, named)
    spec = importlib.util.find_spec("compagnon.templates")
    (folder,) = list(spec.submodule_search_locations or ())[:1] if spec else ("",)
    return read_prompt(Path(folder) / "tutor" / "prompts" / "answer.md", "prompts/answer.md")


def open_level(solution: Solution) -> Inferred:
    """The solution's own model of levels where it is packaged, else a rule on words."""
    if MODEL not in solution.spec.models:
        return by_words
    try:
        artifact = solution.artifact(f"package/{MODEL}", f"package/{MODEL}")
        if artifact is None:
            return by_words
        from compagnon.stages.package.load import load_package

        digests = {segment.name: segment.digest for segment in artifact.segments}
        package = load_package(lambda part: solution.artifacts.path(artifact, part), digests)
    except UserError:
        return by_words
    if package.task != "text-classification":
        return by_words
    name = package.inputs[0].name

    def infer(text: str) -> Difficulty:
        row = {name: text}
        if package.validate([row]):
            return by_words(text)
        return as_level(package.predict([row])[0].label) or by_words(text)

    return infer


def _service(solution: Solution, name: str) -> tuple[Ask, Callable[[], Awaitable[None]]]:
    """How a service is asked; its connections are opened at the first question, and given back by the second."""
    opened: list[Gateway] = []

    def ask(request: Request, question: Question) -> Exchange:
        if not opened:
            opened.append(gateway(solution, name))
        return opened[0].ask(request, person=question.person, names=question.names)

    async def close() -> None:
        for each in opened:
            await each.provider.close()
        opened.clear()

    return ask, close
