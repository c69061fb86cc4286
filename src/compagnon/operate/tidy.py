"""Tidying a solution: files that no kept run, correction, answer or published table refers to are removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compagnon.chain import garbage, lock
from compagnon.chain.garbage import KEEP, Swept
from compagnon.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from compagnon.solution import Solution


def tidy(solution: Solution, *, keep: int = KEEP, dry: bool = False) -> Swept:
    """Remove what is no longer needed, or say what would be (``dry``); runs stay in the ledger.

    Raises UserError ``run.locked`` while a run is at work, the mistakes of solution.yaml, ``gc.unreadable-manifest``.
    """
    from compagnon.operate.monitor.versions import answered

    with lock.hold(solution.workspace, solution.clock, "gc"):
        # What the plan takes as valid may be older than the last runs, after a change was taken back.
        valid = [step.run for step in solution.chain.plan(looking=False) if step.run is not None]
        runs = garbage.kept_runs(solution.ledger, keep=keep, valid=valid)
        versions = answered(solution.workspace.predictions, solution.engine)
        others = garbage.corrected_in(solution.ledger) | garbage.served(solution.ledger, versions)
        digests = garbage.wanted(runs, others)
        return garbage.sweep(solution.workspace, solution.artifacts, digests, pinned=_published(solution), dry=dry)


def _published(solution: Solution) -> Path | None:
    from compagnon.stages.store.pointer import published

    try:
        return published(solution.workspace)
    except UserError:
        return None
