"""The packages being served: the newest good one of each model, swapped while requests go on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from compagnon.chain.artifact import Artifact
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.model_api.cache import Cache, Found
from compagnon.services.model_api.compiled import Compiled, compile_package
from compagnon.services.model_api.package import Served
from compagnon.services.model_api.problem import Refused
from compagnon.spec.model import Model

if TYPE_CHECKING:
    from compagnon.solution import Solution

_log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between two looks at the ledger."""
TRY_AGAIN = 30.0
"""Seconds after which a refused package is tried again: a file may have been put back."""

Load = Callable[["Solution", Artifact], Served]


@dataclass(frozen=True)
class Shelved:
    """One package in service. Requests that began with it end with it."""

    name: str
    model: Model
    package: Served
    version: str
    """The first characters of the package's digest."""
    run: str
    since: datetime
    compiled: Compiled | None = None
    """The quick way through the package, where it has one."""
    cache: Cache[Found] | None = None
    """Label, confidence and decision by row, where answers are kept."""


@dataclass
class _Place:
    served: Shelved | None = None
    tried: str | None = None
    tried_at: float = 0.0
    refused: str | None = None
    """Error code of the newest package, when it is not the one served."""


def load_sealed(solution: Solution, artifact: Artifact) -> Served:
    """The package of ``artifact``, every byte checked. Raises UserError."""
    from compagnon.stages.package.load import load_package

    digests = {segment.name: segment.digest for segment in artifact.segments}
    return load_package(lambda name: solution.artifacts.path(artifact, name), digests)


@dataclass
class Shelf:
    """Packages by model. ``look`` reads the ledger and loads what is new; it belongs in a thread."""

    solution: Solution
    load: Load = load_sealed
    _places: dict[str, _Place] = field(default_factory=dict, init=False, repr=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self._places = {name: _Place() for name in self.solution.spec.models}

    @property
    def names(self) -> list[str]:
        return list(self._places)

    def find(self, name: str) -> Shelved | None:
        place = self._places.get(name)
        return place.served if place else None

    def get(self, name: str) -> Shelved:
        """The package of a model; raises Refused: 404 unknown, 503 not there yet."""
        place = self._places.get(name)
        if place is None:
            raise Refused(404, "model.unknown", _("There is no such model here; see /api/models."))
        if place.served is None:
            detail = _("This model has no package yet: run `compagnon run`, then ask again.")
            if place.refused:
                detail = _("The package of this model was refused ({code}); see the log.").format(code=place.refused)
            raise Refused(503, "model.not-ready", detail, headers={"retry-after": "5"})
        return place.served

    def state(self) -> dict[str, dict[str, Any]]:
        """By model: what is served, and why the newest is not."""
        return {
            name: {
                "state": "served" if place.served else "refused" if place.refused else "absent",
                "version": place.served.version if place.served else None,
                "refused": {"run": place.tried, "code": place.refused} if place.refused else None,
            }
            for name, place in self._places.items()
        }

    def is_ready(self) -> bool:
        return all(place.served for place in self._places.values())

    def look(self) -> None:
        """Load each package that is newer than the one served; a damaged one is refused and the old one stays."""
        for name, place in self._places.items():
            try:
                run = self.solution.ledger.last(f"package/{name}")
            except UserError as error:
                _log.warning("the ledger cannot be read: %s", error.code)
                return
            if run is None or (place.served and place.served.run == run.id):
                continue
            if run.id == place.tried and self._now() - place.tried_at < TRY_AGAIN:
                continue
            fresh, place.tried, place.tried_at = place.tried != run.id, run.id, self._now()
            try:
                served = self._take(name, run.id)
            except UserError as error:
                place.refused = error.code
            except Exception as error:
                # Whatever a damaged file does to a parser, the package being served must go on.
                _log.error("package of %s: %s", name, type(error).__name__)
                place.refused = "package.unreadable"
            else:
                place.served, place.refused = served, None
                _log.info("model %s: version %s of run %s is served", name, served.version, run.id)
            if place.refused and fresh:
                _log.error("package of %s from run %s refused: %s", name, run.id, place.refused)

    def _take(self, name: str, run_id: str) -> Shelved:
        model = self.solution.spec.models[name]
        artifact = self.solution.artifact(f"package/{name}", f"package/{name}")
        if artifact is None:
            raise UserError("package.missing", _("Files of the package of {model} are missing.").format(model=name))
        package = self.load(self.solution, artifact)
        example = next((example for example in model.serve.examples if isinstance(example, str)), None)
        is_text = example is not None and len(package.inputs) == 1
        compiled = compile_package(package, model.serve.limits.rows, (example,) if is_text else None)
        cache: Cache[Found] | None = Cache(model.serve.cache) if model.serve.cache else None
        version, now = artifact.digest[:12], self.solution.clock.now()
        return Shelved(name, model, package, version, run_id, now, compiled, cache)

    def _now(self) -> float:
        return self.solution.clock.monotonic()

    def start(self) -> None:
        """Look now, then every second from a thread."""
        self.look()
        self._thread = threading.Thread(target=self._watch, name="packages", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                self.look()
            except Exception as error:
                # A look that fails must not end the looking.
                _log.error("looking for new packages failed: %s", type(error).__name__)

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
