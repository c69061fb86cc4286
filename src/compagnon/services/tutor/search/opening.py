"""The search of a solution: its knowledge base, its embedder and its own model of topics."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from compagnon.providers.embedder import open_embedder
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.place import knowledge_folder, tutor_of
from compagnon.services.tutor.search.index import Index, Likely
from compagnon.services.tutor.search.meaning import Meaning

if TYPE_CHECKING:
    from compagnon.solution import Solution


def open_index(solution: Solution) -> Index:
    """The index of the knowledge base of ``solution``. Raises UserError.

    Vectors come from ``vectors/`` in the knowledge base (and in each of its translations), where a template ships
    them, else from what an earlier opening kept; only those of new or changed passages are computed.
    """
    tutor = tutor_of(solution.spec)
    folder = knowledge_folder(solution.root, solution.spec)
    likely = likely_topics(solution)
    embedder = open_embedder(tutor.embedder, solution.root, solution.secrets) if tutor.embedder else None

    def opened(base: Base) -> Index:
        if embedder is None:
            return Index(base, likely=likely, other=opened)
        inside, file = base.folder.relative_to(folder), f"{embedder.identity}.npz"
        stores = (base.folder / "vectors" / file, solution.workspace.home / "vectors" / inside / file)
        meaning = partial(Meaning, embedder=embedder, stores=stores)
        return Index(base, meaning=meaning, likely=likely, other=opened)

    return opened(load(folder, shown=tutor.knowledge))


def likely_topics(solution: Solution) -> Likely | None:
    """What tells the topic of a question, from the packaged model that ``topic_model`` names; None before it is."""
    name = tutor_of(solution.spec).topic_model
    artifact = solution.artifact(f"package/{name}", f"package/{name}") if name else None
    if artifact is None:
        return None
    from compagnon.stages.package.load import load_package

    digests = {segment.name: segment.digest for segment in artifact.segments}
    package = load_package(lambda part: solution.artifacts.path(artifact, part), digests)
    if package.task != "text-classification":
        return None
    field = package.inputs[0].name

    def likely(text: str) -> Mapping[str, float]:
        row = {field: text}
        if package.validate([row]):  # longer than the model reads
            return {}
        (prediction,) = package.predict([row])
        return dict(zip(package.labels, prediction.probabilities, strict=True))

    return likely
