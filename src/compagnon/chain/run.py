"""A run: one execution of one stage instance; cache entry and evidence at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from compagnon.chain import digest as digests
from compagnon.chain import display
from compagnon.chain.fact import Fact
from compagnon.chain.workspace import Zone
from compagnon.i18n import _, format_number

RUN_VERSION = 1
Status = Literal["done", "failed"]


@dataclass(frozen=True)
class Output:
    """What a run made: an artifact by its name in the chain, such as ``table/questions``."""

    name: str
    kind: str
    zone: Zone
    digest: str
    rows: int


@dataclass(frozen=True)
class Run:
    """What a stage instance read, made and found. Times are UTC; the ledger keeps runs in the order of their end."""

    id: str
    stage: str
    """Stage instance, such as ``train/topic``."""
    status: Status
    key: dict[str, Any]
    """Everything that the result depends on, part by part, so that a change can be explained."""
    started: datetime
    ended: datetime
    reason: str
    spec: str
    """Digest of the solution.yaml that the run recorded."""
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    facts: tuple[Fact, ...] = ()
    warnings: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] | None = None

    @property
    def key_digest(self) -> str:
        return digests.of_value(self.key)

    def output(self, name: str) -> Output | None:
        return next((output for output in self.outputs if output.name == name), None)

    def fact(self, name: str) -> Fact | None:
        return next((fact for fact in self.facts if fact.name == name), None)

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "stage": self.stage,
            "status": self.status,
            "started": self.started.isoformat(),
            "ended": self.ended.isoformat(),
            "reason": self.reason,
            "spec": self.spec,
            "inputs": self.inputs,
            "outputs": [vars(output) for output in self.outputs],
            "facts": {fact.name: fact.as_dict() for fact in self.facts},
            "warnings": list(self.warnings),
            "environment": self.environment,
            "error": self.error,
            "key": self.key,
        }

    @display.spoken
    def _repr_html_(self) -> str:
        """What a notebook shows."""
        state = _("finished") if self.status == "done" else _("failed")
        lines = [
            (_("State"), state),
            (_("Why it ran"), self.reason),
            (_("Ended (UTC)"), display.moment(self.ended)),
        ]
        if self.error:
            lines.append((_("Failure"), str(self.error.get("what", ""))))
        made = [(o.name, o.digest[:12], format_number(o.rows)) for o in self.outputs]
        return display.block(
            display.table(f"{self.stage} {self.id}", (_("Name"), _("Value")), lines),
            display.table(_("Made"), (_("Name"), _("Digest"), _("Rows")), made) if made else "",
            display.facts(self.facts),
        )
